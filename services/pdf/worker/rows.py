"""Boxes of a page by the rows that they touch, so that what overlaps is found without comparing all with all."""

from collections import defaultdict
from typing import Generic, TypeVar

from services.pdf.worker.boxes import Box
from services.pdf.worker.sheet import CrowdedPageError

_T = TypeVar("_T")

_HEIGHT = 16.0
"""Of a row, in points: about a line."""

_MOST_ROWS = 8
"""What touches more is kept apart, and compared with everything."""

_MOST_COMPARED = 500_000


class Rows(Generic[_T]):
    """Things with boxes, in the order in which they were added."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, dict[int, tuple[Box, _T]]] = defaultdict(dict)
        self._tall: dict[int, tuple[Box, _T]] = {}
        self._count = 0
        self._compared = 0

    def add(self, box: Box, thing: _T) -> None:
        """Adds a thing at its box."""
        first, last = _touched(box)
        for kept in [self._tall] if last - first >= _MOST_ROWS else [self._rows[row] for row in range(first, last + 1)]:
            kept[self._count] = (box, thing)
        self._count += 1

    def near(self, box: Box) -> list[tuple[Box, _T]]:
        """What overlaps the box, with boxes of their own. Raises CrowdedPageError when too much was compared so far."""
        first, last = _touched(box)
        if last - first >= len(self._rows):
            touched = list(self._rows.values())
        else:
            touched = [self._rows[row] for row in range(first, last + 1) if row in self._rows]
        if not touched and not self._tall:
            return []
        found = dict(self._tall)
        for things in touched:
            found |= things
        self._compared += len(found)
        if self._compared > _MOST_COMPARED:
            raise CrowdedPageError
        left, upper, right, lower = box
        return [
            (other, thing)
            for other, thing in found.values()
            if other[0] < right and left < other[2] and other[1] < lower and upper < other[3]
        ]


def _touched(box: Box) -> tuple[int, int]:
    """The first row and the last."""
    try:
        return int(box[1] // _HEIGHT), int(box[3] // _HEIGHT)
    except (OverflowError, ValueError):  # without end, or no number
        first, last = (int(max(-1e6, min(1e6, edge)) // _HEIGHT) for edge in (box[1], box[3]))
        return first, last
