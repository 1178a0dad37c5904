"""Tables with lines above and below, and below the head, but none between columns."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from services.pdf.worker.tables.columns import Chunk, Column, chunks_of, columns_of, nearest, touched
from services.pdf.worker.tables.grid import Grid, Span, table_of
from services.pdf.worker.tables.prose import is_prose
from services.pdf.worker.tables.rows import Band, rows_of
from services.pdf.worker.tables.sheet import Placed, Rule, Sheet, lines_of
from services.pdf.worker.tables.table import Table

MOST_RULES = 1_000
"""Lines on a page that are looked at."""

_SAME = 4.0
"""Points by which the ends of a table's lines may differ."""

_SHORTEST = 40.0
"""Points of a table's lines, at least."""

_ONE_LINE = 3.0
"""Points between two lines that are one."""

_TABULAR = 0.5
"""The share of lines of words that have several pieces, at least."""


def half_ruled_tables(sheet: Sheet, rules: Sequence[Rule], words: Sequence[Placed]) -> list[Table]:
    """Those that `rules`, which run across and are part of no grid, and `words` make."""
    ahead = sorted((word for word in words if word.is_upright), key=lambda word: word.y0 + word.y1)
    found = []
    for group in _groups(rules[:MOST_RULES]):
        run: list[tuple[Rule, Rule, list[Placed]]] = []
        for upper, lower in pairwise(group):
            inside = _between(ahead, upper, lower)
            if _is_tabular(inside):
                run.append((upper, lower, inside))
                continue
            found += _tables(sheet, run, rules)
            run = []
        found += _tables(sheet, run, rules)
    return found


def _groups(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Lines of the same ends, from top to bottom, two or more."""
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: (rule.start, rule.end)):
        if rule.end - rule.start < _SHORTEST:
            continue
        for group in reversed(groups):
            if rule.start - group[0].start > _SAME:
                groups.append([rule])
                break
            if abs(group[0].end - rule.end) <= _SAME:
                group.append(rule)
                break
        else:
            groups.append([rule])
    for group in groups:
        group.sort()
        single = group[:1]
        single += (rule for before, rule in pairwise(group) if rule.at - before.at > _ONE_LINE)
        if len(single) > 1:
            yield single


def _between(ahead: Sequence[Placed], upper: Rule, lower: Rule) -> list[Placed]:
    """The words between two lines, of those given from top to bottom."""
    start = bisect_left(ahead, 2 * upper.at, key=lambda word: word.y0 + word.y1)
    end = bisect_left(ahead, 2 * lower.at, key=lambda word: word.y0 + word.y1)
    left, right = min(upper.start, lower.start) - _SAME, max(upper.end, lower.end) + _SAME
    return [word for word in ahead[start:end] if left <= word.middle[0] <= right]


def _is_tabular(words: Sequence[Placed]) -> bool:
    lines = [chunks_of(line) for line in lines_of(words)]
    return bool(lines) and sum(len(line) > 1 for line in lines) >= _TABULAR * len(lines)


def _tables(
    sheet: Sheet, run: Sequence[tuple[Rule, Rule, list[Placed]]], rules: Sequence[Rule]
) -> Iterator[Table]:
    """The table that neighbouring bands of words are, if they are one."""
    if not run:
        return
    lines = [chunks_of(line) for _, _, words in run for line in lines_of(words)]
    columns = columns_of(lines)
    if len(columns) < 2 or (len(run) == 1 and len(lines) < 3) or is_prose(lines, columns):
        return
    left, right = min(upper.start for upper, _, _ in run), max(upper.end for upper, _, _ in run)
    xs = [min(left, columns[0].x0), *((one.x1 + other.x0) / 2 for one, other in pairwise(columns)), max(right, columns[-1].x1)]
    ys = [run[0][0].at]
    spans: list[Span] = []
    contents: list[list[Placed]] = []
    header = 0
    for index, (upper, lower, words) in enumerate(run):
        bands = _rows(words, columns)
        if not index and len(run) > 1:
            header = len(bands)
        for row, after in zip(bands, [*bands[1:], None], strict=True):
            between = [rule for rule in rules if row.bottom - 1 < rule.at < (after.top if after else lower.at)]
            for span, inside in _cells(len(ys) - 1, row, columns, between if not index else []):
                spans.append(span)
                contents.append(inside)
            ys.append((row.bottom + after.top) / 2 if after else lower.at)
    yield table_of(sheet.page, Grid(xs, ys, spans), contents, header, is_ruled=False)


def _rows(words: Sequence[Placed], columns: Sequence[Column]) -> list[Band]:
    by_column: list[list[Placed]] = [[] for _ in columns]
    for word in words:
        by_column[nearest(word.middle[0], columns)].append(word)
    return rows_of(by_column)


def _cells(
    row: int, band: Band, columns: Sequence[Column], rules: Sequence[Rule]
) -> Iterator[tuple[Span, list[Placed]]]:
    """The cells of a row; words that reach over several columns, or a line below them that does, make one of these."""
    reach = list(range(1, len(columns) + 1))
    words = [word for cell in band.cells for word in cell]
    for chunk in (chunk for line in lines_of(words) for chunk in chunks_of(line)):
        over = touched(chunk, columns)
        if len(over) > 1:
            reach[over[0]] = max(reach[over[0]], over[-1] + 1)
    for rule in rules:
        over = touched(Chunk(rule.start, rule.end, []), columns)
        above = [number for number in over if band.cells[number]]
        if 1 < len(over) < len(columns) and len(above) == 1:
            reach[over[0]] = max(reach[over[0]], over[-1] + 1)
    column = 0
    while column < len(columns):
        end = column + 1
        while end < reach[column] or any(reach[each] > end for each in range(column, end)):
            end += 1
        inside = [word for cell in band.cells[column:end] for word in cell]
        yield Span(row, column, row + 1, end), inside
        column = end
