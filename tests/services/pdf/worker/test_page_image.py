"""The picture of a page for people and agents."""

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from papermesh.pdf.v1 import page_image_pb2
from services.base.errors import Code, PapermeshError
from services.base.page_images import MOST_BYTES
from services.pdf.processes.pool import WorkerPool
from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.page_image import MOST_PIXELS, render
from tests.services.pdf.support import open_path

RED = "#ff0000"


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Document]:
    """Opens a document with one page that a function has drawn on."""

    def run(
        draw: Callable[[Any], None] = lambda _page: None, width: float = 200, height: float = 100, rotation: int = 0
    ) -> Document:
        path = tmp_path / "page.pdf"
        with pymupdf.open() as document:
            page = document.new_page(width=width, height=height)
            draw(page)
            page.set_rotation(rotation)
            document.save(path)
        return open_path(path)

    return run


def asked(**arguments: Any) -> dict[str, Any]:
    return {"page": 1, "dpi": 72, "format": "png", "most_bytes": MOST_BYTES, "boxes": [], **arguments}


def drawn(document: Document, **arguments: Any) -> Image.Image:
    """The picture, which is as its answer says."""
    text = render(document, asked(**arguments))
    answer = json_format.Parse(text, page_image_pb2.RenderPageResponse())
    assert list(orjson.loads(text)) == [field.name for field in answer.DESCRIPTOR.fields][:-1], "the proto's order"
    packed = base64.b64decode(answer.base64)
    image = Image.open(io.BytesIO(packed))
    assert (image.width, image.height, image.format) == (answer.width, answer.height, answer.format.upper())
    assert (answer.size, answer.url, answer.image_id) == (len(packed), "", "")
    return image.convert("RGB")


def refused(document: Document, **arguments: Any) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        render(document, asked(**arguments))
    return caught.value


def fill(page: Any) -> None:
    page.draw_rect(pymupdf.Rect(20, 20, 60, 40), color=(0, 0, 1), fill=(0, 0, 1))


class TestAPage:
    @pytest.mark.parametrize("packed_as", ["png", "webp"])
    def test_is_drawn_in_colour(self, save: Callable[..., Document], packed_as: str) -> None:
        image = drawn(save(fill), format=packed_as)
        assert image.size == (200, 100)
        blue, white = image.getpixel((40, 30)), image.getpixel((150, 80))
        assert blue[0] < 15
        assert blue[2] > 240
        assert min(white) > 250

    def test_has_the_pixels_that_were_asked_for(self, save: Callable[..., Document]) -> None:
        assert drawn(save(), dpi=144).size == (400, 200)

    def test_is_turned_as_a_reader_sees_it(self, save: Callable[..., Document]) -> None:
        image = drawn(save(fill, rotation=90))
        assert image.size == (100, 200)
        assert image.getpixel((70, 40)) == (0, 0, 255)

    def test_that_is_not_there_is_named(self, save: Callable[..., Document]) -> None:
        error = refused(save(), page=2)
        assert error.code is Code.BAD_ARG
        assert error.message == "page: page 2 is not in the document, which has 1 pages"

    def test_that_cannot_be_parsed_is_told(self, write_objects: Callable[..., Path]) -> None:
        in_a_circle = "<</Type/Pages/Parent 2 0 R/Kids[3 0 R]/Count 1>>"
        pages = "<</Type/Pages/Kids[3 0 R]/Count 1>>"
        error = refused(open_path(write_objects("<</Type/Catalog/Pages 2 0 R>>", pages, in_a_circle)))
        assert (error.code, error.details["reason"]) == (Code.BAD_ARG, "broken_page")

    def test_of_five_metres_is_too_large_and_told_what_fits(self, save: Callable[..., Document]) -> None:
        document = save(width=14_173, height=14_173)
        error = refused(document, dpi=100)
        assert error.code is Code.TOO_LARGE
        assert error.details["limit_pixels"] == str(MOST_PIXELS)
        assert error.message.endswith("Ask for at most 20 dpi.")
        assert max(drawn(document, dpi=20).size) <= 4000

    @pytest.mark.parametrize("size", [(16_384, 10), (10, 16_384), (20_000, 10)])
    def test_with_a_side_that_webp_has_not_the_bits_for_is_too_large_as_one(
        self, save: Callable[..., Document], size: tuple[float, float]
    ) -> None:
        page = save(width=size[0], height=size[1])
        error = refused(page, format="webp")
        assert (error.code, error.details["limit_side_pixels"]) == (Code.TOO_LARGE, "16383")
        assert "Ask for png." in error.message
        assert drawn(page).size == size
        assert drawn(page, format="webp", dpi=36).width <= 16_383

    def test_is_no_larger_than_its_caller_takes(self, save: Callable[..., Document]) -> None:
        error = refused(save(fill), most_bytes=10)
        assert error.code is Code.TOO_LARGE
        assert "lower dpi, or for webp" in error.message


class TestABox:
    def test_is_framed_and_tinted(self, save: Callable[..., Document]) -> None:
        image = drawn(save(), boxes=[[50, 20, 100, 60, RED]])
        assert image.getpixel((49, 40)) == (255, 0, 0), "the frame stands around it"
        inside = image.getpixel((75, 40))
        assert inside[0] == 255
        assert 150 < inside[1] == inside[2] < 255, "a tint that one reads through"
        assert image.getpixel((110, 40)) == (255, 255, 255)

    def test_stands_where_a_reader_sees_it_on_a_rotated_page(self, save: Callable[..., Document]) -> None:
        image = drawn(save(fill, rotation=90), boxes=[[60, 20, 80, 60, RED]])
        assert image.getpixel((70, 40)) not in {(0, 0, 255), (255, 255, 255)}

    def test_that_is_partly_off_the_page_is_drawn_in_part(self, save: Callable[..., Document]) -> None:
        assert drawn(save(), boxes=[[150, 50, 900, 900, RED]]).getpixel((180, 80))[1] < 255

    @pytest.mark.parametrize(
        ("box", "says"),
        [
            ([300, 0, 400, 50], "lies beside the page, which has 200 x 100 points"),
            ([-90, 10, -10, 50], "lies beside the page"),
            ([50, 10, 50, 50], "x0 must be less than x1"),
            ([50, 60, 90, 50], "x0 must be less than x1"),
            ([float("nan"), 10, 90, 50], "x0 must be less than x1"),
            ([float("inf"), 10, float("inf"), 50], "x0 must be less than x1"),
        ],
    )
    def test_that_cannot_be_drawn_is_named(self, save: Callable[..., Document], box: list[float], says: str) -> None:
        error = refused(save(), boxes=[[10, 10, 20, 20, RED], [*box, RED]])
        assert error.code is Code.BAD_ARG
        assert [each.field for each in error.violations] == ["boxes[1]"]
        assert says in error.message


EDGE = st.floats() | st.floats(-100, 100)


class TestAnything:
    @given(boxes=st.lists(st.tuples(EDGE, EDGE, EDGE, EDGE, st.just(RED)), max_size=3), dpi=st.integers(10, 200))
    def test_that_is_asked_is_drawn_or_refused_in_words(self, boxes: list[Any], dpi: int) -> None:
        with pymupdf.open() as made:
            made.new_page(width=60, height=30)
            content = made.tobytes()
        document = _opened(content)
        asking = {"boxes": [list(box) for box in boxes], "dpi": dpi}
        if all(x0 < x1 and y0 < y1 and x0 < 60 and x1 > 0 and y0 < 30 and y1 > 0 for x0, y0, x1, y1, _ in boxes):
            assert drawn(document, **asking).width == -(-60 * dpi // 72)
        else:
            assert refused(document, **asking).code is Code.BAD_ARG


def _opened(content: bytes) -> Document:
    descriptor = os.memfd_create("page")
    try:
        os.write(descriptor, content)
        return open_document(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("packed_as", ["png", "webp"])
async def test_a_confined_worker_draws_it(
    make_pool: Callable[..., Any], ask: Callable[..., Any], make_pdf: Callable[..., Path], packed_as: str
) -> None:
    pool: WorkerPool
    async with make_pool() as pool:
        boxes = [[10, 10, 90, 90, RED]]
        answer = await ask(pool, "page_image", source=make_pdf("Text."), **asked(format=packed_as, boxes=boxes))
        assert Image.open(io.BytesIO(base64.b64decode(answer["base64"]))).format == packed_as.upper()
        assert (answer["width"], answer["height"]) == (595, 842)
