"""Whether a page may hide text: a look that costs a fraction of reading it, and sends few pages to the trial.

It takes what MuPDF has found for the text anyway, with fills and pictures among the lines, and asks MuPDF to print it
twice: for the looks of the letters, and for the places of lines, fills and pictures. Both are done in C.
"""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

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

_WHITE = b"ffffff"

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
    inks = _Inks(colors, found, styled)
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


def _is_any_close(colors: Iterable[bytes], other: bytes) -> bool:
    """The same of one of several, red, green and blue in hexadecimal each."""
    red, green, blue = bytes.fromhex(other.decode("ascii"))
    most = 255 * LEAST_CONTRAST
    for color in colors:
        number = int(color, 16)
        if (
            abs((number & 255) - blue) < most
            and abs((number >> 8 & 255) - green) < most
            and abs((number >> 16) - red) < most
        ):
            return True
    return False


class _Inks:
    """The colours of a page's text."""

    def __init__(self, colors: set[bytes], found: Any, styled: bytes) -> None:
        """`found` is the mupdf.FzStextPage that is printed in `styled`."""
        self.are_white = _is_any_close(colors, _WHITE)
        self._colors = colors
        self._found = found
        self._styled = styled

    def are_close(self, ground: bytes) -> bool:
        """Whether one of them nearly is the colour."""
        return _is_any_close(self._colors, ground)

    def are_close_in(self, line: bytes, grounds: Iterable[bytes]) -> bool:
        """Whether one in a line is, which is told by its box as MuPDF prints it; else any where it is not known."""
        colors = self._lines.get(line, self._colors)
        return any(_is_any_close(colors, ground) for ground in grounds)

    @cached_property
    def _lines(self) -> Mapping[bytes, set[bytes]]:
        lines = [line for line, _ in _LINE.findall(_printed(self._found, _print_places))]
        paragraphs = self._styled.split(b"<p ")[1:]
        found: defaultdict[bytes, set[bytes]] = defaultdict(set)
        if len(lines) == len(paragraphs):
            for line, paragraph in zip(lines, paragraphs, strict=True):
                found[line].update(_COLOR.findall(paragraph))
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


def _suspects(places: Iterable[tuple[bytes, ...]], inks: _Inks, large: float) -> Iterator[Box]:
    """Lines under later shapes, and lines that have nearly the colour of paper or of a shape below.

    A picture of the area `large` or more is a scan, whose text may well lie under it. Raises CrowdedPageError.
    """
    drawn = [(kind, line or shape, _box(line or shape), color) for kind, line, shape, color in places]
    drawn = [each for each in drawn if each[0] == b"line" or _is_thick(each[2])]
    if not inks.are_white and all(kind == b"line" for kind, *_ in drawn):
        return
    close = {color for color in {color for *_, color in drawn} if color and inks.are_close(color)}
    lines: Rows[_Line] = Rows()
    grounds: Rows[bytes] = Rows()
    for kind, printed, box, color in drawn:
        if kind == b"line":
            below = [ground for shape, ground in grounds.near(box) if _is_under(box, box.common(shape))]
            if (below or inks.are_white) and inks.are_close_in(printed, [*below, _WHITE]):
                yield box
            else:
                lines.add(box, _Line(box))
        elif color or box.area < large:
            for _, line in lines.near(box):
                if line.cover(box):
                    yield line.box
            if color in close:
                grounds.add(box, color)


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


def _is_thick(shape: Box) -> bool:
    x0, y0, x1, y1 = shape
    return x1 - x0 >= _LEAST_SIDE and y1 - y0 >= _LEAST_SIDE


def _sides(box: Box) -> tuple[float, float]:
    return box.x1 - box.x0, box.y1 - box.y0


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
