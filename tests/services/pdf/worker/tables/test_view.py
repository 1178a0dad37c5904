"""PDF_TABLES from a PDF to its answer."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.pdf.worker import failures
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.readings import Readings
from services.pdf.worker.tables.view import describe
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import given
from tests.services.pdf.worker.tables.drawn import Page

TEXTS = [["Item", "Price"], ["Paper, white", "738,117"], ["Pens", "1,200"]]


def answer_of(path: Path, **arguments: Any) -> Any:
    return orjson.loads(describe(Readings.take(given(open_path(path))), arguments))


def table_pdf(path: Path, rotation: int = 0) -> Path:
    """A page with a ruled table, stroked cell by cell, its head filled."""
    with pymupdf.open() as document:
        page = document.new_page()
        for row, texts in enumerate(TEXTS):
            for column, text in enumerate(texts):
                box = pymupdf.Rect(100 + 150 * column, 200 + 24 * row, 250 + 150 * column, 224 + 24 * row)
                page.draw_rect(box, width=0.5, fill=None if row else (0.9, 0.9, 0.9))
                page.insert_text((box.x0 + 6, box.y1 - 8), text, fontsize=10)
        page.set_rotation(rotation)
        document.save(path)
    return path


def test_an_answer_has_all_fields_in_the_order_of_the_proto(tmp_path: Path) -> None:
    answer = answer_of(table_pdf(tmp_path / "table.pdf"), csv=True, html=True)
    json_format.ParseDict(answer, pb.ExtractTablesResponse())
    (table,) = answer["tables"]
    assert list(answer) == [field.name for field in pb.ExtractTablesResponse.DESCRIPTOR.fields if field.name != "json"]
    assert list(table) == [field.name for field in pb.Table.DESCRIPTOR.fields]
    assert list(table["rows"][0]["cells"][0]) == [field.name for field in pb.TableCell.DESCRIPTOR.fields]
    assert (table["page"], table["header_rows"], table["columns"], table["ruled"]) == (1, 1, 2, True)
    assert [[cell["text"] for cell in row["cells"]] for row in table["rows"]] == TEXTS
    assert table["csv"] == 'Item,Price\r\n"Paper, white","738,117"\r\nPens,"1,200"\r\n'
    assert table["html"].startswith("<table><thead><tr><th>Item</th>")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_has_its_table_where_a_reader_sees_it(tmp_path: Path, rotation: int) -> None:
    answer = answer_of(table_pdf(tmp_path / "table.pdf", rotation))
    boxes = {0: (100, 200, 400, 272), 90: (570, 100, 642, 400), 180: (195, 570, 495, 642), 270: (200, 195, 272, 495)}
    found = [table["bbox"] for table in answer["tables"]]
    if rotation in {0, 180}:
        assert len(found) == 1
    for bbox in found:
        assert [*bbox.values()] == pytest.approx(boxes[rotation], abs=1)


def test_csv_and_html_are_empty_unless_asked_for(tmp_path: Path) -> None:
    (table,) = answer_of(table_pdf(tmp_path / "table.pdf"))["tables"]
    assert (table["csv"], table["html"]) == ("", "")


def test_pages_that_failed_or_on_which_tables_may_be_missing_are_told() -> None:
    crowded = Page()
    crowded.reading.is_crowded = True
    readings = Readings(9, [2, 3, 4], {2: crowded.reading, 4: Page().reading}, [failures.broken(3)])
    answer = orjson.loads(describe(readings, {}))
    assert [(failure["page"], failure["reason"]) for failure in answer["failures"]] == [(2, "TOO_LARGE"), (3, "BROKEN")]
    assert answer["pages"] == 9


def test_a_page_of_100000_lines_is_answered_with_its_words_and_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "lines.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 700), "Some text that stands on the page, a sentence of it at least.")
        page.draw_line((0, 0), (1, 1))
        lines = "".join(f"{row % 590} {row // 590} m {row % 590 + 4} {row // 590} l " for row in range(100_000))
        document.update_stream(page.get_contents()[-1], f"0.1 w {lines} S".encode())
        document.save(path)
    answer = answer_of(path)
    assert answer["tables"] == []
    assert [failure["reason"] for failure in answer["failures"]] == ["TOO_LARGE"]
