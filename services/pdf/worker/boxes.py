"""Rectangles on a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.pdf.worker.words import UNITS


class Box(NamedTuple):
    """In points, from the top left of the page as a reader sees it."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Square points; none for a box that is turned inside out."""
        return max(self.x1 - self.x0, 0.0) * max(self.y1 - self.y0, 0.0)

    @property
    def middle(self) -> tuple[float, float]:
        """The point in its middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def rectangle(self) -> dict[str, float]:
        """As JSON of papermesh.pdf.v1.Rectangle, to the hundredth of a point."""
        return {name: round(edge, 2) for name, edge in self._asdict().items()}

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether the point lies inside."""
        return self.x0 <= point[0] <= self.x1 and self.y0 <= point[1] <= self.y1

    def common(self, other: "Box") -> "Box":
        """The part that both cover."""
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def around(self, other: "Box") -> "Box":
        """The least box around both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))


def around(boxes: Sequence[Box]) -> Box:
    """The least box around those given, one at least."""
    if len(boxes) == 1:
        return boxes[0]
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(min(left), min(top), max(right), max(bottom))


def boxes_in(flat: Sequence[int]) -> Iterator[Box]:
    """The boxes of a reading's flat list: four hundredths of a point for each."""
    for index in range(0, len(flat), 4):
        left, top, right, bottom = flat[index : index + 4]
        yield Box(left / UNITS, top / UNITS, right / UNITS, bottom / UNITS)
