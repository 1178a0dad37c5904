"""Grids of drawn lines, and the cells that they enclose.

Lines that cross form a grid. Between its lowest common lines are elementary cells; those with no line between them are
one cell, which is how a cell comes to span rows and columns. (After the lattice method of Nurminen, "Algorithmic
extraction of data in tables in PDF documents", 2013, which pdfplumber and camelot use as well; here spans follow from
lines that are missing, not from corners.)
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.sheet import Placed, Rule, text_of
from services.pdf.worker.tables.table import Cell, Table

MOST_CROSSINGS = 100_000
"""Pairs of lines on a page that are compared; a table of 10,000 cells has 10,201 crossings."""

MOST_CELLS = 20_000
"""Elementary cells of one grid."""

_REACH = 3.0
"""Points by which two lines may miss each other and still meet."""

_ONE_LINE = 3.0
"""Points within which lines are one: double lines, and the sides of neighbouring boxes."""

_OPEN = 8.0
"""Points by which lines stick out on a side without a line. Many tables are open to the left and right."""

_DRAWN = 0.6
"""The share of a cell's side along which a line must be drawn."""


_COVERED = 0.9
"""The share of a table's width that a filled head covers, at least."""

_CLOSED = 0.9
"""The share of the sides between cells that are drawn, at least."""


class Span(NamedTuple):
    """A cell of a grid: its first row and column from 0, and the first ones after it."""

    row: int
    column: int
    row_end: int
    column_end: int


LEAST_COLUMNS = 2
LEAST_ROWS = 2
"""What is less is no table."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The lines between rows and columns, and the cells."""

    xs: list[float]
    """Places of the lines that run down, from left to right; at least two."""

    ys: list[float]
    spans: list[Span]
    """The cells, by rows and then by columns; they cover the grid and do not overlap."""

    is_open_above: bool = False
    """Whether no line is drawn above its first row, though lines run down from there; `is_open_below` likewise."""

    is_open_below: bool = False

    @property
    def columns(self) -> int:
        """How many columns it has."""
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.ys) - 1

    @property
    def box(self) -> Box:
        """Around the grid."""
        return Box(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])

    def box_of(self, span: Span) -> Box:
        """That of a cell."""
        return Box(self.xs[span.column], self.ys[span.row], self.xs[span.column_end], self.ys[span.row_end])


def table_of(
    page: int, grid: Grid, contents: Sequence[Sequence[Placed]], header_rows: int, *, is_ruled: bool = True
) -> Table:
    """The table that a grid is, with the words of each of its cells."""
    rows: list[list[Cell]] = [[] for _ in grid.ys[1:]]
    for span, inside in zip(grid.spans, contents, strict=True):
        row_span, column_span = span.row_end - span.row, span.column_end - span.column
        cell = Cell(text_of(inside) if inside else "", row_span, column_span, grid.box_of(span), span.column)
        rows[span.row].append(cell)
    return Table(page, grid.box, len(grid.xs) - 1, header_rows, rows, is_ruled)


def grids(groups: Iterable[tuple[list[Rule], list[Rule]]]) -> Iterator[Grid]:
    """The grids that groups of crossing rules form."""
    for rows, columns in groups:
        ys, xs = _places(rows), _places(columns)
        is_open_aside = any(_add_open_sides(xs, rows))
        is_open_above, is_open_below = _add_open_sides(ys, columns)
        if not 0 < (len(xs) - 1) * (len(ys) - 1) <= MOST_CELLS:
            continue
        if is_open_aside and is_open_above and is_open_below:
            continue  # the axes of a chart
        grid = _enclosed(xs, ys, rows, columns)
        if grid is not None:
            yield replace(grid, is_open_above=is_open_above, is_open_below=is_open_below)


def crossing(across: Sequence[Rule], upright: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """The rules, given from top to bottom and from left to right, in groups that hang together; others are left out."""
    parent = list(range(len(across) + len(upright)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for index, number in _meetings(across, upright):
        parent[root(index)] = root(len(across) + number)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for node, rule in enumerate((*across, *upright)):
        groups.setdefault(root(node), ([], []))[node >= len(across)].append(rule)
    return [group for group in groups.values() if all(group)]


def with_filled_head(group: tuple[list[Rule], list[Rule]], fills: Sequence[Box]) -> tuple[list[Rule], list[Rule]]:
    """The group with the edges of filled boxes that stand upon it and cover its width: a head without lines."""
    rows, columns = group
    top = min(*(rule.at for rule in rows), *(rule.start for rule in columns))
    left, right = min(rule.start for rule in rows), max(rule.end for rule in rows)
    head = [
        fill
        for fill in fills
        if abs(fill.y1 - top) <= _ONE_LINE
        and fill.y0 < top - _OPEN
        and left - _ONE_LINE <= fill.x0
        and fill.x1 <= right + _ONE_LINE
    ]
    if sum(fill.x1 - fill.x0 for fill in head) < _COVERED * (right - left):
        return group
    rows = [*rows, *(Rule(y, fill.x0, fill.x1) for fill in head for y in (fill.y0, fill.y1))]
    return rows, [*columns, *(Rule(x, fill.y0, fill.y1) for fill in head for x in (fill.x0, fill.x1))]


def _meetings(across: Sequence[Rule], upright: Sequence[Rule]) -> Iterator[tuple[int, int]]:
    """The numbers of two rules that meet."""
    heights = [rule.at for rule in across]
    left = MOST_CROSSINGS
    for number, (x, start, end) in enumerate(upright):
        first, last = bisect_left(heights, start - _REACH), bisect_right(heights, end + _REACH)
        left -= last - first
        if left < 0:
            return
        for index in range(first, last):
            if across[index].start - _REACH <= x <= across[index].end + _REACH:
                yield index, number


def _places(rules: Iterable[Rule]) -> list[float]:
    """Where lines are, those that are nearly one as one."""
    places: list[list[float]] = []
    for at in sorted(rule.at for rule in rules):
        if places and at - places[-1][0] <= _ONE_LINE:
            places[-1].append(at)
        else:
            places.append([at])
    return [(each[0] + each[-1]) / 2 for each in places]


def _add_open_sides(places: list[float], crossing: Iterable[Rule]) -> tuple[bool, bool]:
    """Adds the edges at which two or more crossing lines end beyond the outermost line; says whether it did."""
    rules = list(crossing)
    starts = sorted(rule.start for rule in rules if rule.start < places[0] - _OPEN)
    ends = sorted(rule.end for rule in rules if rule.end > places[-1] + _OPEN)
    is_open_before, is_open_after = len(starts) > 1, len(ends) > 1
    if is_open_before:
        places.insert(0, starts[0])
    if is_open_after:
        places.append(ends[-1])
    return is_open_before, is_open_after


def _enclosed(xs: list[float], ys: list[float], rows: Sequence[Rule], columns: Sequence[Rule]) -> Grid | None:
    """The grid of these lines; None if too many of its cells are not closed, as in trees and diagrams."""
    is_line_across = _drawn(ys, xs, rows)
    is_line_down = _drawn(xs, ys, columns)
    height, width = len(ys) - 1, len(xs) - 1
    owner = [[-1] * width for _ in range(height)]
    spans: list[Span] = []
    sides = drawn = 0
    for row in range(height):
        for column in range(width):
            if owner[row][column] < 0:
                span = _grown(Span(row, column, row + 1, column + 1), owner, is_line_across, is_line_down)
                for each in range(span.row, span.row_end):
                    owner[each][span.column : span.column_end] = [len(spans)] * (span.column_end - span.column)
                spans.append(span)
                inner = [
                    is_line_across[end][span.column : span.column_end]
                    for end in (span.row, span.row_end)
                    if 0 < end < height
                ]
                inner += (
                    [is_line_down[end][each] for each in range(span.row, span.row_end)]
                    for end in (span.column, span.column_end)
                    if 0 < end < width
                )
                sides += sum(map(len, inner))
                drawn += sum(map(sum, inner))
    if drawn < _CLOSED * sides:
        return None
    return _without_idle_lines(xs, ys, spans)


def _drawn(places: Sequence[float], between: Sequence[float], rules: Sequence[Rule]) -> list[list[bool]]:
    """For each line by its place, along which of the gaps of the lines that cross it it is drawn."""
    covered = [[0.0] * (len(between) - 1) for _ in places]
    middles = [(one + other) / 2 for one, other in pairwise(places)]
    for rule in rules:
        row = covered[bisect_left(middles, rule.at)]
        first = max(bisect_right(between, rule.start) - 1, 0)
        for index in range(first, len(between) - 1):
            if between[index] >= rule.end:
                break
            row[index] += min(rule.end, between[index + 1]) - max(rule.start, between[index])
    return [
        [length >= _DRAWN * (end - start) for length, (start, end) in zip(row, pairwise(between), strict=True)]
        for row in covered
    ]


def _grown(
    span: Span,
    owner: Sequence[Sequence[int]],
    is_line_across: Sequence[Sequence[bool]],
    is_line_down: Sequence[Sequence[bool]],
) -> Span:
    """The largest rectangle from a cell to the right and down that no line cuts and that no other cell has part of."""
    row, column, row_end, column_end = span
    height, width = len(owner), len(owner[0])
    while column_end < width and owner[row][column_end] < 0 and not is_line_down[column_end][row]:
        column_end += 1
    while row_end < height and all(
        owner[row_end][each] < 0 and not is_line_across[row_end][each] for each in range(column, column_end)
    ):
        if any(is_line_down[each][row_end] for each in range(column + 1, column_end)):
            break
        row_end += 1
    return Span(row, column, row_end, column_end)


def _without_idle_lines(xs: list[float], ys: list[float], spans: list[Span]) -> Grid:
    """The grid without lines at which no cell begins; where a cell ends another begins."""
    rows, columns = sorted({span.row for span in spans}), sorted({span.column for span in spans})
    row_of = {row: index for index, row in enumerate([*rows, len(ys) - 1])}
    column_of = {column: index for index, column in enumerate([*columns, len(xs) - 1])}

    kept = [
        Span(row_of[each.row], column_of[each.column], row_of[each.row_end], column_of[each.column_end])
        for each in spans
    ]
    return Grid([xs[each] for each in (*columns, len(xs) - 1)], [ys[each] for each in (*rows, len(ys) - 1)], kept)
