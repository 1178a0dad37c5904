"""Tables that go on: at the top of the next page, or of the next column."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from services.pdf.worker.boxes import Box
from services.pdf.worker.tables.columns import Column, chunks_of
from services.pdf.worker.tables.fragment import Fragment
from services.pdf.worker.tables.loose import Band, loose_table
from services.pdf.worker.tables.runs import line_of, run_of, words_of
from services.pdf.worker.tables.sheet import Placed, Sheet, lines_of
from services.pdf.worker.tables.table import Cell, Part, Table

_ROOM = 0.15
"""The share of a page's height that is left below a table that goes on, at most: what its next row did not fit in."""

_EDGE = 2.0
"""Points by which words may reach over a table's edge."""

_BESIDE = 0.25
"""How far, in widths of a table, words beside it are in another column, at least."""

_WIDTH = 4.0
"""Points by which the widths of two parts may differ."""

_PLACES = 4.0
"""Points by which a line between columns may be elsewhere in the next part."""

_MOST_ENDS = 20
"""Lines at which a part may end that are tried, at most."""

_MOST_HEAD = 3
"""Rows of a head that is repeated and does not look like one, at most."""


class Joiner:
    """Joins the parts of tables on some pages."""

    def __init__(self, sheets: Mapping[int, Sheet], bodies: Mapping[int, Sequence[Placed]]) -> None:
        """`bodies` are the words of each page without those of running heads and feet."""
        self._sheets = sheets
        self._bodies = bodies
        self._bottom = max((word.y1 for words in bodies.values() for word in words), default=0.0)
        self._last: dict[tuple[int, bool], bool] = {}

    def joined(self, fragments: Sequence[Fragment]) -> list[Table]:
        """The tables that the fragments make; they are given in the order of the pages."""
        following: dict[int, Fragment] = {}
        taken: set[int] = set()
        swallowed: set[int] = set()
        by_page: defaultdict[int, list[Fragment]] = defaultdict(list)
        for one in fragments:
            by_page[one.table.page].append(one)
        queue = list(fragments)
        for one in queue:  # grows by parts that only their beginning tells to be some
            if id(one) in swallowed:
                continue
            near = chain(by_page[one.table.page], by_page[one.table.page + 1])
            found = next((each for each in near if id(each) not in taken and self._goes_on(one, each)), None)
            if found is None and (rest := self._rest(one)):
                found = rest
                queue.append(rest)
                swallowed.update(id(each) for each in by_page[rest.table.page] if _is_within(each, rest))
                taken |= swallowed
            if found is not None:
                following[id(one)] = found
                taken.add(id(found))
        tables = []
        for one in queue:
            if id(one) not in taken:
                parts = [one]
                while (after := following.get(id(parts[-1]))) is not None:
                    parts.append(after)
                if not all(part.is_weak and part.columns for part in parts) and (len(parts) > 1 or not one.is_weak):
                    tables.append(_join(parts))
        return [table for table in tables if len(table.rows) > 1]

    def _goes_on(self, one: Fragment, other: Fragment) -> bool:
        if one is other:
            return False
        is_next_column = one.table.page == other.table.page
        if is_next_column and other.grid.xs[0] < one.grid.xs[-1]:
            return False
        return (
            _fit(one, other)
            and (_heads_fit(one.table, other.table) or _is_cut(one, other))
            and self._is_last(one, is_next_column=is_next_column)
            and self._is_first(one, other)
        )

    def _is_last(self, one: Fragment, *, is_next_column: bool) -> bool:
        """Whether nothing of the text is below it, and too little room for more of it."""
        key = id(one), is_next_column
        if key not in self._last:
            self._last[key] = self._ends_page(one, is_next_column=is_next_column)
        return self._last[key]

    def _ends_page(self, one: Fragment, *, is_next_column: bool) -> bool:
        box, body = one.grid.box, self._bodies[one.table.page]
        if any(word.y0 > box.y1 - _EDGE and _is_over(word, box) for word in body):
            return False
        if not is_next_column and any(word.x0 > box.x1 + _BESIDE * (box.x1 - box.x0) for word in body):
            return False
        # Columns may end alike above the page's end.
        bottom = max((word.y1 for word in body), default=box.y1) if is_next_column else max(self._bottom, box.y1)
        height = self._sheets[one.table.page].height
        return min(bottom, height) - box.y1 <= _ROOM * height

    def _is_first(self, one: Fragment, other: Fragment) -> bool:
        """Whether none of the text is above it, or before it; what is over both columns is above both."""
        box, before = other.grid.box, one.grid.box
        is_next_column = one.table.page == other.table.page
        for word in self._bodies[other.table.page]:
            if word.y1 < box.y0 + _EDGE and _is_over(word, box):
                if not (is_next_column and word.y1 < before.y0):
                    return False
            elif not is_next_column and word.x1 < box.x0 - _BESIDE * (box.x1 - box.x0):
                return False
        return True

    def _rest(self, one: Fragment) -> Fragment | None:
        """Rows that a table without a line at its end goes on with, in the next column or on the next page.

        They end at a line as long as those of the table; without any, they are where the table would go on.
        """
        if not one.is_open:
            return None
        start, end = one.grid.xs[0], one.grid.xs[-1]
        for page in (one.table.page, one.table.page + 1):
            is_next_column = page == one.table.page
            if page not in self._sheets or not self._is_last(one, is_next_column=is_next_column):
                continue
            for rule in [
                rule for rule in self._sheets[page].across if abs(rule.end - rule.start - end + start) < _WIDTH
            ][:_MOST_ENDS]:
                if not is_next_column or rule.start > end:
                    found = self._rows(one, page, rule.start, rule.at)
                    if found and self._is_first(one, found):
                        return found
            if not is_next_column:
                found = self._rows(one, page, start, None)
                return found if found and self._is_first(one, found) else None
        return None

    def _rows(self, one: Fragment, page: int, left: float, end: float | None) -> Fragment | None:
        """Rows of a table's columns from `left` on: the last ones above `end`, or the first of the page."""
        aside = left - one.grid.xs[0]
        right = one.grid.xs[-1] + aside
        words = [
            word
            for word in self._bodies[page]
            if word.is_upright
            and left - _EDGE < word.middle[0] < right + _EDGE
            and (end is None or word.middle[1] < end)
        ]
        lines = [line_of(chunks_of(line)) for line in lines_of(words)]
        run = run_of(lines if end is None else reversed(lines), right - left, after=end, is_part=True)
        if not run:
            return None
        found = loose_table(
            page,
            [Band(min(line.top for line in run), end or run[-1].bottom, words_of(run))],
            edges=(left, right),
            has_head=False,
            columns=[Column(column.x0 + aside, column.x1 + aside) for column in one.columns],
        )
        if found:
            found.is_open = end is None
        return found


def _is_within(each: Fragment, rest: Fragment) -> bool:
    """Whether a part of the same page was found among these rows, where less was known of them."""
    return rest.grid.box.holds(each.grid.box.middle)


def _is_over(word: Placed, box: Box) -> bool:
    return min(word.x1, box.x1) - max(word.x0, box.x0) > _EDGE


def _fit(one: Fragment, other: Fragment) -> bool:
    """Whether both have the same columns, at the same places from their left edges."""
    if bool(one.columns) != bool(other.columns) or len(one.grid.xs) != len(other.grid.xs):
        return False
    aside = other.grid.xs[0] - one.grid.xs[0]
    if abs(other.grid.xs[-1] - one.grid.xs[-1] - aside) > _WIDTH:
        return False
    if not one.columns:
        return all(
            abs(mine + aside - theirs) <= _PLACES
            for mine, theirs in zip(one.grid.xs[1:-1], other.grid.xs[1:-1], strict=True)
        )
    both = [
        (min(mine.x0 + aside, theirs.x0), max(mine.x1 + aside, theirs.x1))
        for mine, theirs in zip(one.columns, other.columns, strict=True)
    ]
    return all(end < start for (_, end), (start, _) in pairwise(both))


def _heads_fit(one: Table, other: Table) -> bool:
    """Whether the other has no head, or the same."""
    return not other.header_rows or _repeated(one, other) > 0 or not one.header_rows


def _is_cut(one: Fragment, other: Fragment) -> bool:
    """Whether no line is drawn between the parts: a row begins in one and ends in the other."""
    return one.grid.is_open_below and other.grid.is_open_above


def _repeated(one: Table, other: Table) -> int:
    """How many of the other's first rows are the head again."""
    count = (
        one.header_rows
        or next((rows for rows in range(1, _MOST_HEAD + 1) if not _is_equal(one, other, rows)), _MOST_HEAD + 1) - 1
    )
    return count if count and _is_equal(one, other, count) else 0


def _is_equal(one: Table, other: Table, rows: int) -> bool:
    mine, theirs = one.rows[:rows], other.rows[:rows]
    return len(theirs) == rows == len(mine) and [*map(_texts, mine)] == [*map(_texts, theirs)]


def _texts(row: Sequence[Cell]) -> list[str]:
    return ["".join(cell.text.split()) for cell in row]


def _join(fragments: Sequence[Fragment]) -> Table:
    """The table that these parts are in their order; a head that is repeated stands there once."""
    table = fragments[0].table
    first = replace(table, rows=list(table.rows), continues=[])
    for before, after in pairwise(fragments):
        part = after.table
        repeated = _repeated(table, part) if len(part.rows) > 1 else 0
        first.header_rows = max(first.header_rows, repeated)
        rows = part.rows[repeated:]
        is_cut = (not repeated and _is_cut(before, after)) or _completes(first.rows[-1], rows[0])
        if is_cut and _are_alike(first.rows[-1], rows[0]):
            first.rows[-1] = [_with_rest(cell, rest) for cell, rest in zip(first.rows[-1], rows[0], strict=True)]
            rows = rows[1:]
        first.continues.append(Part(part.page, part.box, len(first.rows)))
        first.rows += rows
    if first.header_rows >= len(first.rows):
        first.header_rows = 0  # as a head of nothing
    return first


def _are_alike(row: Sequence[Cell], other: Sequence[Cell]) -> bool:
    mine, theirs = ([(cell.column, cell.column_span, cell.row_span) for cell in each] for each in (row, other))
    return mine == theirs and all(cell.row_span == 1 for cell in row)


def _completes(row: Sequence[Cell], other: Sequence[Cell]) -> bool:
    """Whether each cell has words in just one of two rows, and both rows have some: a page's end parted their cells."""
    filled = [(bool(cell.text), bool(rest.text)) for cell, rest in zip(row, other, strict=False)]
    return {(True, False), (False, True)} == set(filled)


def _with_rest(cell: Cell, rest: Cell) -> Cell:
    """A cell of a row that a page's end cuts, with the rest of its text."""
    return replace(cell, text="\n".join(filter(None, (cell.text, rest.text))))
