"""All tables of some pages."""

from collections.abc import Iterable, Mapping, Sequence

from services.pdf.worker.tables.continued import Joiner
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.furniture import without_furniture
from services.pdf.worker.tables.grid import crossing, with_filled_head
from services.pdf.worker.tables.half_ruled import half_ruled_tables
from services.pdf.worker.tables.ruled import ruled_tables
from services.pdf.worker.tables.sheet import Placed, Sheet, may_line_up, sheet_of
from services.pdf.worker.tables.table import Table
from services.pdf.worker.tables.unruled import unruled_tables
from services.pdf.worker.words import Reading

_NEAR = 2.0
"""Points around a table in which lines and words are its own."""


def find_tables(readings: Mapping[int, Reading]) -> list[Table]:
    """The tables of the pages, by their numbers from 1, in the order of the pages and down each page."""
    sheets = {
        page: sheet_of(page, readings[page]) for page in readings if readings[page].rules or may_line_up(readings[page])
    }
    fragments = [fragment for page in sorted(sheets) for fragment in _of_page(sheets[page])]
    near = {fragment.table.page + step for fragment in fragments for step in (0, 1)}
    sheets = {page: sheets.get(page) or sheet_of(page, readings[page]) for page in readings if page in near}
    tables = Joiner(sheets, without_furniture(sheets)).joined(fragments)
    return sorted(tables, key=lambda table: (table.page, table.box.y0, table.box.x0))


def _of_page(sheet: Sheet) -> list[Fragment]:
    groups = crossing(sheet.across, sheet.upright)
    found = ruled_tables(sheet, [with_filled_head(group, sheet.fills) for group in groups])
    crossed = {rule for rows, _ in groups for rule in rows}
    rules = [
        rule for rule in sheet.across if rule not in crossed and _is_free((rule.start + rule.end) / 2, rule.at, found)
    ]
    found += half_ruled_tables(sheet, rules, _left(sheet.words, found))
    if sheet.may_line_up:
        found += unruled_tables(sheet, _left(sheet.words, found))
    return found


def _left(words: Sequence[Placed], found: Sequence[Fragment]) -> Sequence[Placed]:
    """The words that are not in a table yet."""
    return [word for word in words if _is_free(*word.middle, found)] if found else words


def _is_free(x: float, y: float, found: Iterable[Fragment]) -> bool:
    boxes = (each.table.box for each in found)
    return not any(box.x0 - _NEAR <= x <= box.x1 + _NEAR and box.y0 - _NEAR <= y <= box.y1 + _NEAR for box in boxes)
