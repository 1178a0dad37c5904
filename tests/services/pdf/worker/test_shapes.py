from collections.abc import Iterator

import pytest

from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.shapes import MOST_BLOCKS, MOST_RULES, Shapes, find_shapes
from services.pdf.worker.structured_text import structure

SIDE = 300
VECTORS = mupdf.FzStextOptions(mupdf.FZ_STEXT_COLLECT_VECTORS)


def drawn(content: str, rotation: int = 0) -> Shapes:
    """The shapes of a page with this content, its origin at the top left."""
    with pymupdf.open() as document:
        page = document.new_page(width=SIDE, height=SIDE)
        page.draw_line((0, 0), (1, 1))
        page.set_rotation(rotation)
        document.update_stream(page.get_contents()[0], f"1 0 0 -1 0 {SIDE} cm {content}".encode())
        return find_shapes(structure(page.this, VECTORS))


def boxes(numbers: list[int]) -> Iterator[tuple[int, ...]]:
    """In whole points."""
    assert len(numbers) % 4 == 0
    for index in range(0, len(numbers), 4):
        yield tuple(round(number / 100) for number in numbers[index : index + 4])


@pytest.mark.parametrize(
    "content",
    [
        "0.5 w 10 20 m 200 20 l S",
        "10 19.8 190 0.4 re f",
        "0.5 w 10 20 m 90 20 l S 90 20 m 200 20 l S",
        "[3 3] 0 d 0.5 w 10 20 m 200 20 l S",
        "10 20 95 0.4 re f 105 20.3 95 0.4 re f 10 20 95 0.4 re f",
    ],
    ids=["a stroke", "a thin box", "two pieces that touch", "dashes", "pieces out of line, one of them twice"],
)
def test_a_line_that_runs_across_is_one_rule(content: str) -> None:
    found = drawn(content)
    [(left, top, right, bottom)] = boxes(found.rules)
    assert (left, right) == (pytest.approx(10, abs=1), pytest.approx(200, abs=1))
    assert (top + bottom) / 2 == pytest.approx(20, abs=1)
    assert not found.fills
    assert not found.is_crowded


def test_the_outline_of_a_box_is_four_rules() -> None:
    rules = sorted(boxes(drawn("0.01 w 10 20 100 50 re S").rules))
    assert rules == [(10, 20, 10, 70), (10, 20, 110, 20), (10, 70, 110, 70), (110, 20, 110, 70)]


def test_a_grid_in_one_path_is_its_lines() -> None:
    assert len(list(boxes(drawn("0.1 w 9 9 m 90 9 l 9 50 m 90 50 l 9 9 m 9 50 l 90 9 m 90 50 l S").rules))) == 4


def test_lines_apart_are_not_joined() -> None:
    assert len(list(boxes(drawn("0.1 w 10 20 m 90 20 l 100 20 m 200 20 l 10 22 m 90 22 l S").rules))) == 3


def test_a_filled_box_is_a_fill() -> None:
    assert list(boxes(drawn("0.9 g 10 20 100 50 re f").fills)) == [(10, 20, 110, 70)]


@pytest.mark.parametrize(
    "content",
    [
        "1 g 10 20 100 50 re f",
        "0.9 g 0 0 300 300 re f",
        "10 10 m 50 90 90 80 120 10 c S",
        "10 10 m 50 80 l S",
        "10 10 m 200 10 l n",
        "0.1 w 10 10 m 12 10 l S",
    ],
    ids=["white", "a background", "a curve", "aslant", "not drawn", "shorter than a rule"],
)
def test_other_shapes_are_left_out(content: str) -> None:
    assert drawn(content) == Shapes()


def test_a_turned_page_has_the_rules_that_a_reader_sees() -> None:
    [(left, top, right, bottom)] = boxes(drawn("0.1 w 10 20 m 200 20 l S", rotation=90).rules)
    assert (left, right) == (280, 280)
    assert (top, bottom) == (10, 200)


def test_of_too_many_rules_the_longest_are_kept_and_it_is_said() -> None:
    short = "".join(f"{10 * (row % 29)} {row // 29} m {10 * (row % 29) + 5} {row // 29} l " for row in range(8000))
    found = drawn(f"0.01 w {short} 10 299 m 290 299 l S")
    assert found.is_crowded
    assert len(found.rules) == 4 * MOST_RULES
    assert (10, 299, 290, 299) in list(boxes(found.rules))


def test_a_page_of_100000_lines_is_told_to_be_crowded() -> None:
    lines = "".join(f"{row % 290} {row // 290} m {row % 290 + 4} {row // 290} l " for row in range(100_000))
    assert MOST_BLOCKS < 100_000
    assert drawn(f"0.01 w {lines} S") == Shapes(is_crowded=True)
