from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2
from services.pdf.worker import outline
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf

Pdf = Callable[..., Path]

LEAF = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"
KIDS = "<</Type/Pages/Kids[3 0 R]/Count 1>>"


def describe(path: Path) -> dict[str, Any]:
    text = outline.describe(open_document(str(path)))
    json_format.Parse(text, pdf_service_pb2.GetOutlineResponse())
    described: dict[str, Any] = orjson.loads(text)
    return described


def entries(described: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(entry["level"], entry["title"], entry["page"]) for entry in described["entries"]]


def with_contents(path: Path, contents: list[tuple[int, str, int]], pages: int = 3) -> Path:
    with pymupdf.open() as document:
        for _ in range(pages):
            document.new_page()
        document.set_toc(contents)
        document.save(path)
    return path


def test_the_files_own_outline_comes_first(tmp_path: Path) -> None:
    contents = [
        (1, "제1장 총칙", 1),
        (2, "제1조 (목적)", 1),
        (3, "①", 2),
        (2, "제2조", 2),
        (1, "제2장", 3),
        (2, "제3조", 3),
    ]
    described = describe(with_contents(tmp_path / "own.pdf", contents))
    assert entries(described) == contents
    assert described["derived"] is False
    assert described["failures"] == []


def test_titles_are_folded_and_have_an_end(tmp_path: Path) -> None:
    described = describe(with_contents(tmp_path / "own.pdf", [(1, " a \n b" + "x" * 900, 1)]))
    title = described["entries"][0]["title"]
    assert title.startswith("a bx")
    assert len(title) == 500


def test_an_entry_that_leads_out_of_the_document_has_page_0(write_objects: Pdf) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R>>",
        KIDS,
        LEAF,
        "<</First 5 0 R/Last 7 0 R/Count 3>>",
        "<</Title(web)/Parent 4 0 R/Next 6 0 R/A<</S/URI/URI(http://example.org)>>>>",
        "<</Title(nowhere)/Parent 4 0 R/Prev 5 0 R/Next 7 0 R/Dest(missing)>>",
        "<</Title(here)/Parent 4 0 R/Prev 6 0 R/Dest[3 0 R/Fit]>>",
    )
    assert entries(describe(path)) == [(1, "web", 0), (1, "nowhere", 0), (1, "here", 1)]


def test_an_outline_that_leads_in_circles_does_no_harm(write_objects: Pdf) -> None:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R/Outlines 4 0 R>>",
        KIDS,
        LEAF,
        "<</First 5 0 R/Last 5 0 R/Count 1>>",
        "<</Title(a)/Parent 4 0 R/First 5 0 R/Last 5 0 R/Next 5 0 R/Dest[3 0 R/Fit]>>",
    )
    assert len(describe(path)["entries"]) <= 1


def test_a_deep_and_long_outline_is_bounded(tmp_path: Path) -> None:
    deep = with_contents(tmp_path / "deep.pdf", [(level, f"level {level}", 1) for level in range(1, 200)])
    assert len(describe(deep)["entries"]) == outline._MAX_DEPTH
    long = with_contents(tmp_path / "long.pdf", [(1, f"entry {number}", 1) for number in range(10_500)])
    assert len(describe(long)["entries"]) == 10_000


def test_without_an_outline_the_headings_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "headings.pdf"
    with pymupdf.open() as document:
        for number in range(1, 4):
            page = document.new_page()
            page.insert_text((72, 40), f"Company policy - page {number} of 3", fontsize=14)
            page.insert_text((72, 100), f"Chapter {number}", fontsize=20)
            page.insert_text((72, 140), f"{number}.1 Scope of it", fontsize=11, fontname="hebo")
            for line in range(20):
                page.insert_text((72, 170 + 14 * line), "Body text runs on and on over the whole line.", fontsize=11)
        document.save(path)
    described = describe(path)
    assert described["derived"] is True
    assert entries(described) == [
        (1, "Chapter 1", 1),
        (2, "1.1 Scope of it", 1),
        (1, "Chapter 2", 2),
        (2, "2.1 Scope of it", 2),
        (1, "Chapter 3", 3),
        (2, "3.1 Scope of it", 3),
    ]


def test_a_korean_report_has_its_sections(corpus: Path) -> None:
    titles = [entry["title"] for entry in describe(corpus / "mixed" / "normal_4pages.pdf")["entries"]]
    assert any("문제점" in title for title in titles)
    assert any("개선과제" in title for title in titles)


def test_plain_text_has_no_headings(make_pdf: Pdf) -> None:
    assert describe(make_pdf("Only text.\nAnd more of it.")) == {"entries": [], "derived": True, "failures": []}
