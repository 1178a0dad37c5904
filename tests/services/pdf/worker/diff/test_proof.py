"""With all marked words taken away, both sides are equal, in order: whatever was changed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.pdf.worker.diff.compare import compare
from services.pdf.worker.diff.result import described
from services.pdf.worker.words import Reading
from tests.services.pdf.worker.diff.revisions import readings

WORDS = [
    "회사는",
    "계약",
    "기록을",
    "15일",
    "제3조에",
    "보고하여야",
    "한다.",
    "the",
    "party",
    "shall",
    "keep",
    "records.",
    "①",
    "2.",
    "re-use",
]
PARAGRAPHS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), max_size=12)


PLAIN = PARAGRAPHS.map(
    lambda found: [" ".join(word for word in each.split() if word not in {"①", "2."}) for each in found]
)
"""Without numbers of items: a line that begins with one may be an item."""

FIRST, LAST = "The policy of the company begins here.", "The policy of the company ends here."
"""What stands at the edges of a page may be a running line."""


def framed(paragraphs: list[str]) -> list[str]:
    return [FIRST, *filter(None, paragraphs), LAST]


@st.composite
def revisions(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    left = draw(PARAGRAPHS)
    right = [*left]
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(right)))
        what = draw(st.sampled_from(["insert", "delete", "swap", "edit"]))
        if what == "insert":
            right.insert(at, " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))))
        elif right and what == "delete":
            right.pop(at % len(right))
        elif right and what == "swap":
            right.append(right.pop(at % len(right)))
        elif right:
            words = right[at % len(right)].split()
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
            right[at % len(right)] = " ".join(words)
    return left, right


def rest(pages: dict[int, Reading], changes: list[dict[str, Any]], side: str) -> str:
    """The letters of these pages without those that changes mark, by their places on the pages."""
    marked: set[tuple[int, int]] = set()
    for change in changes:
        for region in (change[side] or {}).get("regions", []) if change["op"] != "format" else []:
            for x0, y0, x1, y1 in region["bbox"]:
                for number, word in enumerate(placed(pages[region["page"]])):
                    left, top, right, bottom = word[1]
                    if x0 <= (left + right) / 2 <= x1 and y0 <= (top + bottom) / 2 <= y1:
                        marked.add((region["page"], number))
    return "".join(
        word
        for page, reading in pages.items()
        for number, (word, _) in enumerate(placed(reading))
        if (page, number) not in marked
    )


def placed(reading: Reading) -> list[tuple[str, tuple[float, float, float, float]]]:
    return [(word.text, word.box) for line in reading.lines for word in reading.words(line) if word.box]


@settings(deadline=None, max_examples=80)
@given(revisions(), st.integers(20, 80))
def test_what_is_not_marked_is_equal(pair: tuple[list[str], list[str]], measure: int) -> None:
    left, right = readings(framed(pair[0])), readings(framed(pair[1]), measure=measure)
    found = compare(left, right)
    result = described(found)
    if result["relation"] != "different":
        assert result["complete"]
        assert rest(left, result["changes"], "left") == rest(right, result["changes"], "right")


@settings(deadline=None, max_examples=30)
@given(PLAIN.map(framed), st.integers(20, 80))
def test_the_same_words_in_other_lines_are_no_change(paragraphs: list[str], measure: int) -> None:
    assert described(compare(readings(paragraphs), readings(paragraphs, measure=measure)))["changes"] == []


@settings(deadline=None, max_examples=30)
@given(revisions())
def test_each_derived_change_has_its_cause_among_the_changes(pair: tuple[list[str], list[str]]) -> None:
    changes = described(compare(readings(framed(pair[0])), readings(framed(pair[1]))))["changes"]
    ids = {change["id"] for change in changes if not change["derived"]}
    assert {change["cause"] for change in changes if change["derived"]} <= ids
    assert len({change["id"] for change in changes}) == len(changes)
