"""All tables of some pages."""

from collections.abc import Mapping

from services.pdf.worker.tables.half_ruled import half_ruled_tables
from services.pdf.worker.tables.ruled import ruled_tables
from services.pdf.worker.tables.sheet import Sheet, sheet_of
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading

_NEAR = 2.0
"""Points around a table in which lines and words are its own."""


def find_tables(readings: Mapping[int, Reading]) -> list[Table]:
    """The tables of the pages, by their numbers from 1, in the order of the pages and down each page."""
    found = []
    for page in readings:
        found += _of_page(sheet_of(page, readings[page]))
    return found


def _of_page(sheet: Sheet) -> list[Table]:
    found = ruled_tables(sheet)
    rules = [rule for rule in sheet.across if not any(_is_at(table, (rule.start + rule.end) / 2, rule.at) for table in found)]
    words = [word for word in sheet.words if not any(_is_at(table, *word.middle) for table in found)]
    found += half_ruled_tables(sheet, rules, words)
    return sorted(found, key=lambda table: (table.box.y0, table.box.x0))


def _is_at(table: Table, x: float, y: float) -> bool:
    box = table.box
    return box.x0 - _NEAR <= x <= box.x1 + _NEAR and box.y0 - _NEAR <= y <= box.y1 + _NEAR
