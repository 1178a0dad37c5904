"""The picture of a page for text recognition."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.pdf.operations import READ
from services.pdf.processes.kinds import View
from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.page_pictures import Picture
from services.pdf.worker.pictures import MOST_PIXELS, choose_dpi, render
from services.pdf.worker.words import from_bytes
from tests.services.pdf.support import open_path
from tests.services.pdf.worker.made_pages import KINDS, lines, photographed, write

A4 = Box(0, 0, 595, 842)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Writes a document with one page that a function has drawn on."""

    def run(draw: Callable[[Any], None], width: float = 595, height: float = 842) -> Path:
        path = tmp_path / "page.pdf"
        with pymupdf.open() as document:
            draw(document.new_page(width=width, height=height))
            document.save(path)
        return path

    return run


def drawn(path: Path, reason: str = "no_text") -> tuple[dict[str, Any], Any]:
    """The header, and the picture as a pixmap."""
    header, picture = render(open_path(path), {"page": 1, "reason": reason})
    assert "failure" not in header
    pixmap = pymupdf.Pixmap(picture)
    assert (header["width"], header["height"], pixmap.n) == (pixmap.width, pixmap.height, 1)
    return header, pixmap


class TestResolution:
    def test_is_that_of_the_scan(self) -> None:
        assert choose_dpi(A4, [A4], [Picture(A4, 1653, 2339)]) == 200

    def test_is_at_least_150_and_at_most_400(self) -> None:
        assert choose_dpi(A4, [A4], [Picture(A4, 595, 842)]) == 150
        assert choose_dpi(A4, [A4], [Picture(A4, 5950, 8420)]) == 400

    def test_is_300_for_letters_that_are_no_bitmaps(self) -> None:
        logo = Picture(Box(0, 0, 60, 60), 60, 60)
        assert choose_dpi(A4, [A4], []) == 300
        assert choose_dpi(A4, [A4], [logo]) == 300

    def test_is_the_scans_own_where_a_pixel_is_a_point(self) -> None:
        sheet = Box(0, 0, 2480, 3508)
        assert choose_dpi(sheet, [sheet], [Picture(sheet, 2480, 3508)]) == 72

    @pytest.mark.parametrize("side", [1000, 5000, 14_400, 200_000, 3e8])
    def test_keeps_every_page_under_the_limit_of_pixels(self, side: float) -> None:
        dpi = choose_dpi(Box(0, 0, side, side), [Box(0, 0, side, side)], [])
        assert (side * dpi / 72) ** 2 <= MOST_PIXELS


def test_a_page_is_drawn_upright_as_a_reader_sees_it(save: Callable[..., Path]) -> None:
    def draw(page: Any) -> None:
        page.draw_rect((0, 0, 100, 50), fill=(0, 0, 0))
        page.set_rotation(90)

    header, pixmap = drawn(save(draw, 300, 200), "forced")
    assert (header["width"], header["height"], header["dpi"]) == (834, 1250, 300)
    assert pixmap.pixel(800, 100) == (0,)
    assert pixmap.pixel(100, 100) == (255,)


def test_only_the_pictures_that_want_to_be_read_are_drawn(save: Callable[..., Path]) -> None:
    def draw(page: Any) -> None:
        page.draw_rect((0, 0, 595, 200), fill=(0, 0, 0))
        page.insert_image((60, 250, 535, 700), pixmap=photographed(lines(2, 30), 120, 475, 450))
        write(page, ["Above the picture"], top=230)

    _, pixmap = drawn(save(draw), "picture")
    above = 240 * pixmap.height // 842
    samples = pixmap.samples
    assert set(samples[: above * pixmap.width]) == {255}
    assert min(samples) < 100


def test_a_page_too_large_to_show_anything_is_named(write_objects: Callable[..., Path]) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200000 200000]>>",
    )
    header, picture = render(open_path(path), {"page": 1, "reason": "forced"})
    assert (header["failure"]["reason"], picture) == ("TOO_LARGE", b"")


def test_a_page_that_cannot_be_drawn_is_named(write_objects: Callable[..., Path]) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Pages/Parent 2 0 R/Kids[3 0 R]/Count 1>>",
    )
    header, picture = render(open_path(path), {"page": 1, "reason": "forced"})
    assert (header["failure"]["reason"], picture) == ("BROKEN", b"")


async def test_a_confined_worker_draws_a_bitmap_of_35000_pixels_a_side(
    corpus: Path, make_pool: Any, subject: Any, pictures_view: Any
) -> None:
    async with make_pool(views={"picture": pictures_view}) as pool:
        deadline = asyncio.get_running_loop().time() + 60
        arguments = {"page": 1, "reason": "no_text"}
        answer = await pool.run("picture", arguments, subject(corpus / "hostile" / "hugemono.pdf"), deadline)
    assert answer.payload.startswith(b"P5\n")
    assert answer.header["width"] * answer.header["height"] <= MOST_PIXELS


@pytest.fixture
def pictures_view() -> View:
    return View("services.pdf.worker.pictures:render", warm_up={"page": 1, "reason": "picture"})


async def test_a_confined_worker_draws_and_merges_without_importing_anything(
    make_pool: Any, subject: Any, pictures_view: View, save: Callable[..., Path]
) -> None:
    source = save(lambda page: KINDS["half scan"][0](page, 0))
    asked = {"ranges": [(1, 1)], "most": 1, "spread": 1, "ocr": "auto", "bytes": 1 << 20}
    line = {"words": [{"text": "Annual", "x0": 72, "y0": 400, "x1": 120, "y1": 410, "confidence": 0.9}]}
    content = orjson.dumps({"1": {"dpi": 72, "lines": [line]}})
    async with make_pool(views={"picture": pictures_view, "read": READ.for_workers()}) as pool:
        deadline = asyncio.get_running_loop().time() + 60
        assert (await pool.run("read", asked, subject(source), deadline)).header["found"] == ["picture"]
        merged = asked | {"recognised": True, "content": content}
        answer = await pool.run("read", merged, subject(source), deadline)
    assert from_bytes(answer.payload).text.endswith("Annual\n")
