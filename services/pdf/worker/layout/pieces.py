"""A page's lines as pieces that lie in one frame, in which lines run to the right and follow each other downwards."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Run
from services.pdf.worker.right_to_left import runs_right_to_left
from services.pdf.worker.words import UNITS, Line, Reading, Style

MOST_PIECES = 6_000
"""Of a page, or one line more. What comes after them is left as it was read: no page for readers has as many."""

_WIDE = 1.1
"""A gap within a line, in its size, at which it is cut: it may be what parts two columns."""

_ONE_WIDTH_NAME = re.compile("mono|courier|consol|typewriter|menlo|lettergothic", re.IGNORECASE)
"""Fonts whose letters have one width, though the file may not say so."""

_NEARLY = 0.45, 1.6
"""Of the usual height of lines that were recognised: between these are lines of one size."""

_WORDS_TO_KNOW = 8
_EVEN = 0.03
"""Widths of letters that differ by no more are one: hundredths of points are rounded."""

_UPRIGHT = 0.94
"""The cosine of what still counts as running along a side of the page: 20 degrees."""

_BOX_TO_SIZE = 0.85
"""The size of letters whose style is not known, by the height of their boxes."""

_RAISED, _ITALIC, _ONE_WIDTH, _BOLD = 1, 2, 8, 16
"""Flags of a style."""

Direction = tuple[int, int]
"""Along which side of the page lines run: (1, 0) to the right, (0, 1) down, and so on; (0, 0) for a slanting line."""


class Look(NamedTuple):
    """What the letters of a piece look like."""

    font: str
    size: float
    """Points."""

    bold: bool
    italic: bool
    raised: bool = False
    one_width: bool = False


@dataclass(slots=True, eq=False)
class Piece:
    """Words of one line with no wide gap between them, or a table or a picture as a whole; places in its frame."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    look: Look
    run: Run | None = None
    """None for a table or a picture."""

    confidence: float = 1.0
    is_mixed: bool = False
    """Whether some of its letters are bold and some are not."""

    is_raised: bool = False
    """Whether it begins with a raised mark."""

    solid: int = -1
    """The index among the page's tables and pictures; -1 for words."""

    @property
    def size(self) -> float:
        """Points."""
        return self.look.size

    @property
    def width(self) -> float:
        """Along the line."""
        return self.x1 - self.x0


class _Edges(NamedTuple):
    """Of the words of a line, in hundredths of points."""

    left: Sequence[float]
    top: Sequence[float]
    right: Sequence[float]
    bottom: Sequence[float]


def pieces_of(reading: Reading) -> tuple[dict[Direction, list[Piece]], list[int]]:
    """The pieces that a reader sees, by the direction in which they run, and the lines that are no part of them.

    Those have no places, or come after `MOST_PIECES`.
    """
    found: dict[Direction, list[Piece]] = {}
    even = _of_one_width(reading)
    looks = [
        _look(style)._replace(one_width=True) if at in even else _look(style) for at, style in enumerate(reading.styles)
    ]
    usual = _usual_height(reading)
    left = []
    count = 0
    for index, line in enumerate(reading.lines):
        if line.hidden or not line.text.strip():
            continue
        if not line.boxes or count >= MOST_PIECES:
            left.append(index)
            continue
        direction = _side(line.direction)
        pieces = list(_cut(index, line, looks, direction, usual))
        count += len(pieces)
        found.setdefault(direction, []).extend(pieces)
    return found, left


def in_frame(box: Sequence[float], direction: Direction) -> tuple[float, float, float, float]:
    """A box of the page in the frame of lines that run in this direction."""
    x0, y0, x1, y1 = box
    if direction == (0, 1):
        return y0, -x1, y1, -x0
    if direction == (0, -1):
        return -y1, x0, -y0, x1
    if direction == (-1, 0):
        return -x1, -y1, -x0, -y0
    return x0, y0, x1, y1


def letters_of(pieces: Iterable[Piece]) -> dict[Look, int]:
    """How many letters have each look."""
    letters: dict[Look, int] = {}
    for piece in pieces:
        letters[piece.look] = letters.get(piece.look, 0) + len(piece.text)
    return letters


def is_right_to_left(pieces: Sequence[Piece]) -> bool:
    """Whether most lines are of a script that is written from right to left."""
    return 2 * sum(runs_right_to_left(piece.text) for piece in pieces) > len(pieces)


def _usual_height(reading: Reading) -> float:
    """Points: the height of most lines whose looks are not known, as of those recognised; 0 if there are none."""
    heights = [
        (max(line.boxes[3::4]) - min(line.boxes[1::4])) / UNITS
        for line in reading.lines
        if line.boxes and not line.styles and line.direction == (1.0, 0.0)
    ]
    return median(heights) if heights else 0.0


def _steady(height: float, usual: float) -> float:
    """A height, or the usual one if it is near: which letters a line has makes it higher or lower than others."""
    least, most = _NEARLY
    return usual if least * usual < height < most * usual else height


def _of_one_width(reading: Reading) -> set[int]:
    """The styles whose letters all have one width, by the widths of their words."""
    advances: dict[int, tuple[int, float, float]] = {}  # how many, the least and the most
    uneven: set[int] = set()
    for line in reading.lines:
        styles, boxes = line.styles, line.boxes
        if not styles or not boxes or line.direction != (1.0, 0.0) or uneven.issuperset(styles):
            continue
        for word, style, left, right in zip(line.text.split(), styles, boxes[::4], boxes[2::4], strict=True):
            if len(word) > 2 and style not in uneven and word.isascii():  # noqa: PLR2004  # letters of Hangul have one width in any font
                width = (right - left) / len(word)
                count, least, most = advances.get(style, (0, width, width))
                least, most = min(least, width), max(most, width)
                advances[style] = count + 1, least, most
                if most - least >= _EVEN * most:  # and more words make it no better
                    uneven.add(style)
    return {style for style, (count, _, _) in advances.items() if style not in uneven and count >= _WORDS_TO_KNOW}


def _look(style: Style) -> Look:
    flags = style.flags
    bold, italic, raised, one_width = (bool(flags & flag) for flag in (_BOLD, _ITALIC, _RAISED, _ONE_WIDTH))
    return Look(
        style.font, style.size, bold, italic, raised, one_width or _ONE_WIDTH_NAME.search(style.font) is not None
    )


def _side(direction: tuple[float, float]) -> Direction:
    across, down = direction
    if abs(across) >= _UPRIGHT:
        return (1, 0) if across > 0 else (-1, 0)
    if abs(down) >= _UPRIGHT:
        return (0, 1) if down > 0 else (0, -1)
    return (0, 0)


def _cut(index: int, line: Line, looks: Sequence[Look], direction: Direction, usual: float) -> Iterator[Piece]:
    """The pieces of a line: cut where the gap between two words is wide.

    `usual` is the height of most lines whose looks are not known.
    """
    words = line.text.split()
    edges = _Edges(*(line.boxes[edge::4] for edge in range(4)))
    framed = edges
    if direction != (1, 0):
        framed = _Edges(*map(list, zip(*(in_frame(box, direction) for box in zip(*edges, strict=True)), strict=True)))
    for start, stop in pairwise(_cuts(line, framed, looks, usual)):
        x0, y0, x1, y1 = _around(framed, start, stop)
        box = Box(*((x0, y0, x1, y1) if framed is edges else _around(edges, start, stop)))
        styles, said = line.styles[start:stop], line.confidences[start:stop]
        text = " ".join(words[start:stop])
        seen = {looks[style] for style in set(styles)}
        yield Piece(
            x0,
            y0,
            x1,
            y1,
            text,
            _common_look(styles, words[start:stop], looks, _steady(y1 - y0, usual)),
            Run(index, start, stop, box),
            sum(said) / len(said) if said else 1 - text.count("\ufffd") / max(len(text), 1),
            is_mixed=len({look.bold for look in seen}) > 1,
            is_raised=len(seen) > 1 and looks[styles[0]].raised,
        )


def _cuts(line: Line, edges: _Edges, looks: Sequence[Look], usual: float) -> list[int]:
    """Where the pieces of a line begin and end, as numbers of words: its ends, and the wide gaps between."""
    found = [0]
    least = _WIDE * UNITS
    left, top, right, bottom = edges
    gaps = [  # right to left, the next one stands before
        (at, max(start - end, first - last))
        for at, (first, end, start, last) in enumerate(zip(left, right, left[1:], right[1:], strict=False), 1)
        if start - end >= least or first - last >= least
    ]
    for at, gap in gaps:
        size = looks[line.styles[at]].size if line.styles else _steady((bottom[at] - top[at]) / UNITS, usual)
        if gap >= least * max(size, 1.0):
            found.append(at)
    return [*found, len(left)]


def _around(edges: _Edges, start: int, stop: int) -> tuple[float, float, float, float]:
    """The least box around some words, in points."""
    left, top, right, bottom = edges
    if stop - start == 1:
        return left[start] / UNITS, top[start] / UNITS, right[start] / UNITS, bottom[start] / UNITS
    return (
        min(left[start:stop]) / UNITS,
        min(top[start:stop]) / UNITS,
        max(right[start:stop]) / UNITS,
        max(bottom[start:stop]) / UNITS,
    )


def _common_look(styles: Sequence[int], words: Sequence[str], looks: Sequence[Look], height: float) -> Look:
    """That of most letters."""
    if not styles:
        return Look("", round(height * _BOX_TO_SIZE, 1), bold=False, italic=False)
    if styles.count(styles[0]) == len(styles):
        return looks[styles[0]]
    letters: Counter[int] = Counter()
    for style, word in zip(styles, words, strict=True):
        letters[style] += len(word)
    return looks[letters.most_common(1)[0][0]]
