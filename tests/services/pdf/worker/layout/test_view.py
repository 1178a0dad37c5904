from collections.abc import Callable
from pathlib import Path

import orjson
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.pdf.worker import failures
from services.pdf.worker.layout.view import describe
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings
from tests.services.pdf.support import open_path
from tests.services.pdf.written import Written, page, prose


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


def test_every_document_of_the_corpus_is_laid_out(corpus: Path, make_pdf: Callable[..., Path]) -> None:
    for path in [*sorted((corpus / "mixed").glob("*.pdf"))[:12], make_pdf("a", "b")]:
        try:
            document = open_path(path)
        except Exception:  # noqa: BLE001, S112  # files that nobody can open are other tests'
            continue
        pages = range(1, min(document.page_count, 3) + 1)
        readings = Readings(document.page_count, list(pages), {at: read_page_words(document, at) for at in pages}, [])
        answer = orjson.loads(describe(readings, {}))
        for sheet in answer["pages"]:
            said = sum(len(block["text"].split()) for block in sheet["blocks"])
            words = sum(len(line.text.split()) for line in readings[sheet["page"]].lines if not line.hidden)
            assert said <= words
            assert bool(said) == bool(words)
