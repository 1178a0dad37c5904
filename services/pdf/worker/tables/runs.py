"""Lines of words, one below the other, that may be rows of one table."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from services.pdf.worker.tables.columns import Chunk
from services.pdf.worker.tables.sheet import Placed

MOST_LINES = 2_000
"""Of a run."""

_RECENT = 20
"""How many of its distances tell the usual one."""

_APART = 2.2
"""How many times the usual distance of a run's lines the next one is off, at most."""

_FIRST_APART = 3.0
"""The same for the second line, in heights of the first."""

_WIDE = 0.45
"""The share of the table's width that a line in one piece has, at most; a wider one is prose."""

_OVERLAP = 0.3
"""The share of a line's height that one beside it has in common with it, at least; lines of a cell have less."""

_SINGLES = 2
"""Lines in one piece that follow each other within a table, at most."""


class Line(NamedTuple):
    """A line and its pieces."""

    top: float
    bottom: float
    chunks: list[Chunk]


def line_of(chunks: list[Chunk]) -> Line:
    """The line with these pieces."""
    words = [word for chunk in chunks for word in chunk.words]
    return Line(min(word.y0 for word in words), max(word.y1 for word in words), chunks)


def run_of(lines: Iterable[Line], width: float, *, after: float | None = None, is_part: bool = False) -> list[Line]:
    """The first lines that may be rows of a table so wide, given from top to bottom or the other way round.

    There are none if the first is none. With `after`, it must be near to that height. With `is_part`, rows are known to
    stand here, so that the first line may be part of a single cell.
    """
    run: list[Line] = []
    steps: list[float] = []
    singles = 0
    for line in lines:
        height = line.bottom - line.top
        if not run:
            is_far = after is not None and abs(line.top - after) > _FIRST_APART * height
        elif overlap(run[-1], line):
            is_far = False  # lines of one row, whose cells have more lines or fewer
        else:
            step = abs(line.top - run[-1].top)
            is_far = step > (_APART * median(steps[-_RECENT:]) if steps else _FIRST_APART * height)
            steps.append(step)
        singles = singles + 1 if len(line.chunks) == 1 else 0
        is_prose = singles > 0 and line.chunks[0].x1 - line.chunks[0].x0 > _WIDE * width
        is_outside = singles > 0 and not (run or is_part)
        if len(run) == MOST_LINES or is_far or is_prose or singles > _SINGLES or is_outside:
            break
        run.append(line)
    while run and len(run[-1].chunks) == 1 and not (len(run) > 1 and overlap(*run[-2:])):
        run.pop()
    return run


def overlap(one: Line, other: Line) -> bool:
    """Whether two lines stand beside each other for a part of their height."""
    common = min(one.bottom, other.bottom) - max(one.top, other.top)
    return common > _OVERLAP * min(one.bottom - one.top, other.bottom - other.top)


def words_of(lines: Sequence[Line]) -> list[Placed]:
    """The words of lines."""
    return [word for line in lines for chunk in line.chunks for word in chunk.words]
