"""Where a page is looked at for hidden text, before anything is traced or drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker.boxes import Box
from services.pdf.worker.hidden_signs import find_signs
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.sheet import EVERYWHERE
from services.pdf.worker.structured_text import load_page, structure
from tests.services.pdf.support import open_path
from tests.services.pdf.worker.hiding import AROUND, BLACK, DARK, WHITE, Draw, box, make, picture, write

_VECTORS = mupdf.FzStextOptions(pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_MEDIABOX_CLIP)
_LINE = (72.0, 187.1, 219.3, 203.6)
"""Around the text, about."""


@pytest.fixture
def signs(tmp_path: Path) -> Callable[[Draw], Box | None]:
    """The area of a page with a plain line and what a function draws after it."""

    def run(draw: Draw) -> Box | None:
        make(tmp_path / "page.pdf", draw)
        document = open_path(tmp_path / "page.pdf")
        loaded = load_page(document, 1)
        return find_signs(document, 1, loaded, structure(loaded, _VECTORS))

    return run


def under(*boxes: tuple[float, ...]) -> Draw:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        for each in boxes:
            box(page, BLACK, each)

    return draw


def test_plain_text_shows_no_sign(signs: Callable[[Draw], Box | None]) -> None:
    assert signs(write) is None


@pytest.mark.parametrize(
    "boxes",
    [[AROUND], [(100, 180, 130, 210)], [(100, row, 130, row + 3.5) for row in range(186, 206, 3)]],
    ids=["whole", "a word", "a word under strips"],
)
def test_a_line_under_a_later_shape_is_one(signs: Callable[[Draw], Box | None], boxes: list[tuple[float, ...]]) -> None:
    assert signs(under(*boxes)) == pytest.approx(_LINE, abs=0.5)


@pytest.mark.parametrize(
    "around",
    [(60, 202.5, 460, 205), (60, 196, 460, 196.9), (60, 150, 460, 190), (100, 180, 101.5, 225)],
    ids=["a line under it", "a line through it", "a box that touches it", "a rule between columns"],
)
def test_a_shape_that_covers_no_letter_is_none(signs: Callable[[Draw], Box | None], around: tuple[float, ...]) -> None:
    assert signs(under(around)) is None


def test_white_text_is_one_and_other_lines_are_not_looked_at(signs: Callable[[Draw], Box | None]) -> None:
    def draw(page: Any, said: str) -> None:
        box(page, DARK)
        write(page, said, color=WHITE)

    assert signs(draw) == pytest.approx(_LINE, abs=0.5)


def test_dark_text_on_a_light_box_is_none(signs: Callable[[Draw], Box | None]) -> None:
    def draw(page: Any, said: str) -> None:
        box(page, (0.9, 0.9, 0.6))
        write(page, said)

    assert signs(draw) is None


@pytest.mark.parametrize(("around", "is_one"), [(AROUND, True), ((0, 0, 595, 842), False)], ids=["small", "a scan"])
def test_a_picture_over_a_line_is_one_unless_the_line_may_be_its_own(
    signs: Callable[[Draw], Box | None], around: tuple[float, ...], *, is_one: bool
) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        picture(page, 0, around)

    assert (signs(draw) is not None) == is_one


def test_invisible_text_has_the_whole_page_looked_at(signs: Callable[[Draw], Box | None]) -> None:
    assert signs(lambda page, said: write(page, said, render_mode=3)) == EVERYWHERE


def test_a_page_full_of_shapes_is_looked_at_where_the_sign_is(signs: Callable[[Draw], Box | None]) -> None:
    def draw(page: Any, said: str) -> None:
        write(page, said)
        dots = page.new_shape()
        for number in range(12_000):
            x, y = 60 + 4 * (number % 100), 300 + 4 * (number // 100)
            dots.draw_rect((x, y, x + 2, y + 2))
            dots.finish(color=None, fill=BLACK)
        dots.commit()
        box(page, BLACK)

    assert signs(draw) == pytest.approx(_LINE, abs=0.5)
