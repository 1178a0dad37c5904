"""Changes as tables for other programs: CSV, and a workbook for Excel.

Both are written here in the service. No worker is needed: nothing is parsed, and the text has come out of one.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import xlsxwriter

from services.pdf.report.listed import COLUMNS, row

_MOST_CHARACTERS = 32_767
"""Of a cell (Excel specifications and limits)."""

_WIDTHS = {"left": 50, "right": 50, "path": 40, "left address": 18, "right address": 18, "id": 14}
"""Of columns, in characters."""

_DOCUMENT = ("sha256", "pages", "pages_compared")
_SUMMARY = ("relation", "complete", "similarity", "truncated", "message", "engine", "report_id")
_COUNTS = ("changes", "derived", "uncertain", "furniture", "warnings")


def csv_file(changes: Iterable[Mapping[str, Any]]) -> bytes:
    """The changes as CSV (RFC 4180), in UTF-8 with the mark by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for change in changes:
        writer.writerow(map(_harmless, row(change)))
    return text.getvalue().encode("utf-8-sig")


def workbook(response: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> bytes:
    """The changes, and on sheets of their own the summary and the warnings, as XLSX.

    Texts are texts there, and never formulas or links. What is longer than a cell may be ends with an ellipsis.
    """
    content = io.BytesIO()
    texts_alone = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, {"in_memory": True, **texts_alone}) as book:
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("Changes")
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, 10), wrapped)
        sheet.write_row(0, 0, COLUMNS, bold)
        last = 0
        for last, change in enumerate(changes, start=1):
            sheet.write_row(last, 0, map(_fitting, row(change)))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
        _fill(book.add_worksheet("Summary"), _summary(response), bold)
        if response["warnings"]:
            said = [[each[name] for name in ("code", "address", "text", "message")] for each in response["warnings"]]
            _fill(book.add_worksheet("Warnings"), said, None)
    return content.getvalue()


def _summary(response: Mapping[str, Any]) -> list[list[Any]]:
    rows = [[name, response[name]] for name in _SUMMARY]
    rows += [[name, response["summary"][name]] for name in _COUNTS]
    for side in ("left", "right"):
        document = response[side]
        rows += [[f"{side} {name}", document[name]] for name in _DOCUMENT]
        rows += [[f"{side} page {each['page']}", each["reason"]] for each in document["unreadable"]]
    return rows


def _fill(sheet: Any, rows: Iterable[list[Any]], first: Any) -> None:
    sheet.set_column(0, 0, 24, first)
    sheet.set_column(1, 3, 70)
    for number, values in enumerate(rows):
        sheet.write_row(number, 0, map(_fitting, values))


def _fitting(value: Any) -> Any:
    return f"{value[: _MOST_CHARACTERS - 1]}…" if isinstance(value, str) and len(value) > _MOST_CHARACTERS else value


def _harmless(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
