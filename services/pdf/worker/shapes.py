"""What a page draws beside text and pictures: straight thin lines and filled boxes, as tables and layout need them.

MuPDF's structured text has them all from one run, cut into straight pieces in C; its XML gives them at once. What is
asked of each is its box and its color.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

from services.pdf.worker.mupdf import in_c, mupdf
from services.pdf.worker.words import UNITS

MOST_BLOCKS = 50_000
"""Shapes and blocks of text. A page with more is a drawing or an attack; printing all would take all the memory."""

MOST_RULES = 4_000
MOST_FILLS = 2_000
"""The most that are kept, namely the longest and the largest. A table of 10,000 cells has 202 rules."""

_THIN = 3.0
"""Points across a rule, at most. What is wider is a filled box."""

_LEAST_RULE = 3.0
"""Points along a rule, at least; what is shorter belongs to a letter or to a drawing."""

_APART = 1.5
"""Points between the pieces of one rule, at most: many programs draw a table's lines cell by cell."""

_ASIDE = 0.8
"""Points by which they may be off the line."""

_WHITE = 0xF8
"""Red, green and blue from here up are the paper's: nobody sees them."""

_EVERYTHING = 0.9
"""The share of a page that only a background covers."""

_SHAPE = re.compile(rb'<vector bbox="(\S+) (\S+) (\S+) ([^"]+)" stroke="(\d)" rectangle="(\d)"[^>]*argb="(\w\w)(\w+)"')

_Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in hundredths of a point."""


@dataclass(slots=True)
class Shapes:
    """Flat lists of four hundredths of a point a box: left, top, right and bottom, as a reader sees the page."""

    rules: list[int] = field(default_factory=list)
    """Lines that run across or down, at most 3 points wide, pieces joined, and the sides of boxes with an outline."""

    fills: list[int] = field(default_factory=list)
    """Filled boxes, neither white nor as large as the page."""

    is_crowded: bool = False
    """Whether there are more than are kept."""


def find_shapes(found: Any) -> Shapes:
    """The shapes of a mupdf.FzStextPage with vectors. What lies off the page is left out."""
    if _has_more_blocks(found):
        return Shapes(is_crowded=True)
    bounds = found.m_internal.mediabox
    sheet = [edge * UNITS for edge in (bounds.x0, bounds.y0, bounds.x1, bounds.y1)]
    drawn = _Drawn(_EVERYTHING * (sheet[2] - sheet[0]) * (sheet[3] - sheet[1]))
    for *edges, stroke, straight, alpha, color in dict.fromkeys(_SHAPE.findall(_printed(found))):
        left, top, right, bottom = edges
        box = (_units(left), _units(top), _units(right), _units(bottom))
        if box[2] < sheet[0] or box[3] < sheet[1] or box[0] > sheet[2] or box[1] > sheet[3]:
            continue
        if straight == b"1" and alpha != b"00" and not _is_white(color):
            drawn.add(box, is_stroke=stroke == b"1")
    rules = [*_joined(drawn.across), *map(_turned, _joined(map(_turned, drawn.upright)))]
    long = [box for box in rules if max(box[2] - box[0], box[3] - box[1]) >= _LEAST_RULE * UNITS]
    return Shapes(
        rules=_kept(long, MOST_RULES),
        fills=_kept(drawn.fills, MOST_FILLS),
        is_crowded=len(long) > MOST_RULES or len(drawn.fills) > MOST_FILLS,
    )


@dataclass(slots=True)
class _Drawn:
    """What has been found, as it was drawn."""

    everything: float
    """The area of a background, in square units."""

    across: list[_Box] = field(default_factory=list)
    upright: list[_Box] = field(default_factory=list)
    fills: list[_Box] = field(default_factory=list)

    def add(self, box: _Box, *, is_stroke: bool) -> None:
        """A straight line or a rectangle."""
        x0, y0, x1, y1 = box
        width, height = x1 - x0, y1 - y0
        thin = (2 if is_stroke else 1) * _THIN * UNITS  # MuPDF makes a stroke's box twice as wide as the stroke
        if height <= thin and width > height:
            self.across.append(box)
        elif width <= thin and height > width:
            self.upright.append(box)
        elif is_stroke:
            self.across += ((x0, y0, x1, y0), (x0, y1, x1, y1))
            self.upright += ((x0, y0, x0, y1), (x1, y0, x1, y1))
        elif width * height < self.everything:
            self.fills.append(box)


def _kept(boxes: list[_Box], most: int) -> list[int]:
    """The longest or largest of the boxes, at most so many, from top to bottom."""
    if len(boxes) > most:
        boxes = sorted(boxes, key=lambda box: box[0] - box[2] + box[1] - box[3])[:most]
    ordered: list[_Box] = sorted(boxes, key=_place)
    return list(chain.from_iterable(ordered))


def _place(box: _Box) -> tuple[int, int]:
    return box[1], box[0]


def _joined(pieces: Iterable[_Box]) -> Iterator[_Box]:
    """Lines that run across, those pieces of one line as one that touch."""
    aside, apart = _ASIDE * UNITS, _APART * UNITS
    ahead = sorted(pieces, key=lambda box: box[1] + box[3])
    begin = 0
    while begin < len(ahead):
        middle = ahead[begin][1] + ahead[begin][3]
        end = begin
        while end < len(ahead) and ahead[end][1] + ahead[end][3] <= middle + 2 * aside:
            end += 1
        x0, y0, x1, y1 = (row := sorted(ahead[begin:end]))[0]
        for left, top, right, bottom in row[1:]:
            if left > x1 + apart:
                yield x0, y0, x1, y1
                x0, y0, x1, y1 = left, top, right, bottom
            else:
                x1, y0, y1 = max(x1, right), min(y0, top), max(y1, bottom)
        yield x0, y0, x1, y1
        begin = end


def _turned(box: _Box) -> _Box:
    """Across for down."""
    return box[1], box[0], box[3], box[2]


def _units(place: bytes) -> int:
    return round(float(place) * UNITS)


@lru_cache(maxsize=256)
def _is_white(color: bytes) -> bool:
    return min(int(color[:2], 16), int(color[2:4], 16), int(color[4:6], 16)) >= _WHITE


def _has_more_blocks(found: Any) -> bool:
    block = found.m_internal.first_block
    following = in_c.fz_stext_block_next_get  # a quarter of the cost of its attribute
    left = MOST_BLOCKS
    while block and left >= 0:
        left -= 1
        block = following(block)
    return left < 0


def _printed(found: Any) -> bytes:
    buffer = mupdf.fz_new_buffer(1 << 16)
    output = mupdf.FzOutput(buffer)
    mupdf.ll_fz_print_stext_page_as_xml_with_flags(output.m_internal, found.m_internal, 0, 0)
    output.fz_close_output()
    content: bytes = mupdf.fz_buffer_extract_copy(buffer)
    return content
