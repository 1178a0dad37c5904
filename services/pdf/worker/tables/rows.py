"""Which lines of words are rows of their own, where no lines are drawn between the rows."""

from collections.abc import Sequence
from itertools import pairwise

from services.pdf.worker.tables.headers import is_number
from services.pdf.worker.tables.sheet import Placed, lines_of

_LEAST_LINES = 2
"""Lines of words in a cell that are rows, at least."""

_LEVEL = 0.35
"""By how much, of their height, the middles of lines in one row may differ."""

_PROSE = 0.85
"""The share of a cell's widest line that lines of prose fill, all but the last."""


def even_lines(cells: Sequence[Sequence[Placed]]) -> list[float]:
    """Where to cut a row of cells so that each line of words is a row: between two and more lines that all cells have.

    Empty where the cells differ in their lines, or where their lines are those of prose.
    """
    first = lines_of(cells[0])
    if len(cells) < 2 or len(first) < _LEAST_LINES:
        return []
    columns = [first]
    for cell in cells[1:]:
        lines = lines_of(cell)
        if len(lines) != len(first):
            return []
        columns.append(lines)
    for row in zip(*columns, strict=True):
        middles = [line[0].middle[1] for line in row]
        if max(middles) - min(middles) > _LEVEL * min(line[0].y1 - line[0].y0 for line in row):
            return []
    if len(first) == _LEAST_LINES and not any(_are_numbers(lines) for lines in columns):
        return []
    if all(_is_prose(lines) for lines in columns):
        return []
    tops = [min(word.y0 for line in row for word in line) for row in zip(*columns, strict=True)]
    bottoms = [max(word.y1 for line in row for word in line) for row in zip(*columns, strict=True)]
    return [(bottom + top) / 2 for bottom, top in zip(bottoms, tops[1:], strict=False)]


def _are_numbers(lines: Sequence[Sequence[Placed]]) -> bool:
    return all(is_number("".join(word.text for word in line)) for line in lines)


def _is_prose(lines: Sequence[Sequence[Placed]]) -> bool:
    widths = [line[-1].x1 - line[0].x0 for line in lines]
    return all(width >= _PROSE * max(widths) for width in widths[:-1]) and len(widths) > 1
