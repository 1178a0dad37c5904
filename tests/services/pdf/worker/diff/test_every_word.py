"""No word is outside the proof: whichever one changes, in whatever part of a page, the comparison tells it."""

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pdf.worker.diff.compare import compare
from services.pdf.worker.diff.document import Document, sort_out
from services.pdf.worker.diff.result import described
from services.pdf.worker.words import Reading, in_units
from tests.services.pdf.written import Written, page, paragraph, prose

CELLS = [["Class", "Limit", "Remarks"], ["First", "250 USD", "by request"], ["Second", "90 USD", "none"]]
NOTES = [
    "Days are counted from Monday on.",
    "The works council has agreed.",
    "In force since 2021, with an exception for trainees.",
    "Guests wear a badge.",
    "See guideline 27 of the security office.",
    "Keys are no badges.",
    "Twice a year, and once more by order of the board.",
    "Reports are kept for ten years.",
]
LEFT, TOP, WIDE, HIGH = 72, 500, 120, 18


def with_table(reading: Reading) -> Reading:
    """The page with the lines of a table around its cells."""
    right, bottom = LEFT + 3 * WIDE, TOP + 3 * HIGH
    for number in range(4):
        across, down = LEFT + number * WIDE, TOP + number * HIGH
        reading.rules += [*in_units((LEFT, down, right, down)), *in_units((across, TOP, across, bottom))]
    return reading


def cells() -> list[Written]:
    return [
        Written(text, LEFT + 4 + WIDE * column, TOP + 4 + HIGH * row)
        for row, texts in enumerate(CELLS)
        for column, text in enumerate(texts)
    ]


def document() -> dict[int, Reading]:
    """Heads and feet, contents, headings, prose, a table and notes on five pages."""
    titles = [f"Article {number}. {title}" for number, title in enumerate(["Purpose", "Leave", "Access", "Audit"], 1)]
    entries = [f"{title} {'.' * 60} {number}" for number, title in enumerate(titles, 2)]
    pages = {1: page(*around(1), Written("Contents", y=100, size=14, bold=True), *paragraph(entries, y=130))}
    for number, title in enumerate(titles, 2):
        notes = paragraph([f"{at}) {NOTES[2 * number + at - 5]}" for at in (1, 2)], y=720, size=8)
        text = prose(9, y=130, seed=number)
        made = page(*around(number), Written(title, y=100, size=12, bold=True), *text, *cells(), *notes)
        pages[number] = with_table(made)
    return pages


def around(number: int) -> list[Written]:
    return [Written("Document policy v1.3 of 2025", 72, 40, 8), Written(f"{number} / 5", 290, 800, 8)]


DOCUMENT = document()
PLACES = [
    (number, line, word)
    for number, reading in DOCUMENT.items()
    for line, written in enumerate(reading.lines)
    for word, text in enumerate(written.text.split())
    if text.strip(".")
]
"""Of every word: its page, line and index. Dots that lead to a page number are none."""


def edited(number: int, at: int, word: int, how: str) -> dict[int, Reading]:
    """The document with one word deleted, replaced or put in other case; with the same letters if it has no case."""
    reading = DOCUMENT[number]
    line = reading.lines[at]
    words = line.text.split()
    words[word : word + 1] = {"delete": [], "replace": ["Quokka"], "case": [words[word].swapcase()]}[how]
    kept = [index for index in range(len(line.styles)) if how != "delete" or index != word]
    boxes = [edge for index in kept for edge in line.boxes[4 * index : 4 * index + 4]]
    new = replace(line, text=" ".join(words), boxes=boxes, styles=[line.styles[index] for index in kept])
    lines = [*reading.lines[:at], *([new] if words else []), *reading.lines[at + 1 :]]
    return DOCUMENT | {number: replace(reading, lines=lines)}


def test_the_document_has_all_parts_that_are_compared_on_their_own() -> None:
    found = sort_out(DOCUMENT, {})
    assert len(found.running) == 2 * len(DOCUMENT)
    assert (len(found.contents), len(found.notes)) == (5, 8)
    assert sum(part.cells is not None for part in found.parts) == 4


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(PLACES), st.sampled_from(["delete", "replace", "case"]))
def test_whichever_word_changes_it_is_told(place: tuple[int, int, int], how: str) -> None:
    after = edited(*place, how)
    result = described(compare(DOCUMENT, after))
    if after != DOCUMENT:
        assert result["changes"] or not result["complete"]
        assert not result["message"].startswith("Nothing changed")


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(PLACES))
def test_every_visible_word_is_compared_once(place: tuple[int, int, int]) -> None:
    after = edited(*place, "delete")
    places = [atom.place for atom in sort_out(after, {}).every]
    assert sorted(places) == sorted(visible(after))


def visible(pages: dict[int, Reading]) -> list[tuple[int, int]]:
    found = []
    for number, reading in pages.items():
        starts = accumulate((len(line.text) + 1 for line in reading.lines), initial=0)
        for line, start in zip(reading.lines, starts, strict=False):
            at = 0
            for word in line.text.split():
                at = line.text.index(word, at)
                found.append((number, start + at))
                at += len(word)
    return found


def test_the_document_itself_has_no_changes() -> None:
    result = described(compare(DOCUMENT, document()))
    assert (result["relation"], result["complete"]) == ("same_content", True)
    assert result["message"] == f"Nothing changed: {len(visible(DOCUMENT))} words compared."


@pytest.mark.parametrize("number", [2, 3])
def test_a_page_number_of_the_contents_that_does_not_follow_its_heading_is_told(number: int) -> None:
    after = dict(DOCUMENT)
    reading = after[1]
    lines = [*reading.lines]
    at = next(index for index, line in enumerate(lines) if line.text.startswith(f"Article {number}."))
    lines[at] = replace(lines[at], text=lines[at].text[:-1] + "9")
    after[1] = replace(reading, lines=lines)
    (change,) = described(compare(DOCUMENT, after))["changes"]
    assert (change["kind"], change["class"]) == ("contents", "number")


def test_a_note_printed_over_the_last_line_of_a_full_page_is_a_note() -> None:
    def full(note_y: float) -> Document:
        notes = [Written("1) Details are laid down in another guideline.", 72, note_y, 8)]
        return sort_out({1: page(*prose(40, y=200)[:-1], *notes), 2: page(*prose(30, seed=3))}, {})

    assert [atom.text for part in full(696).notes for atom in part.atoms][:2] == ["1)", "Details"]
    assert len(full(696).notes) == len(full(740).notes) == 1
