from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.pdf.worker import recorder
from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.page_trace import Drawing, find_pictures, find_texts, trace
from services.pdf.worker.sheet import EVERYWHERE, CrowdedPageError, Sheet
from services.pdf.worker.structured_text import load_page
from tests.services.pdf.support import open_path
from tests.services.pdf.worker.hiding import BLACK, DARK, box, make, picture, raw, show, write

Trace = Callable[[Callable[[Any, str], None]], Drawing]


@pytest.fixture
def traced(tmp_path: Path) -> Trace:
    """Traces a page with a plain line and what a function draws after it."""

    def run(draw: Callable[[Any, str], None]) -> Drawing:
        make(tmp_path / "page.pdf", draw, "text")
        document = open_path(tmp_path / "page.pdf")
        return trace(Sheet(load_page(document, 1)))

    return run


def test_text_and_shapes_are_numbered_in_the_order_in_which_they_are_drawn(traced: Trace) -> None:
    def draw(page: Any, text: str) -> None:
        box(page, DARK)
        write(page, text)
        picture(page, 0)

    drawing = traced(draw)
    orders = {piece.order: piece.text for piece in drawing.pieces} | {each.order: each.kind for each in drawing.shapes}
    assert [orders[number] for number in sorted(orders)] == ["A line that anybody sees", "fill", "text", "picture"]


def test_lines_and_columns_are_pieces_of_their_own(traced: Trace) -> None:
    content = "BT /helv 12 Tf 72 600 Td (one) Tj 0 -14 Td (two) Tj 200 0 Td (three) Tj ET"
    drawing = traced(lambda page, _: raw(page, content))
    assert [(piece.text, piece.first) for piece in drawing.pieces[1:]] == [("one", 0), ("two", 3), ("three", 6)]


def test_an_em_is_as_large_as_its_lesser_side(traced: Trace) -> None:
    drawing = traced(lambda page, text: raw(page, show(text, "10 Tz")))
    assert drawing.pieces[-1].look.em == pytest.approx(1.2)


def test_a_clip_bounds_what_is_drawn_until_it_ends(traced: Trace) -> None:
    drawing = traced(lambda page, text: raw(page, f"q 60 600 100 50 re W n {show(text)} Q {show(text)}"))
    clipped, free = (piece.look.within for piece in drawing.pieces[-2:])
    assert [round(edge) for edge in clipped] == [60, 192, 160, 242]
    assert free[0] == float("-inf")


def test_text_through_which_something_is_drawn_is_no_piece(traced: Trace) -> None:
    painted = traced(lambda page, text: raw(page, f"q {show(text, '7 Tr')} 0 0 600 800 re f Q"))
    empty = traced(lambda page, text: raw(page, f"q {show(text, '7 Tr')} Q 0 0 600 800 re f"))
    assert [[piece.text for piece in each.pieces if piece.way == "clip"] for each in (painted, empty)] == [[], ["text"]]


def test_a_page_with_too_much_on_it_is_given_up(traced: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_DRAWN", 5)

    def draw(page: Any, _text: str) -> None:
        for _ in range(6):
            box(page, BLACK)

    with pytest.raises(CrowdedPageError):
        traced(draw)


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """A page with text, a box over it and a picture far from it."""

    def draw(page: Any, text: str) -> None:
        write(page, text)
        box(page, BLACK)
        picture(page, 0, (60, 600, 460, 700))

    make(tmp_path / "page.pdf", draw, "text")
    return open_path(tmp_path / "page.pdf")


@pytest.fixture
def sheet(document: Document) -> Sheet:
    return Sheet(load_page(document, 1))


def test_what_lies_outside_an_area_is_passed_over(sheet: Sheet) -> None:
    drawing = trace(sheet, Box(70, 180, 100, 210))
    assert [piece.text for piece in drawing.pieces] == ["text"]
    assert [(shape.order, shape.kind) for shape in drawing.shapes] == [(1, "fill")]


def test_letters_and_shapes_have_the_same_places_in_an_area_as_on_the_page(sheet: Sheet) -> None:
    whole, part = trace(sheet), trace(sheet, Box(70, 180, 100, 210))
    assert part.pieces[0].places == whole.pieces[1].places
    assert part.pieces[0].boxes == whole.pieces[1].boxes
    assert part.shapes[0].box == whole.shapes[0].box


def test_a_text_is_found_by_its_letters_in_any_area_that_it_touches(sheet: Sheet) -> None:
    plain, text = trace(sheet).pieces
    assert find_texts(sheet, EVERYWHERE, [plain, text]) == [{0}, {1}]
    assert find_texts(sheet, Box(70, 180, 100, 210), [plain, text]) == [set(), {0}]


def test_all_pictures_are_found_without_the_rest(sheet: Sheet) -> None:
    assert [(each.kind, each.pixels, round(each.box.y0)) for each in find_pictures(sheet)] == [("picture", 1600, 600)]
