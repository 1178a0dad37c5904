"""Tables of which no lines are drawn at all, and those with lines above and below only: by how their words line up.

What lines up may also be a list, a table of contents, text in columns or a formula, so that much is asked for.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.columns import Chunk, Column, chunks_of
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.grid import LEAST_COLUMNS
from services.pdf.worker.tables.headers import is_number
from services.pdf.worker.tables.loose import Band, columns_in, loose_table
from services.pdf.worker.tables.runs import Line, line_of, run_of, words_of
from services.pdf.worker.tables.sheet import Placed, Sheet, lines_of

_LEAST_ROWS = 3
_LEAST_NUMBERED_ROWS = 4
"""Rows of a table with two columns, one of them of numbers."""

_FILLED = 0.75
"""The share of its cells with words, at least."""

_ALIGNED = 0.8
"""The share of a column's cells that begin, end or are centered at one place, at least."""

_OFF = 2.0
"""Points by which they may be off."""

_NUMBERS = 0.8
"""The share of a column's cells that are numbers if it is one of numbers."""

_SHORT = 30
"""Characters of a cell, in the middle; sentences are longer."""

_WIDE = 100.0
"""Points of the shortest line that may be in a table."""

_BEYOND = 2.0
"""Points inside its edges that a line running down is, at least, if it is drawn within it."""

_MOST_PAGES = 2_000
"""Numbers up to here may be those of pages."""

_MARKER = re.compile(r"[•◦▪‣·○●□■▶►\-\u2013—*]|\(?[0-9A-Za-z가-힣ivx]{1,4}[.)]|[①-⑳⑴-⒇㉠-㉻]|\[\d+\]")
_LEADER = re.compile(r"[.·\u2024…‥ ]{3,}|(?:\. ?){3,}")


def unruled_tables(sheet: Sheet, words: Sequence[Placed]) -> Iterator[Fragment]:
    """Those that words outside of other tables make."""
    lines = [chunks_of(line) for line in lines_of([word for word in words if word.is_upright])]
    begin = 0
    while begin < len(lines):
        if len(lines[begin]) < LEAST_COLUMNS:
            begin += 1
            continue
        run = run_of((line_of(lines[at]) for at in range(begin, len(lines))), sheet.width)
        if len(run) >= _LEAST_ROWS and (found := _table(sheet, run)):
            yield found
        begin += max(len(run), 1)


def lines_up(fragment: Fragment) -> bool:
    """Whether the cells stand as in a table: mostly filled, short, and neither a list nor contents."""
    table = fragment.table
    cells = [cell for row in table.rows for cell in row if cell.text]
    if len(cells) < _FILLED * len(table.rows) * table.columns or any(cell.column_span > 1 for cell in cells):
        return False
    if median(len(cell.text) for cell in cells) > _SHORT:
        return False
    columns = [[cell for cell in cells if cell.column == column] for column in range(table.columns)]
    texts = [[cell.text for cell in column] for column in columns]
    numbers = [sum(map(is_number, each)) >= _NUMBERS * (len(each) - 1) and len(each) > 1 for each in texts]
    if table.columns == LEAST_COLUMNS and not (any(numbers) and len(table.rows) >= _LEAST_NUMBERED_ROWS):
        return False
    return len(table.rows) >= _LEAST_ROWS and not _is_list(texts) and not _is_contents(texts)


def _table(sheet: Sheet, run: Sequence[Line]) -> Fragment | None:
    band = Band(run[0].top, run[-1].bottom, words_of(run))
    left, right = min(line.chunks[0].x0 for line in run), max(line.chunks[-1].x1 for line in run)
    if right - left < _WIDE or _has_lines(sheet, Box(left, band.top, right, band.bottom)):
        return None
    columns = columns_in([line.chunks for line in run])  # most runs end here: before there are cells
    if not columns or not _is_aligned(run[1:], columns):
        return None
    found = loose_table(sheet.page, [band], edges=(left, right), has_head=False)
    if found is None or not lines_up(found):
        return None
    found.is_open = True
    return found


def _has_lines(sheet: Sheet, box: Box) -> bool:
    """Whether lines run down within it: words around the boxes of a drawing are no table."""
    return any(
        box.x0 + _BEYOND < rule.at < box.x1 - _BEYOND and rule.start < box.y1 and rule.end > box.y0
        for rule in sheet.upright
    )


def _is_aligned(run: Sequence[Line], columns: Sequence[Column]) -> bool:
    """Whether in each column, below its head, most pieces begin, end or are centered at the same place."""
    between = [(one.x1 + other.x0) / 2 for one, other in pairwise(columns)]
    members: list[list[Chunk]] = [[] for _ in columns]
    for chunk in (chunk for line in run for chunk in line.chunks):
        members[bisect_right(between, (chunk.x0 + chunk.x1) / 2)].append(chunk)
    return all(
        any(
            _are_close(places)
            for places in (
                [chunk.x0 for chunk in column],
                [chunk.x1 for chunk in column],
                [(chunk.x0 + chunk.x1) / 2 for chunk in column],
            )
        )
        for column in members
        if column
    )


def _are_close(places: Sequence[float]) -> bool:
    middle = median(places)
    return sum(abs(place - middle) < _OFF for place in places) >= _ALIGNED * len(places)


def _is_list(columns: Sequence[Sequence[str]]) -> bool:
    return all(_MARKER.fullmatch(text) for text in columns[0]) and len(columns) == LEAST_COLUMNS


def _is_contents(columns: Sequence[Sequence[str]]) -> bool:
    """Whether dots lead to numbers, or the last column is of numbers that never fall, as pages do behind headings."""
    if any(_LEADER.search(text) for column in columns for text in column):
        return True
    last = [text for text in columns[-1] if text.isdecimal()]
    pages = [int(text) for text in last]
    return len(last) == len(columns[-1]) and pages == sorted(pages) and pages[-1] > pages[0] and pages[-1] < _MOST_PAGES
