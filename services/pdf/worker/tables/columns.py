"""Columns of words with no lines between them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from services.pdf.worker.tables.sheet import Placed

MOST_COLUMNS = 60
"""With more, it is no table."""

_GAP = 0.8
"""How far apart, in sizes of their letters, words of two columns are at least; blanks have a quarter."""

_CROSSED = 0.1
"""The share of the lines that may cross the gap between two columns, where without them there would be too few."""

_LEAST_LINES = 3
"""Lines of which one may, at least."""

_TOUCHES = 1.0
"""Points that a piece must share with a column to be in it."""


class Chunk(NamedTuple):
    """Words of a line with no wide gap between them."""

    x0: float
    x1: float
    words: list[Placed]


class Column(NamedTuple):
    """From where to where words of a column reach."""

    x0: float
    x1: float


def chunks_of(line: Sequence[Placed]) -> list[Chunk]:
    """A line of words, given from left to right, cut at wide gaps."""
    chunks: list[Chunk] = []
    words: list[Placed] = []
    start = reach = 0.0
    end = float("-inf")
    for word in line:
        if word.x0 - end > _GAP * word.size:
            if words:
                chunks.append(Chunk(start, reach, words))
            start, reach, words = word.x0, word.x1, [word]
        else:
            words.append(word)
            reach = max(end, word.x1)
        end = max(end, word.x1)
    if words:
        chunks.append(Chunk(start, reach, words))
    return chunks


def columns_of(lines: Sequence[Sequence[Chunk]]) -> list[Column]:
    """The columns that lines have in common, from left to right.

    Lines with few pieces, such as heads over several columns and what a cell's text goes on with, do not decide; two of
    them that have something where no other has make a column.
    """
    counts = [len(line) for line in lines if len(line) > 1]
    if not counts:
        return []
    least = median(counts)
    full = [line for line in lines if len(line) >= least]
    columns = covered(full, 0)
    usual = Counter(map(len, full)).most_common(1)[0][0]
    if len(columns) < usual and len(full) >= _LEAST_LINES:
        fewer = covered(full, max(1, int(_CROSSED * len(full))))
        columns = fewer if len(columns) < len(fewer) <= usual + 1 else columns
    if len(columns) > MOST_COLUMNS:
        return []
    others = [[chunk] for line in lines for chunk in line if not touched(chunk, columns)]
    if len(others) > 1:
        columns = sorted([*columns, *covered(others, 1)])
    return _with_heads(columns, lines)


def _with_heads(columns: list[Column], lines: Sequence[Sequence[Chunk]]) -> list[Column]:
    """The columns, those made one that no line has both of, as long as there are more than a line has pieces.

    Such are a head that begins at the left of its column, and numbers that end at its right.
    """
    most = max(map(len, lines))
    while len(columns) > most:
        used = [{number for chunk in line for number in touched(chunk, columns)} for line in lines]
        apart = [at for at in range(len(columns) - 1) if not any({at, at + 1} <= each for each in used)]
        if not apart:
            break
        at = min(apart, key=lambda at: columns[at + 1].x1 - columns[at].x0)
        columns = [*columns[:at], Column(columns[at].x0, columns[at + 1].x1), *columns[at + 2 :]]
    return columns


def touched(chunk: Chunk, columns: Sequence[Column]) -> list[int]:
    """The numbers of the columns that a piece reaches into."""
    start, end, _ = chunk
    return [
        number
        for number, (x0, x1) in enumerate(columns)
        if x0 < end and start < x1 and min(end, x1) - max(start, x0) > min(_TOUCHES, (x1 - x0) / 2)
    ]


def nearest(x: float, columns: Sequence[Column]) -> int:
    """The number of the column at x, or next to it."""
    return min(range(len(columns)), key=lambda number: max(columns[number].x0 - x, x - columns[number].x1, 0.0))


def covered(lines: Iterable[Sequence[Chunk]], crossed: int = 0) -> list[Column]:
    """The stretches over which more than so many lines have something, those nearer than a gap joined."""
    edges = sorted(edge for line in lines for chunk in line for edge in ((chunk.x0, 1), (chunk.x1, -1)))
    columns: list[Column] = []
    depth, start = 0, 0.0
    for x, step in edges:
        before, depth = depth, depth + step
        if before <= crossed < depth:
            start = x
        elif depth <= crossed < before and x - start > _TOUCHES:
            columns.append(Column(start, x))
    return columns
