"""Tables whose cells have lines between them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from operator import itemgetter

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.grid import LEAST_COLUMNS, LEAST_ROWS, Grid, Span, grids, table_of
from services.pdf.worker.tables.headers import count_header_rows
from services.pdf.worker.tables.rows import even_lines
from services.pdf.worker.tables.sheet import Placed, Rule, Sheet

MOST_GRIDS = 100
"""Grids of a page that are looked at, the largest."""

_NEAR = 1.5
"""Points by which a word may reach over the lines around it."""

_OVER = 0.35
"""The same for heights, in heights of the word, which has room above its letters and below."""

_INSIDE = 0.8
"""The share of the words that do not reach over lines, at least."""

_FILLED = 0.5
"""The share of cells with words, at least. The squares of a chart are empty."""

_LEAST_FILLED = 3
"""Cells with words, at least."""

_HEAD = 0.8
"""The same for the first row or column alone, of a table that is mostly empty."""

_FRAME = 0.4
"""The share of a page's area that a table of four cells has, at most: larger ones are frames around its parts."""

_LEAST_SIDE = 4.0
"""Points across a row or a column, at least, if it has no words: less is between double lines."""


def ruled_tables(sheet: Sheet, groups: Iterable[tuple[list[Rule], list[Rule]]]) -> list[Fragment]:
    """Those that groups of crossing rules are, single rows included. A word belongs to the smallest table around it."""
    found: list[Fragment] = []
    left = sheet.words
    for grid in sorted(grids(groups), key=lambda grid: grid.box.area)[-MOST_GRIDS:]:
        box = grid.box
        inside = [word for word in left if _holds(box, word)]
        table = _table(sheet, grid, inside)
        if table is not None:
            found.append(table)
            taken = set(map(id, inside))
            left = [word for word in left if id(word) not in taken]
    return found


def _holds(box: Box, word: Placed) -> bool:
    x, y = word.middle
    return box.x0 - _NEAR <= x <= box.x1 + _NEAR and box.y0 - _NEAR <= y <= box.y1 + _NEAR


def _table(sheet: Sheet, grid: Grid, words: Sequence[Placed]) -> Fragment | None:
    """The table that a grid is; None if it is a frame, a chart or something else."""
    is_open_above, is_open_below = grid.is_open_above, grid.is_open_below
    grid, contents = _without_slits(grid, _contents(grid, words))
    if grid.columns < LEAST_COLUMNS or grid.rows < 1:
        return None
    grid, contents = _split(grid, contents)
    if not _is_table(grid, contents) or _is_frame(grid, sheet):
        return None
    grid = replace(grid, is_open_above=is_open_above, is_open_below=is_open_below)
    table = table_of(sheet.page, grid, contents, count_header_rows(grid, contents, sheet.fills))
    return Fragment(table, grid, is_weak=grid.rows < LEAST_ROWS)


def _contents(grid: Grid, words: Iterable[Placed]) -> list[list[Placed]]:
    """The words of each cell."""
    height, width = len(grid.ys) - 1, len(grid.xs) - 1
    owner = [[0] * width for _ in range(height)]
    for number, span in enumerate(grid.spans):
        for row in range(span.row, span.row_end):
            owner[row][span.column : span.column_end] = [number] * (span.column_end - span.column)
    contents: list[list[Placed]] = [[] for _ in grid.spans]
    for word in words:
        x, y = word.middle
        row = min(max(bisect_right(grid.ys, y) - 1, 0), height - 1)
        column = min(max(bisect_right(grid.xs, x) - 1, 0), width - 1)
        contents[owner[row][column]].append(word)
    return contents


def _is_table(grid: Grid, contents: Sequence[Sequence[Placed]]) -> bool:
    """Whether words stand in its cells as they do in a table, and not on its lines or here and there as in a chart."""
    if sum(map(len, contents)) * _INSIDE > sum(
        _fits(word, grid.box_of(span)) for span, inside in zip(grid.spans, contents, strict=True) for word in inside
    ):
        return False
    filled = list(_filled(grid, contents))
    if grid.rows < LEAST_ROWS:
        return len(filled) >= LEAST_COLUMNS  # perhaps the first or last row of a table that goes on
    if min(len({span.row for span in filled}), len({span.column for span in filled})) <= 1:
        return sum(span.row == 0 for span in filled) == sum(span.row == 0 for span in grid.spans) > 1  # a blank form
    if len(filled) >= max(_FILLED * len(grid.spans), _LEAST_FILLED):
        return True
    head = [span for span in filled if span.row == 0], [span for span in filled if span.column == 0]
    all_of = [span for span in grid.spans if span.row == 0], [span for span in grid.spans if span.column == 0]
    return any(len(some) >= _HEAD * len(whole) for some, whole in zip(head, all_of, strict=True))


def _is_frame(grid: Grid, sheet: Sheet) -> bool:
    """Whether it parts a page rather than rows and columns."""
    return max(grid.rows, grid.columns) <= LEAST_COLUMNS and grid.box.area > _FRAME * sheet.width * sheet.height


def _fits(word: Placed, cell: Box) -> bool:
    high = _OVER * (word.y1 - word.y0)
    return (
        cell.x0 - _NEAR < word.x0
        and word.x1 < cell.x1 + _NEAR
        and cell.y0 - high < word.y0
        and word.y1 < cell.y1 + high
    )


def _without_slits(grid: Grid, contents: list[list[Placed]]) -> tuple[Grid, list[list[Placed]]]:
    """The grid without empty rows and columns that are too narrow for words."""
    rows = _wide(grid.ys, [(span.row, span.row_end) for span in _filled(grid, contents)])
    columns = _wide(grid.xs, [(span.column, span.column_end) for span in _filled(grid, contents)])
    if len(rows) == len(grid.ys) - 1 and len(columns) == len(grid.xs) - 1:
        return grid, contents
    row_at, column_at = _renumbered(rows, len(grid.ys)), _renumbered(columns, len(grid.xs))
    spans, kept = [], []
    for span, inside in zip(grid.spans, contents, strict=True):
        moved = Span(row_at[span.row], column_at[span.column], row_at[span.row_end], column_at[span.column_end])
        if moved.row < moved.row_end and moved.column < moved.column_end:
            spans.append(moved)
            kept.append(inside)
    xs = [*(grid.xs[each] for each in columns), grid.xs[-1]]
    ys = [*(grid.ys[each] for each in rows), grid.ys[-1]]
    return Grid(xs, ys, spans), kept


def _filled(grid: Grid, contents: Sequence[Sequence[Placed]]) -> Iterator[Span]:
    return (span for span, inside in zip(grid.spans, contents, strict=True) if inside)


def _wide(places: Sequence[float], filled: Iterable[tuple[int, int]]) -> list[int]:
    """The rows (or columns) that are wide enough, or have words of their own."""
    own = {start for start, end in filled if end == start + 1}
    return [
        index for index in range(len(places) - 1) if index in own or places[index + 1] - places[index] >= _LEAST_SIDE
    ]


def _renumbered(kept: Sequence[int], count: int) -> list[int]:
    """For each old line the number of the first kept row from there on."""
    own = set(kept)
    return list(accumulate((index in own for index in range(count - 1)), initial=0))


def _split(grid: Grid, contents: list[list[Placed]]) -> tuple[Grid, list[list[Placed]]]:
    """The grid with a row for each line of words in a row whose cells have the same lines, none of them drawn apart.

    Many tables have lines between columns, and below the head, and no others.
    """
    members: list[list[list[Placed]]] = [[] for _ in grid.ys[1:]]
    for span, inside in zip(grid.spans, contents, strict=True):
        for row in range(span.row, span.row_end):
            members[row].append(inside if span.row_end == span.row + 1 else [])
    cuts = [even_lines(cells) for cells in members]
    if not any(cuts):
        return grid, contents
    shift = list(accumulate(map(len, cuts), initial=0))
    found: list[tuple[Span, list[Placed]]] = []
    for span, inside in zip(grid.spans, contents, strict=True):
        row = span.row + shift[span.row]
        parts: list[list[Placed]] = [[] for _ in range(len(cuts[span.row]) + 1)]
        if len(parts) == 1:
            found.append((span._replace(row=row, row_end=span.row_end + shift[span.row_end]), inside))
            continue
        for word in inside:
            parts[bisect_right(cuts[span.row], word.middle[1])].append(word)
        found += ((span._replace(row=at, row_end=at + 1), part) for at, part in enumerate(parts, row))
    found.sort(key=itemgetter(0))
    ys = [y for top, more in zip(grid.ys, [*cuts, []], strict=True) for y in (top, *more)]
    return Grid(grid.xs, ys, [span for span, _ in found]), [part for _, part in found]
