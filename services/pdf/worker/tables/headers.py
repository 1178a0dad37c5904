"""Which rows of a table are its head."""

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.grid import LEAST_ROWS, Grid
from services.pdf.worker.tables.sheet import Placed

_MOST = 0.8
"""The share of a row that must look like a head."""

_NUMBER = re.compile(r"[-+(₩$€£¥△▲]*(?:0[xX][0-9A-Fa-f]+|\d[\d.,:/\-\u2013~()%]*[%원)]?)")


def count_header_rows(grid: Grid, contents: Sequence[Sequence[Placed]], fills: Sequence[Box]) -> int:
    """How many of the first rows are bold, or filled, or say nothing in numbers above columns of numbers.

    A cell that spans rows makes all of them one head.
    """
    height = len(grid.ys) - 1
    ends = list(range(1, height + 1))
    rows: list[list[Sequence[Placed]]] = [[] for _ in range(height)]
    for span, inside in zip(grid.spans, contents, strict=True):
        ends[span.row] = max(ends[span.row], span.row_end)
        if inside:
            rows[span.row].append(inside)
    bold = sum(1 for _ in takewhile(_is_bold, rows))
    bands = (Box(grid.xs[0], top, grid.xs[-1], bottom) for top, bottom in pairwise(grid.ys))
    filled = sum(1 for _ in takewhile(lambda band: _is_filled(band, fills), bands))
    for count in (bold, filled):
        if count and (count < height or height == 1):
            return max(ends[:count])
    if height > LEAST_ROWS and rows[0] and not any(map(_is_number, rows[0])) and _has_number_columns(grid, contents):
        return ends[0]
    return 0


def is_number(text: str) -> bool:
    """Whether a cell's text is an amount, a share, a date or the like."""
    return _NUMBER.fullmatch(text.replace(" ", "")) is not None


def _is_bold(cells: Sequence[Sequence[Placed]]) -> bool:
    words = [word.is_bold for cell in cells for word in cell if any(map(str.isalnum, word.text))]
    return bool(words) and sum(words) >= _MOST * len(words)


def _is_filled(row: Box, fills: Sequence[Box]) -> bool:
    return sum(row.common(fill).area for fill in fills) >= _MOST * row.area


def _is_number(cell: Sequence[Placed]) -> bool:
    return is_number("".join(word.text for word in cell))


def _has_number_columns(grid: Grid, contents: Sequence[Sequence[Placed]]) -> bool:
    columns: dict[int, list[bool]] = {}
    for span, inside in zip(grid.spans, contents, strict=True):
        if span.row and inside and span.column_end - span.column == 1:  # not the title of a group of rows
            columns.setdefault(span.column, []).append(_is_number(inside))
    return any(sum(each) >= _MOST * len(each) and len(each) > 1 for each in columns.values())
