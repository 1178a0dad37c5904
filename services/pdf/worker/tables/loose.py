"""Tables without lines between their columns, made of the words in bands of a page."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.pdf.worker.tables.columns import Chunk, Column, chunks_of, columns_of, nearest, touched
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.grid import LEAST_COLUMNS, MOST_CELLS, Grid, Span, table_of
from services.pdf.worker.tables.headers import count_header_rows
from services.pdf.worker.tables.prose import is_prose
from services.pdf.worker.tables.rows import Row, rows_of
from services.pdf.worker.tables.sheet import Placed, Rule, lines_of


class Band(NamedTuple):
    """What stands between two lines that are drawn across, or without one of them."""

    top: float
    bottom: float
    words: list[Placed]


def loose_table(
    page: int,
    bands: Sequence[Band],
    *,
    edges: tuple[float, float],
    has_head: bool,
    rules: Sequence[Rule] = (),
    columns: Sequence[Column] = (),
) -> Fragment | None:
    """The table in neighbouring bands; None if its words make no columns, or are prose.

    Args:
        page: Its number.
        bands: From top to bottom, at least one.
        edges: The left and right end of the table's lines, or of its words.
        has_head: Whether the first band is the head.
        rules: Lines that run across. Those within the head bind the columns that they are drawn under.
        columns: Those of the part that this goes on with, if it does.
    """
    columns = columns_in([chunks_of(line) for band in bands for line in lines_of(band.words)], columns)
    if not columns:
        return None
    left, right = min(edges[0], columns[0].x0), max(edges[1], columns[-1].x1)
    xs = [left, *((one.x1 + other.x0) / 2 for one, other in pairwise(columns)), right]
    ys = [bands[0].top]
    spans: list[Span] = []
    contents: list[list[Placed]] = []
    header_rows = 0
    for band in bands:
        rows = _rows(band.words, columns)
        is_head = has_head and band is bands[0]
        header_rows += len(rows) if is_head else 0
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            below = after.top if after else band.bottom
            within = [rule for rule in rules if row.bottom - 1 < rule.at < below] if is_head and after else []
            for span, inside in _cells(len(ys) - 1, row, columns, within):
                spans.append(span)
                contents.append(inside)
            ys.append((row.bottom + after.top) / 2 if after else band.bottom)
    grid = Grid(xs, ys, spans)
    header_rows = header_rows or count_header_rows(grid, contents, ())
    return Fragment(table_of(page, grid, contents, header_rows, is_ruled=False), grid, list(columns))


def columns_in(lines: Sequence[Sequence[Chunk]], known: Sequence[Column] = ()) -> list[Column]:
    """The columns of a table that has these lines; none if they make no columns, or are prose.

    `known` are those of the part that this goes on with, if it does.
    """
    columns = _widened(known or columns_of(lines), lines, is_part=bool(known))
    if len(columns) < LEAST_COLUMNS or len(lines) * len(columns) > MOST_CELLS or is_prose(lines, columns):
        return []
    return columns


def _widened(columns: Sequence[Column], lines: Sequence[Sequence[Chunk]], *, is_part: bool) -> list[Column]:
    """The columns with what reaches into one of them alone and into the room beside it.

    With `is_part` also with what is next to one: the columns are those of another part.
    """
    found = list(columns)
    for chunk in (chunk for line in lines for chunk in line):
        over = touched(chunk, columns)
        if not over and is_part:
            over = [nearest((chunk.x0 + chunk.x1) / 2, columns)]
        if len(over) == 1:
            at = over[0]
            left = found[at - 1].x1 if at else float("-inf")
            right = found[at + 1].x0 if at + 1 < len(found) else float("inf")
            own = Column(min(found[at].x0, chunk.x0), max(found[at].x1, chunk.x1))
            if left < own.x0 and own.x1 < right:
                found[at] = own
    return found


def _rows(words: Sequence[Placed], columns: Sequence[Column]) -> list[Row]:
    by_column: list[list[Placed]] = [[] for _ in columns]
    for chunk in (chunk for line in lines_of(words) for chunk in chunks_of(line)):
        over = touched(chunk, columns) or _beside(chunk, columns) or [nearest((chunk.x0 + chunk.x1) / 2, columns)]
        by_column[over[0]] += chunk.words
    return rows_of(by_column)


def _cells(
    number: int, row: Row, columns: Sequence[Column], rules: Sequence[Rule]
) -> Iterator[tuple[Span, list[Placed]]]:
    """The cells of a row; words that reach over several columns, or a line below them that does, make one of these."""
    reach = list(range(1, len(columns) + 1))
    words = [word for cell in row.cells for word in cell]
    for chunk in (chunk for line in lines_of(words) for chunk in chunks_of(line)):
        over = touched(chunk, columns) or _beside(chunk, columns)
        if len(over) > 1:
            reach[over[0]] = max(reach[over[0]], over[-1] + 1)
    for rule in rules:
        over = touched(Chunk(rule.start, rule.end, []), columns)
        heads = [_middle(row.cells[each]) for each in over if row.cells[each]]
        if 1 < len(over) < len(columns) and heads:
            nearest_head = [min(heads, key=lambda x: abs(x - sum(columns[each]) / 2)) for each in over]
            for head in heads:
                own = [each for each, its in zip(over, nearest_head, strict=True) if its == head]
                reach[own[0]] = max(reach[own[0]], own[-1] + 1)
    column = 0
    while column < len(columns):
        end = reach[column]
        while (further := max(reach[column:end])) > end:
            end = further
        yield Span(number, column, number + 1, end), [word for cell in row.cells[column:end] for word in cell]
        column = end


def _middle(words: Sequence[Placed]) -> float:
    return (min(word.x0 for word in words) + max(word.x1 for word in words)) / 2


def _beside(chunk: Chunk, columns: Sequence[Column]) -> list[int]:
    """The columns between which a piece stands, as a head of both does; none where it is outside of all."""
    after = sum(column.x1 <= chunk.x0 + 1 for column in columns)
    return [after - 1, after] if 0 < after < len(columns) else []
