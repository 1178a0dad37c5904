from collections.abc import Callable
from pathlib import Path

import pytest

from papermesh.pdf.v1 import pdf_service_pb2
from services.pdf.worker import metadata
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import describe

Pdf = Callable[..., Path]


def test_every_field_is_there(make_pdf: Pdf) -> None:
    path = make_pdf("Eleven chars")
    assert describe(path) == {
        "pages": 1,
        "sha256": "ab" * 32,
        "size": path.stat().st_size,
        "version": "1.7",
        "info": {},
        "encrypted": False,
        "page_sizes": [{"first_page": 1, "last_page": 1, "width": 595.0, "height": 842.0, "rotation": 0}],
        "text_density": 11.0,
        "has_text_layer": True,
        "sampled_pages": 1,
        "failures": [],
        "scanned_pages": [],
        "page_labels": [],
        "form_fields": [],
        "comments": [],
        "links": [],
        "attachments": [],
        "signatures": [],
        "portfolio": False,
        "pdf_a": "",
        "pdf_ua": "",
        "tagged": False,
        "javascript": False,
        "xfa": False,
        "language": "",
        "truncated": [],
        "hidden_characters": 0,
    }


def test_the_fields_are_those_of_the_response(make_pdf: Pdf) -> None:
    fields = [field.name for field in pdf_service_pb2.GetMetadataResponse.DESCRIPTOR.fields]
    assert list(describe(make_pdf("x"))) == [name for name in fields if name != "json"]


def test_information_has_its_names_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "info.pdf"
    with pymupdf.open() as document:
        document.new_page()
        document.set_metadata(
            {"title": "연차휴가 규정", "author": "A\x00B", "keywords": "", "creationDate": "D:20250823120000+09'00'"}
        )
        document.save(path)
    info = describe(path)["info"]
    assert info["title"] == "연차휴가 규정"
    assert info["creation_date"] == "2025-08-23T12:00:00+09:00"
    assert "keywords" not in info
    assert not set(info) - {*metadata._TEXTS, *metadata._DATES}


def test_an_information_field_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "info.pdf"
    with pymupdf.open() as document:
        document.new_page()
        document.set_metadata({"title": "x" * 100_000})
        document.save(path)
    assert len(describe(path)["info"]["title"]) == 4000


def test_equal_neighbours_are_merged_and_rotation_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "sizes.pdf"
    with pymupdf.open() as document:
        for width, height, rotation in ((100, 200, 0), (100, 200, 0), (100, 200, 90), (200, 100, 0), (100, 200, 0)):
            document.new_page(width=width, height=height).set_rotation(rotation)
        document.save(path)
    runs = [
        (s["first_page"], s["last_page"], s["width"], s["height"], s["rotation"]) for s in describe(path)["page_sizes"]
    ]
    assert runs == [(1, 2, 100, 200, 0), (3, 3, 200, 100, 90), (4, 4, 200, 100, 0), (5, 5, 100, 200, 0)]


@pytest.mark.parametrize(("written", "seen"), [(0, 0), (90, 90), (100, 90), (-90, 270), (450, 90), (359, 0)])
def test_a_rotation_is_a_quarter_turn_whatever_the_file_says(write_objects: Pdf, written: int, seen: int) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 200]/Rotate {written}>>",
    )
    (size,) = describe(path)["page_sizes"]
    assert (size["rotation"], size["width"]) == (seen, 200 if seen in (90, 270) else 100)


def test_a_plain_scan_has_no_text_layer(corpus: Path) -> None:
    described = describe(corpus / "scan" / "linn.pdf")
    assert (described["has_text_layer"], described["text_density"], described["sampled_pages"]) == (False, 0.0, 1)


def test_at_most_sixteen_pages_are_sampled_from_all_over(make_pdf: Pdf) -> None:
    described = describe(make_pdf(*(["x" * 40] * 50 + [""] * 50)))
    assert described["sampled_pages"] == 16
    assert described["text_density"] == 20.0


def test_a_page_that_cannot_be_reached_is_named(write_objects: Pdf) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        "<</Type/Pages/Parent 2 0 R/Kids[4 0 R]/Count 1>>",
    )
    described = describe(path)
    assert [(size["first_page"], size["last_page"]) for size in described["page_sizes"]] == [(1, 1)]
    assert [(failure["page"], failure["reason"]) for failure in described["failures"]] == [(2, "BROKEN")]


def test_the_version_is_that_of_the_file(corpus: Path) -> None:
    assert describe(corpus / "mixed" / "002-trivial-libre-office-writer.pdf")["version"] == "1.5"
