"""When a page must be read from its picture: forty pages of ten kinds, and the edges between them."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.pictures import render
from services.pdf.worker.scans import Want, judge
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import metadata_of, read, read_mapped
from tests.services.pdf.worker.made_pages import KINDS, landscape, lines, photographed, write

Make = Callable[[Callable[[Any], None]], Document]

PICTURES_OF_TEXT = ("scan", "stamped scan", "half scan", "good text layer", "rotten text layer")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Opens a document with one page that a function has drawn on."""

    def run(draw: Callable[[Any], None]) -> Document:
        path = tmp_path / "page.pdf"
        with pymupdf.open() as document:
            draw(document.new_page())
            document.save(path)
        return open_path(path)

    return run


def want(document: Document) -> Want | None:
    return judge(*read_mapped(document, 1)).want


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_recognised_where_its_text_layer_lacks_what_it_shows(make: Make, kind: str, seed: int) -> None:
    draw, reason = KINDS[kind]

    def turned(page: Any) -> None:
        draw(page, seed)
        page.set_rotation(90 * seed)

    document = make(turned)
    found = want(document)
    assert (found and found.reason) == reason
    assert judge(*read_mapped(document, 1)).is_scan == (kind in PICTURES_OF_TEXT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_may_have_every_page_recognised_or_none(make: Make, kind: str) -> None:
    document = make(lambda page: KINDS[kind][0](page, 1))
    assert read(document, ocr="force")[0] == ["forced"]
    assert isinstance(read(document, ocr="never")[0][0], list)


def test_only_the_pictures_whose_text_is_missing_are_read(make: Make) -> None:
    def draw(page: Any) -> None:
        page.insert_image((40, 40, 555, 400), pixmap=photographed(lines(2), 100, 515, 360))
        page.insert_image((40, 420, 555, 800), pixmap=landscape(1))
        write(page, lines(3, 18), top=450, size=12)

    found = want(make(draw))
    assert found is not None
    assert found.reason == "picture"
    assert [tuple(round(side) for side in area) for area in found.areas] == [(40, 40, 555, 400)]


def test_a_scan_in_strips_is_one_picture(make: Make) -> None:
    whole = photographed(lines(0), 100)

    def draw(page: Any) -> None:
        height = page.rect.height / 40
        for index in range(40):
            strip = (0, index * height, page.rect.width, (index + 1) * height)
            page.insert_image(
                strip, pixmap=pymupdf.Pixmap(pymupdf.csGRAY, (0, 0, whole.width, 29), 0), keep_proportion=False
            )
        write(page, ["Received in May"], top=20)

    found = want(make(draw))
    assert found is not None
    assert [tuple(round(side) for side in area) for area in found.areas] == [(0, 0, 595, 842)]


def test_a_picture_within_the_content_is_seen_under_a_stamp(make: Make) -> None:
    def draw(page: Any) -> None:
        write(page, ["Received in May"], top=20)
        page.clean_contents()
        pixels = bytes(range(256)) * 40
        inline = b"q 595 0 0 700 0 0 cm BI /W 80 /H 128 /CS /G /BPC 8 ID " + pixels + b" EI Q"
        document, xref = page.parent, page.get_contents()[0]
        document.update_stream(xref, document.xref_stream(xref) + inline, compress=False)

    found = want(make(draw))
    assert found is not None
    assert found.reason == "picture"


def test_forms_within_forms_are_looked_through_up_to_a_bound(make: Make) -> None:
    def draw(page: Any) -> None:
        inner = photographed(lines(0), 100)
        with pymupdf.open() as document:
            document.new_page().insert_image((0, 0, 595, 842), pixmap=inner)
            for _ in range(20):
                with pymupdf.open("pdf", document.tobytes()) as source:
                    document.delete_page(0)
                    document.new_page().show_pdf_page(pymupdf.Rect(0, 0, 595, 842), source)
            page.show_pdf_page(page.rect, document)
        write(page, ["Received in May"], top=20)

    found = want(make(draw))
    assert found is not None
    assert found.reason == "picture"


def test_thousands_of_tiny_pictures_are_no_scan(make: Make) -> None:
    dot = b"q 1 0 0 1 %d %d cm BI /W 1 /H 1 /CS /G /BPC 8 ID \0 EI Q\n"

    def draw(page: Any) -> None:
        write(page, ["Received in May"], top=20)
        page.clean_contents()
        content = b"".join(dot % (index % 550, index // 550 * 9) for index in range(30_000))
        document, xref = page.parent, page.get_contents()[0]
        document.update_stream(xref, document.xref_stream(xref) + content)

    assert want(make(draw)) is None


@pytest.mark.parametrize("side", ["1000000000", "1" + 30 * "0", "9" * 60])
@pytest.mark.parametrize("box", ["0 0 {} 800", "0 0 800 {}", "-{0} -{0} {0} {0}"])
def test_a_page_without_end_is_not_drawn_to_find_out(write_objects: Callable[..., Path], box: str, side: str) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box.format(side)}]/Contents 4 0 R>>",
        "<</Length 14>>stream\n0 0 9 9 re f   \nendstream",
    )
    document = open_path(path)
    [found], _ = read(document, ocr="auto")
    assert found == "no_text" or isinstance(found, list)
    assert render(document, {"page": 1, "reason": "no_text"})[0]["failure"]["reason"] == "TOO_LARGE"
    metadata_of(document)


def test_a_page_of_noise_is_not_drawn_to_find_out(make: Make) -> None:
    rng = Random(1)  # noqa: S311  # the same noise each time

    def draw(page: Any) -> None:
        shape = "%d %d m %d %d l %d %d l f\n"
        content = "".join(shape % tuple(rng.randrange(800) for _ in range(6)) for _ in range(30_000))
        document = page.parent
        xref = document.get_new_xref()
        document.update_object(xref, "<<>>")
        document.update_stream(xref, content.encode())
        page.set_contents(xref)

    assert want(make(draw)) == Want("no_text")
