"""PDF_TABLES: the tables of pages."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.readings import Readings
from services.pdf.worker.tables.crowded import with_crowded
from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.tables.formats import to_csv, to_html
from services.pdf.worker.tables.table import Cell, Table


def describe(readings: Readings, arguments: Mapping[str, Any]) -> bytes:
    """ExtractTablesResponse as JSON text, all fields present; `csv` and `html` are empty unless `arguments` ask."""
    return orjson.dumps(
        {
            "tables": [_table(table, arguments) for table in find_tables(readings)],
            "failures": with_crowded(readings),
            "pages": readings.page_count,
        }
    )


def _table(table: Table, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "page": table.page,
        "bbox": table.box.rectangle,
        "rows": [{"cells": [_cell(cell) for cell in row]} for row in table.rows],
        "csv": to_csv(table) if arguments.get("csv") else "",
        "header_rows": table.header_rows,
        "columns": table.columns,
        "ruled": table.is_ruled,
        "continues": [
            {"page": part.page, "bbox": part.box.rectangle, "first_row": part.row} for part in table.continues
        ],
        "html": to_html(table) if arguments.get("html") else "",
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "text": cell.text,
        "row_span": cell.row_span,
        "column_span": cell.column_span,
        "bbox": cell.box.rectangle,
        "column": cell.column,
    }
