"""Whether a page may hide text: a look that costs a fraction of reading it, and sends few pages to the trial.

It takes what MuPDF has found for the text anyway, with fills and pictures among the lines, and asks MuPDF to print it
twice: for the looks of the letters, and for the places of lines, fills and pictures. Both are done in C.
"""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, TypeAlias

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_resources import PageResources
from services.pdf.worker.rows import Rows
from services.pdf.worker.sheet import EVERYWHERE, CrowdedPageError, edges
from services.pdf.worker.structured_text import structure

LEAST_EM = 2.0
"""Text with an em of fewer points is too small to be read."""

LEAST_CONTRAST = 0.125
"""By how much one of red, green and blue must differ from the ground, of 1. Closer colours are looked at."""

PICTURES = 0.3
"""The share of a page that pictures cover if text under them may be theirs, recognised by another program."""

_WHITE = (1.0, 1.0, 1.0)

_LOOK = re.compile(rb'font-size:(\d+(?:\.\d+)?pt(?:;color:#[0-9a-f]{6})?)[;"]')
_COLOR = re.compile(rb";color:#([0-9a-f]{6})")
_PLACE = re.compile(
    rb'<(line|image) bbox="([^"]+)"'
    rb'|<vector bbox="([^"]+)" stroke="0"[^>]*argb="(?!00)[0-9a-f]{2}([0-9a-f]{6})"'
)
_LINE = re.compile(rb'<line bbox="([^"]+)" wmode="\d" dir="[^"]*" flags="\d+" text="([^"]*)')

_HALF = 0.5
"""The share of a line's height that a shape must cover. Lines under and through words cover less."""

_LETTER = 0.25
"""The least width of a letter that is worth hiding, in heights of its line."""

_LEAST_SIDE = 1.0
"""Points of a shape's width or height. Thinner ones are lines."""

_LEAST_WIDTH = 1.0
"""Points of a letter's width, on average; less may be very narrow text."""

_LEAST_SIZE = 4.9
"""Points. Only text of which MuPDF says a lesser size can be so narrow, unless it is more than 12 points high."""

_MOST_BYTES = 4_000_000
"""Of what MuPDF has found. Printing more would take too much of a worker's memory. 10,000 shapes take 800,000."""

_DRAWN = mupdf.FzStextOptions(pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_MEDIABOX_CLIP)

_Color: TypeAlias = tuple[float, ...]
"""Red, green and blue, from 0 to 1."""


def find_signs(document: Document, page: int, loaded: Any, found: Any) -> Box | None:
    """Where page `page` (from 1) shows any sign of hidden text: an area around all signs; None if it shows none.

    Args:
        document: Where it is.
        page: Its number.
        loaded: The same as a mupdf.FzPage.
        found: A mupdf.FzStextPage of it with vectors, which may come after their lines.
    """
    if mupdf.ll_fz_pool_size(found.m_internal.pool) > _MOST_BYTES:
        return EVERYWHERE
    styled = _printed(found, _print_looks)
    looks = set(_LOOK.findall(styled))  # "10.5pt;color:#0000ff"; no color if invisible
    least = min((float(look.partition(b"pt")[0]) for look in looks), default=LEAST_EM)
    colors = {look.partition(b"#")[2] for look in looks}
    if b"" in colors or least < LEAST_EM:
        return EVERYWHERE
    resources = PageResources(document, page)
    if resources.are_faint:
        return EVERYWHERE
    inks = _Inks({_channels(color) for color in colors}, found, styled)
    printed = _printed(structure(loaded, _DRAWN) if resources.have_pictures else found, _print_places)
    if least < _LEAST_SIZE and any(map(_is_narrow, _LINE.findall(printed))):
        return EVERYWHERE
    try:
        suspects = list(_suspects(_PLACE.findall(printed), inks, PICTURES * edges(found.m_internal.mediabox).area))
    except CrowdedPageError:
        return EVERYWHERE
    return reduce(Box.around, suspects) if suspects else None


def is_close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two colours are so alike that text in one may be lost on the other."""
    return all(abs(mine - theirs) < LEAST_CONTRAST for mine, theirs in zip(one, other, strict=False))


class _Inks:
    """The colours of a page's text."""

    def __init__(self, colors: set[_Color], found: Any, styled: bytes) -> None:
        """`found` is the mupdf.FzStextPage that is printed in `styled`."""
        self.colors = colors
        self.are_white = any(is_close(color, _WHITE) for color in colors)
        self._found = found
        self._styled = styled

    def of(self, line: bytes) -> Collection[_Color]:
        """Those of a line, which is told by its box as MuPDF prints it; all of the page where that is not known."""
        return self._lines.get(line, self.colors)

    @cached_property
    def _lines(self) -> Mapping[bytes, set[_Color]]:
        lines = [line for line, _ in _LINE.findall(_printed(self._found, _print_places))]
        paragraphs = self._styled.split(b"<p ")[1:]
        found: defaultdict[bytes, set[_Color]] = defaultdict(set)
        if len(lines) == len(paragraphs):
            for line, paragraph in zip(lines, paragraphs, strict=True):
                found[line].update(map(_channels, _COLOR.findall(paragraph)))
        return found


@dataclass(slots=True)
class _Line:
    """A line of text, and what later shapes cover of it."""

    box: Box
    covered: Box | None = None
    """Around all that is covered."""

    area: float = 0.0
    """Of that, in square points."""

    def cover(self, shape: Box) -> bool:
        """Whether a later shape covers letters of it, alone or with those before."""
        shared = self.box.common(shape)
        self.covered = self.covered.around(shared) if self.covered else shared
        self.area += shared.area
        return _is_under(self.box, shared) or (
            self.area >= _HALF * self.covered.area and _is_under(self.box, self.covered)
        )


def _suspects(places: Sequence[tuple[bytes, ...]], inks: _Inks, large: float) -> Iterator[Box]:
    """Lines under later shapes, and lines that have nearly the colour of paper or of a shape below.

    A picture of the area `large` or more is a scan, whose text may well lie under it. Raises CrowdedPageError.
    """
    shapes = [(kind, line or shape, _box(line or shape), argb) for kind, line, shape, argb in places]
    shapes = [each for each in shapes if each[0] == b"line" or min(_sides(each[2])) >= _LEAST_SIDE]
    if not inks.are_white and all(kind == b"line" for kind, *_ in shapes):
        return
    channels = {color: _channels(color) for *_, color in shapes if color}
    close = {color for color, ground in channels.items() if any(is_close(ink, ground) for ink in inks.colors)}
    lines: Rows[_Line] = Rows()
    grounds: Rows[_Color] = Rows()
    for kind, printed, box, color in shapes:
        if kind == b"line":
            below = [ground for shape, ground in grounds.near(box) if _is_under(box, box.common(shape))]
            if inks.are_white or below:
                below.append(_WHITE)
                if any(is_close(ink, ground) for ink in inks.of(printed) for ground in below):
                    yield box
                    continue
            lines.add(box, _Line(box))
        elif color or box.area < large:
            yield from (line.box for _, line in lines.near(box) if line.cover(box))
            if color in close:
                grounds.add(box, channels[color])


def _is_under(line: Box, shared: Box) -> bool:
    """Whether what a shape shares with a line is half of its height and as wide as a narrow letter.

    In a line that runs down it is half of its width and as long as that.
    """
    (width, height), thickness = _sides(shared), min(_sides(line))
    is_level = line.x1 - line.x0 >= line.y1 - line.y0
    return height >= _HALF * thickness and width >= (_LETTER if is_level else _HALF) * thickness


def _is_narrow(line: tuple[bytes, bytes]) -> bool:
    """Whether the letters of a line have next to no width."""
    place, text = line
    if not text:
        return False
    length = max(_sides(_box(place)))
    return length < _LEAST_WIDTH * len(text) and length < _LEAST_WIDTH * len(
        html.unescape(text.decode("ascii", "replace"))
    )


def _box(printed: bytes) -> Box:
    return Box(*map(float, printed.split()))


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _channels(color: bytes) -> tuple[float, ...]:
    return tuple(int(color[index : index + 2], 16) / 255 for index in (0, 2, 4))


def _print_looks(output: Any, found: Any) -> None:
    mupdf.fz_print_stext_page_as_html(output, found, 0)


def _print_places(output: Any, found: Any) -> None:
    mupdf.ll_fz_print_stext_page_as_xml_with_flags(output.m_internal, found.m_internal, 0, 0)


def _printed(found: Any, write: Callable[[Any, Any], None]) -> bytes:
    buffer = mupdf.fz_new_buffer(1 << 16)
    output = mupdf.FzOutput(buffer)
    write(output, found)
    output.fz_close_output()
    content: bytes = mupdf.fz_buffer_extract_copy(buffer)
    return content
