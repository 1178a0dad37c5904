"""Pieces of text: letters of one line that a page draws at one go in one look."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from services.pdf.worker.boxes import Box

Point: TypeAlias = tuple[float, float]
Place: TypeAlias = tuple[Point, str]
"""Where a letter stands, and which it is."""

_WAYS = {0: "fill", 1: "stroke", 3: "none"}
_SAME_LINE = 0.3
"""How far, in sizes, a letter may be off the line of the one before it."""

_APART = 2.0
"""How far, in sizes, it may be from the one before it along the line."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a span of text is drawn, beside what PyMuPDF's trace tells."""

    within: Box
    """What the clip leaves of the page."""

    em: float
    """Width or height of an em in points, whichever is less."""

    opacity: float
    """Of the groups that it is part of."""

    is_masked: bool
    """Drawn through a soft mask."""


@dataclass(slots=True)
class Piece:
    """Letters of one line, drawn at one go in one look."""

    order: int
    way: str
    """"fill", "stroke", "none" (neither), or "clip" if it bounds what is drawn next and nothing more."""

    color: tuple[float, ...]
    """Red, green and blue, from 0 to 1."""

    opacity: float
    look: Look
    first: int = 0
    """Which letter of those drawn at that go is its first, from 0."""

    text: str = ""
    origins: list[Point] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """Around all letters."""
        left, upper, right, lower = zip(*self.boxes, strict=True)
        return Box(min(left), min(upper), max(right), max(lower))

    @property
    def places(self) -> list[Place]:
        """The letters and where they stand."""
        return list(zip(self.origins, self.text, strict=True))

    @property
    def numbers(self) -> range:
        """Which letters these are of those drawn at that go."""
        return range(self.first, self.first + len(self.text))

    def part(self, start: int, end: int) -> "Piece":
        """Its letters from `start`, counted from 0, to before `end`."""
        cut = slice(start, end)
        return replace(
            self, first=self.first + start, text=self.text[cut], origins=self.origins[cut], boxes=self.boxes[cut]
        )


def cut_span(span: dict[str, Any], first: int, look: Look) -> Iterator[Piece]:
    """A span of PyMuPDF's trace, cut where a line ends or a wide gap is; `first` letters came before at that go."""
    size = span["size"]
    along_x, along_y = span["dir"]
    piece: Piece | None = None
    along = across = 0.0
    for index, (code, _glyph, origin, box) in enumerate(span["chars"], start=first):
        x, y = origin
        place, off = x * along_x + y * along_y, y * along_x - x * along_y
        if piece is None or abs(off - across) > _SAME_LINE * size or abs(place - along) > _APART * size:
            if piece is not None:
                yield piece
            way = _WAYS.get(span["type"], "fill")
            piece = Piece(span["seqno"], way, span["color"], span["opacity"] * look.opacity, look, index)
        along, across = place, off
        piece.text += letter(code)
        piece.origins.append(origin)
        piece.boxes.append(Box(*box))
    if piece is not None:
        yield piece


def letter(code: int) -> str:
    """The letter of a number; U+FFFD where it is none."""
    return chr(code) if 0 < code <= sys.maxunicode else "\ufffd"
