from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.errors import Code, PapermeshError
from services.pdf.worker.ocr.words import MAX_FRAGMENTS, Word, confidence_of, joined, lines_of, squeezed

LETTERS = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3) | st.sampled_from("abcXYZ019.,()①")
HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, list[Word]]:
    """A line's text, and its characters in fragments that know nothing of the blanks."""
    text = " ".join(draw(st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=1, max_size=6)))
    characters = squeezed(text)
    cuts = sorted({0, len(characters), *draw(st.lists(st.integers(0, len(characters)), max_size=8))})
    confidences = st.floats(0, 1)
    return text, [
        Word(characters[start:end], (10 * start, 5, 10 * end, 25), draw(confidences)) for start, end in pairwise(cuts)
    ]


def written(fragments: list[Word], line: int) -> list[str]:
    """Rows of TSV."""
    rows = [f"4\t1\t1\t1\t{line}\t0\t0\t0\t9\t9\t-1\t"]
    for number, word in enumerate(fragments, 1):
        left, top, right, bottom = map(int, word.box)
        place = f"{left}\t{top}\t{right - left}\t{bottom - top}"
        rows.append(f"5\t1\t1\t1\t{line}\t{number}\t{place}\t{100 * word.confidence:.6f}\t{word.text}")
    return rows


@given(lines())
def test_words_are_what_the_blanks_of_the_text_set_apart(line: tuple[str, list[Word]]) -> None:
    text, fragments = line
    assert [word.text for word in joined(fragments, text)] == text.split()


@given(lines())
def test_words_share_the_boxes_of_their_fragments_without_a_gap(line: tuple[str, list[Word]]) -> None:
    words = joined(line[1], line[0])
    place = 0.0
    for word in words:
        assert word.box == pytest.approx((place, 5, place + 10 * len(word.text), 25))
        place = word.box[2]


@given(lines())
def test_confidence_is_neither_made_nor_lost(line: tuple[str, list[Word]]) -> None:
    text, fragments = line
    assert confidence_of(joined(fragments, text)) == pytest.approx(confidence_of(fragments))


@given(lines())
def test_fragments_stay_as_they_are_when_the_text_has_other_characters(line: tuple[str, list[Word]]) -> None:
    assert joined(line[1], line[0] + "!") == line[1]


@given(st.lists(lines(), max_size=5))
def test_lines_are_read_from_one_run_that_writes_both(page: list[tuple[str, list[Word]]]) -> None:
    rows = [row for number, (_, fragments) in enumerate(page) for row in written(fragments, number)]
    output = "\n".join([HEADER, *rows, *(f"{text}\n" for text, _ in page), "\f"])
    assert [[word.text for word in line] for line in lines_of(output)] == [text.split() for text, _ in page]


def test_a_line_that_the_text_lacks_does_not_move_the_others() -> None:
    one, lost, last = ([Word(text, (0, 0, 9, 9), 0.5)] for text in ("하나", "둘", "셋넷"))
    rows = [*written(one, 1), *written(lost, 2), *written(last, 3)]
    found = lines_of("\n".join([HEADER, *rows, "하나", "셋 넷"]))
    assert [[word.text for word in line] for line in found] == [["하나"], ["둘"], ["셋", "넷"]]


@pytest.mark.parametrize("output", ["", "\n", HEADER, "\f", "5\tx", "nothing of the kind\n5\t1"])
def test_output_without_words_has_no_lines(output: str) -> None:
    assert lines_of(output) == []


def test_more_words_than_a_page_can_have_are_refused() -> None:
    rows = written([Word("가", (0, 0, 9, 9), 1.0)] * (MAX_FRAGMENTS + 1), 1)
    with pytest.raises(PapermeshError) as refused:
        lines_of("\n".join([HEADER, *rows]))
    assert refused.value.code is Code.TOO_LARGE
