"""Changes as tables for other programs."""

import csv
import io
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papermesh.document.v1.report_pb2 import ReportFilter
from services.pdf.report.listed import COLUMNS, listed
from services.pdf.report.tables import csv_file, workbook
from tests.services.pdf.report.comparisons import change, comparison, gap, side

CHANGES = [
    change(1, "modify", side("15일", 1), side("20일", 2)),
    change(2, "delete", side("옛 문장", 1), gap(2), kind="note"),
    change(3, "modify", side("제7조", 1), side("제8조", 1), derived=True, cause="c-0001"),
    change(4, "insert", gap(1), side("새 문장", 3), uncertain=True),
]


def sheet(response: dict[str, Any], name: str = "Changes") -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(workbook(response, response["changes"])))
    return [[cell.value for cell in row] for row in book[name].iter_rows()]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({}, [1, 2, 3, 4]),
        ({"op": ["modify"]}, [1, 3]),
        ({"op": ["modify", "delete"], "kind": ["note"]}, [2]),
        ({"derived": False}, [1, 2, 4]),
        ({"derived": True}, [3]),
        ({"uncertain": False, "derived": False}, [1, 2]),
    ],
)
def test_a_filter_keeps_what_it_names(wanted: dict[str, Any], kept: list[int]) -> None:
    assert [each["n"] for each in listed(CHANGES, ReportFilter(**wanted))] == kept


def test_a_workbook_has_a_row_a_change_and_the_summary() -> None:
    response = comparison(*CHANGES)
    head, *rows = sheet(response)
    assert tuple(head) == COLUMNS
    first = dict(zip(head, rows[0], strict=True))
    assert (first["left"], first["left page"], first["right"], first["right page"]) == ("15일", 1, "20일", 2)
    assert (first["path"], first["derived"]) == ("제1장 총칙 > 제1조", False)
    assert ["left sha256", "a" * 64] in sheet(response, "Summary")
    assert dict(zip(head, rows[1], strict=True))["right page"] == 2, "where it is missing"


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "-2", "http://example.org", "1e5"])
def test_a_text_is_neither_a_formula_nor_a_link_nor_a_number(text: str) -> None:
    response = comparison(change(1, "insert", gap(1), side(text, 1)))
    book = openpyxl.load_workbook(io.BytesIO(workbook(response, response["changes"])))
    cell = book["Changes"].cell(2, COLUMNS.index("right") + 1)
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)
    [row] = csv.DictReader(io.StringIO(csv_file(response["changes"]).decode("utf-8-sig")))
    assert row["right"] in {text, f"'{text}"}
    assert row["right"][0] not in "=+-@"


def test_a_text_longer_than_a_cell_ends_with_an_ellipsis() -> None:
    [_, row] = sheet(comparison(change(1, "insert", gap(1), side("가" * 40_000, 1))))
    said = row[COLUMNS.index("right")]
    assert (len(said), said[-1]) == (32_767, "…")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50))
def test_every_text_makes_files_that_open(text: str) -> None:
    changes = [change(1, "insert", gap(1), side(text, 1))]
    assert len(sheet(comparison(*changes))) == 2
    file = io.StringIO(csv_file(changes).decode("utf-8-sig"), newline="")
    [row] = csv.DictReader(file)
    assert row["right"] in {text, f"'{text}"}
