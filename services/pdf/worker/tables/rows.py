"""Which lines of words are rows of their own, where no lines are drawn between the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.pdf.worker.tables.grid import LEAST_COLUMNS, MOST_CELLS
from services.pdf.worker.tables.headers import is_number
from services.pdf.worker.tables.sheet import Placed, lines_of

_LEAST_LINES = 2
"""Lines of words in a cell that are rows, at least."""

_EVEN = 0.8
"""The share of the lines that each cell has, at least."""

_PROSE = 0.85
"""The share of a cell's widest line that lines of prose fill, all but the last."""

_WIDER = 1.15
"""How many times the distance of lines in a cell the distance of rows is, at least."""

_FAR = 1.9
"""The same, at most."""

_SHARED = 0.3
"""The share of the lower of two cells' height that they have in common if they are in one row."""


def even_lines(cells: Sequence[Sequence[Placed]]) -> list[float]:
    """Where to cut a row of cells so that each line of words is a row: between two and more lines that all cells have.

    Empty where the cells differ in their lines, but for a few, or where their lines are those of prose.
    """
    if not all(cells):
        return []
    columns = [lines_of(cell) for cell in cells]
    if max(map(len, columns)) < _LEAST_LINES or sum(map(len, columns)) * len(columns) > MOST_CELLS:
        return []
    rows = _overlapping(_blocks(columns, 0.0))
    lines = sum(map(len, columns))
    is_even = all(len(each) >= _EVEN * len(rows) for each in columns)
    if not is_even or lines > sum(bool(cell) for row in rows for cell in row.cells):
        return []
    if len(rows) == _LEAST_LINES and not any(map(_are_numbers, columns)):
        return []
    if all(map(_is_prose, columns)):
        return []
    return [(row.bottom + after.top) / 2 for row, after in pairwise(rows)]


@dataclass(slots=True)
class Row:
    """A row: from where to where its words reach, and those of each column."""

    top: float
    bottom: float
    cells: list[list[Placed]]

    def add(self, other: "Row") -> None:
        """Takes the words of another one, column by column."""
        self.cells = [mine + theirs for mine, theirs in zip(self.cells, other.cells, strict=True)]


def rows_of(columns: Sequence[Sequence[Placed]]) -> list[Row]:
    """Rows from the words of each column, from top to bottom.

    Lines of one cell are nearer to each other than rows are; where all are equally near, a line without anything in
    the first column goes on with the row before, unless it is full.
    """
    lines = [lines_of(column) for column in columns]
    limit = _limit(lines)
    if limit:
        rows = _overlapping(_blocks(lines, limit))
        if not _are_rows(rows):
            return rows
    return _with_ends(_overlapping(_blocks(lines, 0.0)))


def _limit(columns: Sequence[Sequence[Sequence[Placed]]]) -> float:
    """How far apart, in points, lines of one cell are at most; 0 if nothing tells them from rows."""
    steps = sorted(after[0].middle[1] - line[0].middle[1] for lines in columns for line, after in pairwise(lines))
    for step, wider in pairwise(steps):
        if wider > _FAR * steps[0]:
            break  # from one cell to another, with empty ones between
        if wider > _WIDER * step:
            return (step + wider) / 2
    return 0.0


def _blocks(columns: Sequence[Sequence[Sequence[Placed]]], limit: float) -> list[Row]:
    """Lines of one column that are nearer than the limit together, and the others alone; numbers are never joined."""
    found: list[Row] = []
    for number, lines in enumerate(columns):
        last: Sequence[Placed] = ()
        for line in lines:
            top, bottom = min(word.y0 for word in line), max(word.y1 for word in line)
            near = last and line[0].middle[1] - last[0].middle[1] < limit
            if near and not (_are_numbers([line]) and _are_numbers([last])):
                found[-1].bottom = bottom
                found[-1].cells[number] += line
            else:
                cells: list[list[Placed]] = [[] for _ in columns]
                cells[number] = list(line)
                found.append(Row(top, bottom, cells))
            last = line
    return found


def _overlapping(blocks: Sequence[Row]) -> list[Row]:
    """Blocks of several columns that stand beside each other, together."""
    rows: list[Row] = []
    for block in sorted(blocks, key=lambda block: block.top + block.bottom):
        row = rows[-1] if rows else None
        shared = min(row.bottom, block.bottom) - max(row.top, block.top) if row else 0.0
        if row and shared > _SHARED * min(row.bottom - row.top, block.bottom - block.top):
            row.top, row.bottom = min(row.top, block.top), max(row.bottom, block.bottom)
            row.add(block)
        else:
            rows.append(block)
    return rows


def _are_rows(rows: Sequence[Row]) -> bool:
    """Whether what was joined is rows: in most of it, all cells have the same lines."""
    joined = [counts for row in rows if max(counts := [len(lines_of(cell)) for cell in row.cells if cell]) > 1]
    return sum(min(counts) == max(counts) and len(counts) > 1 for counts in joined) > len(joined) / 2


def _with_ends(rows: Sequence[Row]) -> list[Row]:
    """The rows, those joined to the one before that only go on with its text."""
    found: list[Row] = []
    has_first = sum(bool(row.cells[0]) for row in rows) * 2 > len(rows)
    for row in rows:
        if found and has_first and _goes_on(found[-1], row):
            found[-1].bottom = row.bottom
            found[-1].add(row)
        else:
            found.append(row)
    return found


def _goes_on(before: Row, row: Row) -> bool:
    filled = [bool(cell) for cell in row.cells]
    if filled[0] or (all(filled[1:]) and len(filled) > LEAST_COLUMNS):
        return False
    numbers = any(_are_numbers([cell]) for cell in row.cells if cell)
    return not numbers and all(there for there, here in zip(before.cells, filled, strict=True) if here)


def _are_numbers(lines: Sequence[Sequence[Placed]]) -> bool:
    return all(is_number("".join(word.text for word in line)) for line in lines)


def _is_prose(lines: Sequence[Sequence[Placed]]) -> bool:
    widths = [line[-1].x1 - line[0].x0 for line in lines]
    return all(width >= _PROSE * max(widths) for width in widths[:-1]) and len(widths) > 1
