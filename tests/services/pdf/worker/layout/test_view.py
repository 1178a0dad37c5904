from pathlib import Path

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.errors import PapermeshError
from services.pdf.worker import failures
from services.pdf.worker.documents import attempt
from services.pdf.worker.layout.view import describe
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings
from tests.services.pdf.support import open_path
from tests.services.pdf.written import Written, page, prose

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.pdf"))


def test_an_answer_has_all_fields_of_all_blocks_in_the_order_of_the_proto() -> None:
    readings = Readings(
        9, [2, 3], {2: page(Written("제1장 총칙", 72, 60, 16, bold=True), *prose(5))}, [failures.broken(3)]
    )
    answer = orjson.loads(describe(readings, {}))
    json_format.ParseDict(answer, pb.ExtractLayoutResponse())
    (sheet,) = answer["pages"]
    assert list(sheet) == [field.name for field in pb.PageLayout.DESCRIPTOR.fields]
    assert list(sheet["blocks"][0]) == [
        field.name for field in sorted(pb.Block.DESCRIPTOR.fields, key=lambda field: field.number)
    ]
    assert [(block["type"], block["level"], block["marker"]) for block in sheet["blocks"]] == [
        ("heading", 1, "제1장"),
        ("text", 0, ""),
    ]
    assert [failure["page"] for failure in answer["failures"]] == [3]


def test_a_page_is_laid_out_by_the_model_where_it_found_boxes_and_says_so() -> None:
    by_model, by_rules, scan = (page(Written("Words of a page")) for _ in range(3))
    scan.ocr = True
    boxes = [[1, '[[60,90,400,120,"caption"]]'], [3, '[[60,90,400,120,"caption"]]']]
    answer = orjson.loads(describe(Readings(3, [1, 2, 3], {1: by_model, 2: by_rules, 3: scan}, []), {"boxes": boxes}))
    assert [sheet["mode"] for sheet in answer["pages"]] == ["model", "rules", "rules"]
    assert [sheet["blocks"][0]["type"] == "caption" for sheet in answer["pages"]] == [True, False, False]


def test_a_page_of_a_pdf_is_laid_out_as_it_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "turned.pdf"
    with pymupdf.open() as document:
        sheet = document.new_page()
        sheet.insert_text((72, 72), "1. Leave", fontsize=20)
        sheet.insert_textbox((72, 100, 500, 300), "Every employee may take leave. " * 12, fontsize=10)
        sheet.set_rotation(90)
        document.save(path)
    opened = open_path(path)
    reading = read_page_words(opened, 1)
    answer = orjson.loads(describe(Readings(1, [1], {1: reading}, []), {}))
    heading, text = answer["pages"][0]["blocks"]
    assert (heading["type"], heading["text"]) == ("heading", "1. Leave")
    assert answer["pages"][0]["width"] > answer["pages"][0]["height"]
    assert heading["bbox"]["x0"] > text["bbox"]["x1"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_laid_out_with_the_words_that_were_read(path: Path) -> None:
    lays_out_what_was_read(path)


@pytest.mark.parametrize("folder", ["mixed", "hostile"])
def test_a_document_is_laid_out_with_the_words_that_were_read(corpus: Path, folder: str) -> None:
    for path in sorted((corpus / folder).glob("*.pdf")):
        lays_out_what_was_read(path)


def lays_out_what_was_read(path: Path) -> None:
    try:
        document = open_path(path)
    except PapermeshError:  # files that nobody can open are other tests'
        return
    pages = range(1, min(document.page_count, 3) + 1)
    found = {page: attempt(read_page_words, document, page, otherwise=None) for page in pages}
    readings = {page: reading for page, reading in found.items() if reading is not None}
    answer = orjson.loads(describe(Readings(document.page_count, list(pages), readings, []), {}))
    for sheet in answer["pages"]:
        said = "".join("".join(block["text"].split()) for block in sheet["blocks"])
        seen = "".join(readings[sheet["page"]].text.split())
        assert sorted(letters(said)) == sorted(letters(seen))


def letters(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, "-\u2010\u00ad")))
