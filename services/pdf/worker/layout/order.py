"""The order in which a page is read, by where things stand on it and never by the order in which they were drawn.

A page is cut at gutters: blank strips, several lines high, that part two columns of text. What crosses a gutter (a
heading over two columns) ends it, so the page falls into bands, each read column by column. Close to the whitespace
analysis of Breuel ("Two geometric algorithms for layout analysis", 2002), with columns told from tables by how full
their lines are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter
from statistics import median
from typing import NamedTuple

from services.pdf.worker.layout.pieces import Look, Piece

_STEP = 2.0
"""Points between the places at which gutters are tried."""

_MOST_PLACES = 4_000
_MOST_TRIES = 6
"""Gutters that are tried before a region counts as one column."""

_DEEPEST = 12
_LEAST_LINES = 3
_LEAST_SHARE = 0.12
"""Of the width of a region, for a column."""

_FULL = 0.55
"""How much of a column's width its lines cover; those of a table's columns cover less."""

_ALIGNED_LINES = 6
"""Of a column whose lines stand beside those of the other: fewer may be cells."""

_LONG = 0.8
_LINES_OF_PAGE = 10
_FEW_SHARE = 0.25
"""Of the width of a region, for a column of one or two lines, where the strip is long and the other has many lines."""

_LEAST_LETTERS = 4
"""On a line of a column."""

_OVER = 0.5
"""How much of the narrower of two pieces lies over the other, if they do not stand side by side."""

_NOTES_SHARE = 0.3
"""A narrower column beside another, of fewer lines, has notes in the margin."""

_NOTES_LINES = 0.6


@dataclass(slots=True, eq=False)
class Row:
    """What stands on one line of a column."""

    pieces: list[Piece]
    """In reading order."""

    x0: float
    y0: float
    x1: float
    y1: float
    look: Look
    """Of most of its letters."""

    middle: float
    """Of its longest piece, from top to bottom: signs and formulas beside it reach farther up or down."""

    text: str
    """Its pieces with blanks between them."""

    solid: int
    """As of its piece."""


@dataclass(slots=True)
class Column:
    """Rows that are read from top to bottom."""

    rows: list[Row]
    x0: float
    x1: float
    is_note: bool = False
    """Whether it stands in the margin, beside a wider column."""


class _Region(NamedTuple):
    """Pieces among which columns are sought."""

    pieces: list[Piece]
    """By where they begin, from top to bottom."""

    top: float
    bottom: float
    width: float
    least: float
    """How high a gutter is, at least."""


def columns_of(pieces: Sequence[Piece], *, right_to_left: bool = False) -> list[Column]:
    """The columns of a page or of a part of it, in reading order; what is cut off at its width is one too."""
    return [
        _column(group, is_note=is_note, right_to_left=right_to_left)
        for group, is_note in _cut(list(pieces), 0, right_to_left=right_to_left)
    ]


def rows_of(pieces: Sequence[Piece], *, right_to_left: bool = False) -> list[Row]:
    """Pieces that stand side by side as rows, from top to bottom."""
    return [_row(group, right_to_left=right_to_left) for group in _side_by_side(pieces)]


def outer_rows_of(pieces: Sequence[Piece], count: int) -> list[Row]:
    """The first and the last rows, so many of each, from top to bottom."""
    groups = _side_by_side(pieces)
    if len(groups) > 2 * count:
        groups = groups[:count] + groups[-count:]
    return [_row(group, right_to_left=False) for group in groups]


def _side_by_side(pieces: Sequence[Piece]) -> list[list[Piece]]:
    groups: list[list[Piece]] = []
    top = bottom = 0.0
    for piece in sorted(pieces, key=lambda each: ((each.y0 + each.y1) / 2, each.x0)):
        height = piece.y1 - piece.y0
        common = min(bottom, piece.y1) - max(top, piece.y0)
        joins = groups and piece.solid < 0 and groups[-1][0].solid < 0 and common > 0.5 * min(bottom - top, height)
        if joins and not any(_is_over(other, piece) for other in groups[-1]):
            groups[-1].append(piece)
            if len(piece.text) > 1 or height > bottom - top:  # a row is as high as its text, not as a mark in it
                top, bottom = min(top, piece.y0), max(bottom, piece.y1)
        else:
            groups.append([piece])
            top, bottom = piece.y0, piece.y1
    return groups


def _is_over(piece: Piece, other: Piece) -> bool:
    """Whether print of another size lies over a piece, as where a page is too full: it does not stand beside it."""
    if min(len(piece.text), len(other.text)) < _LEAST_LETTERS or piece.size == other.size:
        return False
    return min(piece.x1, other.x1) - max(piece.x0, other.x0) > _OVER * min(piece.x1 - piece.x0, other.x1 - other.x0)


def _row(group: list[Piece], *, right_to_left: bool) -> Row:
    if len(group) == 1:
        piece = group[0]
        middle = (piece.y0 + piece.y1) / 2
        return Row(group, piece.x0, piece.y0, piece.x1, piece.y1, piece.look, middle, piece.text, piece.solid)
    group.sort(key=(lambda each: -each.x1) if right_to_left else (lambda each: each.x0))
    longest = max(group, key=lambda piece: len(piece.text))
    looks: dict[Look, int] = {}
    for piece in group:
        looks[piece.look] = looks.get(piece.look, 0) + len(piece.text)
    return Row(
        group,
        min(piece.x0 for piece in group),
        min(piece.y0 for piece in group),
        max(piece.x1 for piece in group),
        max(piece.y1 for piece in group),
        max(looks, key=lambda look: looks[look]),
        (longest.y0 + longest.y1) / 2,
        " ".join([piece.text for piece in group]),
        group[0].solid,
    )


def _column(group: list[Piece], *, is_note: bool, right_to_left: bool) -> Column:
    rows = rows_of(group, right_to_left=right_to_left)
    return Column(rows, min(row.x0 for row in rows), max(row.x1 for row in rows), is_note)


def _cut(pieces: list[Piece], depth: int, *, right_to_left: bool) -> Iterator[tuple[list[Piece], bool]]:
    """The pieces by columns, in reading order, and whether each column has notes in the margin."""
    gutter = _gutter(pieces) if depth < _DEEPEST else None
    if gutter is None:
        if pieces:
            yield pieces, False
        return
    x, top, bottom = gutter
    above = [piece for piece in pieces if piece.y1 <= top]
    below = [piece for piece in pieces if piece.y0 >= bottom]
    beside = [piece for piece in pieces if not (piece.y1 <= top or piece.y0 >= bottom)]
    left = [piece for piece in beside if piece.x1 <= x]
    right = [piece for piece in beside if piece.x1 > x]
    yield from _cut(above, depth + 1, right_to_left=right_to_left)
    sides = [right, left] if right_to_left else [left, right]
    notes = _notes(left, right)
    for side in sides:
        if side is not notes:
            yield from _cut(side, depth + 1, right_to_left=right_to_left)
    if notes is not None:
        yield notes, True
    yield from _cut(below, depth + 1, right_to_left=right_to_left)


def _notes(left: list[Piece], right: list[Piece]) -> list[Piece] | None:
    """The side that has notes in the margin of the other."""
    widths = [_width(side) for side in (left, right)]
    narrow, wide = (left, right) if widths[0] < widths[1] else (right, left)
    if min(widths) > _NOTES_SHARE * sum(widths) or any(piece.solid >= 0 for piece in narrow):
        return None
    return narrow if len(_side_by_side(narrow)) < _NOTES_LINES * len(_side_by_side(wide)) else None


def _gutter(pieces: Sequence[Piece]) -> tuple[float, float, float] | None:
    """A gutter's place, and where it begins and ends, the highest that parts two columns; None if there is none."""
    if len(pieces) < 2 * _LEAST_LINES:
        return None
    start, end = min(piece.x0 for piece in pieces), max(piece.x1 for piece in pieces)
    count = min(int((end - start) / _STEP) + 1, _MOST_PLACES)
    step = (end - start) / count if count else 0.0
    if step <= 0:
        return None
    votes = _votes(pieces, start, step, count)
    down = _Region(
        sorted(pieces, key=attrgetter("y0")),
        min(piece.y0 for piece in pieces),
        max(piece.y1 for piece in pieces),
        end - start,
        _LEAST_LINES * median(piece.y1 - piece.y0 for piece in pieces),
    )
    covered = _covered(pieces, start, step, count)
    found: list[tuple[float, float, float]] = []
    for _ in range(_MOST_TRIES):
        most = max(votes)
        if not most:
            break
        first = votes.index(most)
        last = first
        while last + 1 < count and votes[last + 1] == most:
            last += 1
        x = start + (_emptiest(covered, first, last) + 0.5) * step
        votes[max(first - 4, 0) : last + 5] = [0] * (min(last + 5, count) - max(first - 4, 0))
        if (strip := _strip(down, x)) is not None:
            found.append((x, *strip))
    return max(found, key=lambda each: each[2] - each[1], default=None)


def _votes(pieces: Sequence[Piece], start: float, step: float, count: int) -> list[int]:
    """For each place how many gaps between neighbours on a row lie over it."""
    changes = [0] * (count + 1)
    for row in _side_by_side(pieces):
        if len(row) == 1:
            continue
        row.sort(key=lambda piece: piece.x0)
        reached = row[0].x1
        for piece in row[1:]:
            if piece.x0 > reached:
                changes[min(int((reached - start) / step) + 1, count)] += 1
                changes[min(int((piece.x0 - start) / step), count)] -= 1
            reached = max(reached, piece.x1)
    return list(accumulate(changes[:count]))


def _covered(pieces: Sequence[Piece], start: float, step: float, count: int) -> list[int]:
    """For each place how many pieces lie over it."""
    changes = [0] * (count + 1)
    for piece in pieces:
        changes[min(int((piece.x0 - start) / step), count)] += 1
        changes[min(int((piece.x1 - start) / step) + 1, count)] -= 1
    return list(accumulate(changes[:count]))


def _emptiest(covered: Sequence[int], first: int, last: int) -> int:
    """The middle of the first run of places, from `first` to `last`, over which the fewest pieces lie."""
    least = min(covered[first : last + 1])
    begin = covered.index(least, first)
    end = begin
    while end < last and covered[end + 1] == least:
        end += 1
    return (begin + end) // 2


def _strip(region: _Region, x: float) -> tuple[float, float] | None:
    """Where the highest blank strip at `x` begins and ends, if it parts two columns."""
    pieces, top, bottom, width, least = region
    strips = []
    aside = []
    for piece in pieces:
        if not piece.x0 < x < piece.x1:
            aside.append(piece)
            continue
        if piece.y0 - top >= least:
            strips.append((top, piece.y0))
        top = max(top, piece.y1)
    if bottom - top >= least:
        strips.append((top, bottom))
    for first, last in sorted(strips, key=lambda strip: strip[0] - strip[1])[:_MOST_TRIES]:
        beside = [piece for piece in aside if piece.y0 < last and piece.y1 > first]
        if _parts(beside, x, width, is_long=last - first > _LONG * (bottom - region.top)):
            return first, last
    return None


def _parts(pieces: Sequence[Piece], x: float, width: float, *, is_long: bool) -> bool:
    """Whether the pieces on the two sides of `x` are columns of text, and not cells, or marks before items.

    `is_long`: whether the strip between them is nearly as high as all of the region; then one may have few lines.
    """
    sides = [piece for piece in pieces if piece.x1 <= x], [piece for piece in pieces if piece.x0 >= x]
    if not all(sides) or max(map(len, sides)) < _LEAST_LINES or min(map(_width, sides)) < _LEAST_SHARE * width:
        return False
    rows = [_side_by_side(side) for side in sides]
    are_few = any(len(found) < _LEAST_LINES and side[0].solid < 0 for side, found in zip(sides, rows, strict=True))
    most = max(map(len, rows))
    if most < _LEAST_LINES or (are_few and not (is_long and most >= _LINES_OF_PAGE)):
        return False
    fills, letters = [], []
    for side, found in zip(sides, rows, strict=True):
        own = _width(side)
        if are_few and own < _FEW_SHARE * width:
            return False
        fills.append(median(sum(piece.width for piece in row) for row in found) / own)
        letters.append(median(sum(len(piece.text) if piece.solid < 0 else 99 for piece in row) for row in found))
    if min(letters) < _LEAST_LETTERS:  # numbers, or marks
        return False
    if not _are_aligned(*sides):
        return True
    return min(fills) >= _FULL and (are_few or min(map(len, rows)) >= _ALIGNED_LINES)


def _width(pieces: Sequence[Piece]) -> float:
    return max([piece.x1 for piece in pieces]) - min([piece.x0 for piece in pieces])


def _are_aligned(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Whether most lines of the side with fewer of them stand on a line of the other, as cells of a table do."""
    few, many = sorted((left, right), key=len)
    lines = {round(piece.y1 / 2) for piece in many}
    return 2 * sum(not lines.isdisjoint(range(round(p.y1 / 2) - 1, round(p.y1 / 2) + 2)) for p in few) > len(few)
