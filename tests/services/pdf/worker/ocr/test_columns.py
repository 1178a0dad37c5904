import pytest

from services.pdf.worker.ocr.columns import Part, parts_of
from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.numeric import Grey, np
from tests.services.pdf.printed import DPI, page

LEFT = [f"column of the left, and line {number:02}" for number in range(20)]
RIGHT = [f"and that of the right, its row {number:02}" for number in range(20)]
CELLS = ["cell", "the longest", "a", "two words", "of", "x"] * 4


def parts(pixels: Grey) -> list[Part]:
    ink = ink_of(pixels)
    assert ink is not None
    return parts_of(ink, DPI)


def test_columns_are_parts_from_left_to_right() -> None:
    left, right = parts(page(LEFT, RIGHT, size=9))
    assert left.right <= right.left
    assert abs(left.top - right.top) <= 8


def test_a_heading_over_columns_comes_first() -> None:
    pixels = page([], LEFT, size=9)
    both = np.minimum(pixels, page(["A heading that is as wide as the page, and so over all", "", "", *LEFT], size=9))
    heading = parts(both)[0]
    assert heading.right - heading.left > 800
    assert len(parts(both)) >= 2


def test_one_column_is_one_part() -> None:
    assert len(parts(page(LEFT, size=12))) == 1


def test_a_table_is_read_by_its_rows() -> None:
    assert len(parts(page(CELLS, CELLS[1:] + CELLS[:1], size=9))) == 1


def test_numbers_of_items_are_no_column() -> None:
    items = [f"{number}." for number in range(10, 30)]
    pixels = np.minimum(page(items, size=9), np.roll(page(LEFT, size=9), 120, axis=1))
    assert len(parts(pixels)) == 1


@pytest.mark.parametrize("shape", [(8, 8), (3, 500), (500, 3)])
def test_small_pictures_are_one_part(shape: tuple[int, int]) -> None:
    assert len(parts_of(np.ones(shape, bool), DPI)) == 1


def test_without_ink_there_are_no_parts() -> None:
    assert parts_of(np.zeros((50, 50), bool), DPI) == []
