"""Text in columns that is no table."""

from collections.abc import Sequence
from statistics import median

from services.pdf.worker.tables.columns import Chunk, Column, touched

_FULL = 0.8
"""The share of its column's width that a line of prose fills."""

_MOSTLY = 0.5
"""The share of a column's lines that are full if it is prose."""

_WIDE = 12.0
"""Sizes of its letters that a column of prose is wide, at least."""

_LEAST_LINES = 4


def is_prose(lines: Sequence[Sequence[Chunk]], columns: Sequence[Column]) -> bool:
    """Whether most columns are wide and most of their lines fill them, as in text that is set in columns."""
    widths: list[list[float]] = [[] for _ in columns]
    sizes = []
    for chunk in (chunk for line in lines for chunk in line):
        over = touched(chunk, columns)
        if len(over) == 1:
            widths[over[0]].append(chunk.x1 - chunk.x0)
            sizes.append(chunk.words[0].size)
    if not sizes or len(lines) < _LEAST_LINES:
        return False
    size = median(sizes)
    prose = [
        column.x1 - column.x0 > _WIDE * size
        and sum(width > _FULL * (column.x1 - column.x0) for width in found) >= _MOSTLY * len(found)
        for column, found in zip(columns, widths, strict=True)
    ]
    return 2 * sum(prose) > len(columns)
