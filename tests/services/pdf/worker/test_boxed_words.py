"""Words of a page in the boxes of a model."""

from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.boxed_words import Boxed, in_boxes
from services.pdf.worker.words import Line, Reading

PLACES = st.integers(0, 60)
BOXES = st.lists(st.tuples(PLACES, PLACES, PLACES, PLACES, st.sampled_from(["text", "table", "heading"])), max_size=6)
WORDS = st.lists(st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=4), max_size=6)


def page(lines: list[list[tuple[int, int]]], hidden: str = "") -> Reading:
    """A page of lines of words, each 4 by 2 points at its place."""
    made = []
    for number, words in enumerate(lines):
        boxes = [100 * edge for x, y in words for edge in (x, y, x + 4, y + 2)]
        text = " ".join(f"w{number}-{index}" for index in range(len(words)))
        made.append(Line(text, 0, boxes=boxes, hidden=hidden))
    return Reading(60, 60, 0, [], made)


def said(reading: Reading, boxed: Boxed) -> list[str]:
    return [word for run in boxed.words for word in reading.lines[run.line].text.split()[run.start : run.stop]]


@given(WORDS, BOXES)
def test_no_word_is_lost_or_twice_whatever_the_boxes(
    lines: list[list[tuple[int, int]]], boxes: list[tuple[int, int, int, int, str]]
) -> None:
    reading = page(lines)
    found = in_boxes(reading, boxes)
    words = [word for boxed in found for word in said(reading, boxed)]
    assert sorted(words) == sorted(word for line in reading.lines for word in line.text.split())


def test_words_go_to_the_smallest_box_and_rows_are_read_whatever_the_order_of_the_lines() -> None:
    reading = page([[(10, 20), (16, 20)], [(10, 10), (16, 10)], [(2, 2)]])
    outer, inner = in_boxes(reading, [(0, 0, 50, 50, "text"), (8, 8, 30, 30, "table")])
    assert said(reading, outer) == ["w2-0"]
    assert said(reading, inner) == ["w1-0", "w1-1", "w0-0", "w0-1"]
    assert (inner.type, len(inner.words)) == ("table", 2)


def test_a_line_outside_stands_before_what_is_below_it_in_its_column() -> None:
    reading = page([[(2, 2)], [(2, 10)], [(32, 4)]])
    found = in_boxes(reading, [(0, 8, 20, 14, "text"), (30, 20, 50, 24, "list")])
    assert [(each.type, said(reading, each)) for each in found] == [
        ("text", ["w0-0"]),
        ("text", ["w1-0"]),
        ("text", ["w2-0"]),
        ("list", []),
    ]


def test_what_nobody_sees_is_in_no_box() -> None:
    reading = page([[(2, 2)]], hidden="invisible")
    assert [each.words for each in in_boxes(reading, [(0, 0, 20, 20, "text")])] == [[]]
