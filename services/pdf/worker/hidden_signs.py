"""Whether a page may hide text: a look that costs a fraction of reading it, and sends few pages to the trial.

It takes what MuPDF has found for the text anyway, with fills and pictures among the lines, and asks MuPDF to print it
twice: for the looks of the letters, and for the places of lines, fills and pictures. Both are done in C.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_trace import MOST_DRAWN, Box, CrowdedPageError, edges, overlap
from services.pdf.worker.rows import Rows
from services.pdf.worker.structured_text import structure

LEAST_EM = 2.0
"""Text with an em of fewer points is too small to be read."""

LEAST_OPACITY = 0.1
LEAST_CONTRAST = 0.125
"""By how much one of red, green and blue must differ from the ground, of 1. Closer colours are looked at."""

PICTURES = 0.3
"""The share of a page that pictures cover if text under them may be theirs, recognised by another program."""

_WHITE = (1.0, 1.0, 1.0)

_LOOK = re.compile(rb'font-size:(\d+(?:\.\d+)?pt(?:;color:#[0-9a-f]{6})?)[;"]')
_PLACE = re.compile(
    rb'<(line|vector|image) bbox="(\S+) (\S+) (\S+) ([^"]+)"'
    rb'(?: stroke="(\d)"[^>]*argb="(\w+)"| wmode="\d" dir="[^"]*" flags="\d+" text="([^"]*))?'
)
_Place: TypeAlias = tuple[bytes, ...]
"""What kind, four edges, whether it is stroked, opacity and color in hexadecimal, text."""

_HALF = 0.5
"""The share of a line's height that a shape must cover. Lines under and through words cover less."""

_LEAST_SIDE = 1.0
"""Points of a shape's width or height. Thinner ones are lines."""

_LEAST_WIDTH = 1.0
"""Points of a letter's width, on average; less may be very narrow text."""

_LEAST_SIZE = 4.9
"""Points. Only text of which MuPDF says a lesser size can be so narrow, unless it is more than 12 points high."""

_MOST_FORMS = 100
"""Forms and annotations whose resources are looked at, and entries of each dictionary."""

_RESOURCES = mupdf.pdf_new_name("Resources")
_STATES = mupdf.pdf_new_name("ExtGState")
_OBJECTS = mupdf.pdf_new_name("XObject")
_ANNOTATIONS = mupdf.pdf_new_name("Annots")
_FILL_OPACITY = mupdf.pdf_new_name("ca")
_APPEARANCE = mupdf.pdf_new_name("AP")
_NORMAL = mupdf.pdf_new_name("N")
_MASK = mupdf.pdf_new_name("SMask")

_DRAWN = mupdf.FzStextOptions(pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_MEDIABOX_CLIP)


def may_hide_text(document: Document, page: int, loaded: Any, found: Any) -> bool:
    """Whether page `page` (from 1) shows any sign of it.

    Args:
        document: Where it is.
        page: Its number.
        loaded: The same as a mupdf.FzPage.
        found: A mupdf.FzStextPage of it with vectors, which may come after their lines.
    """
    if _has_more_blocks(found, MOST_DRAWN):  # printing millions of them would take all the memory of a worker
        return True
    looks = set(_LOOK.findall(_printed(found, _print_looks)))  # "10.5pt;color:#0000ff"; no color if invisible
    least = min((float(look.partition(b"pt")[0]) for look in looks), default=LEAST_EM)
    colors = [_channels(look.partition(b"#")[2]) for look in looks if b"#" in look]
    if len(colors) < len(looks) or least < LEAST_EM or any(is_close(color, _WHITE) for color in colors):
        return True
    resources = _Resources(document, page)
    if resources.are_faint:
        return True
    if resources.have_pictures:
        found = structure(loaded, _DRAWN)
    places = _PLACE.findall(_printed(found, _print_places))
    if least < _LEAST_SIZE and any(map(_is_narrow, places)):
        return True
    try:
        return _are_covered(places, colors, PICTURES * _area(edges(found.m_internal.mediabox)))
    except CrowdedPageError:
        return True


def is_close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two colours are so alike that text in one may be lost on the other."""
    return all(abs(mine - theirs) < LEAST_CONTRAST for mine, theirs in zip(one, other, strict=False))


def _has_more_blocks(found: Any, most: int) -> bool:
    block = found.m_internal.first_block
    while block and most >= 0:
        most -= 1
        block = block.next
    return most < 0


def _are_covered(places: Sequence[_Place], colors: Sequence[tuple[float, ...]], large: float) -> bool:
    """Whether a line lies under a later shape, or over one that has nearly the colour of text on the page.

    A picture of the area `large` or more is a scan, whose text may well lie under it. Raises CrowdedPageError.
    """
    lines: Rows[list[float]] = Rows()  # with the areas that shapes cover
    fills: Rows[None] = Rows()
    shown = [(place[0], _box(place), place[6]) for place in places if place[5] != b"1" and place[6][:2] != b"00"]
    shapes = [(kind, box, argb) for kind, box, argb in shown if kind == b"line" or min(_sides(box)) >= _LEAST_SIDE]
    fill_colors = {argb for kind, _, argb in shapes if kind == b"vector"}
    if not fill_colors and all(kind == b"line" for kind, _, _ in shapes):
        return False
    close = {argb for argb in fill_colors if any(is_close(color, _channels(argb[2:])) for color in colors)}
    for kind, box, argb in shapes:
        if kind == b"line":
            if any(_is_half(box, fill) for fill, _ in fills.near(box)):
                return True
            lines.add(box, [0.0])
        elif argb or _area(box) < large:
            for line, covered in lines.near(box):
                covered[0] += _area(overlap(line, box))
                if _is_half(line, box) or covered[0] >= _HALF * _area(line):
                    return True
            if argb in close:
                fills.add(box, None)
    return False


def _is_half(line: Box, shape: Box) -> bool:
    """Whether a shape lies over half of the height of a line, or half of its width where that is the lesser."""
    return min(_sides(overlap(line, shape))) >= _HALF * min(_sides(line))


def _is_narrow(place: _Place) -> bool:
    """Whether the letters of a line have next to no width."""
    text = place[7]
    if not text:
        return False
    length = max(_sides(_box(place)))
    return length < _LEAST_WIDTH * len(text) and length < _LEAST_WIDTH * len(
        html.unescape(text.decode("ascii", "replace"))
    )


def _box(place: _Place) -> Box:
    return float(place[1]), float(place[2]), float(place[3]), float(place[4])


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


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


class _Resources:
    """What the resources of a page and of its annotations name, and those of forms in them."""

    def __init__(self, document: Document, page: int) -> None:
        self.are_faint = False
        """Something may be drawn through a mask or with next to no opacity, which the looks of letters do not tell."""

        self.have_pictures = False
        leaf = mupdf.pdf_lookup_page_obj(document.pdf, page - 1)
        forms = [mupdf.pdf_dict_get_inheritable(leaf, _RESOURCES)]
        annotations = mupdf.pdf_dict_get(leaf, _ANNOTATIONS)
        for index in range(min(mupdf.pdf_array_len(annotations), _MOST_FORMS)):
            appearance = mupdf.pdf_dict_get(mupdf.pdf_array_get(annotations, index), _APPEARANCE)
            if not appearance.m_internal:
                continue  # as most links have none
            forms.append(mupdf.pdf_dict_get(mupdf.pdf_dict_get(appearance, _NORMAL), _RESOURCES))
        for resources in forms:  # grows as it goes
            self.are_faint = self.are_faint or any(map(_is_faint, _values(mupdf.pdf_dict_get(resources, _STATES))))
            for drawn in _values(mupdf.pdf_dict_get(resources, _OBJECTS)):
                inner = mupdf.pdf_dict_get(drawn, _RESOURCES)
                if not inner.m_internal:
                    self.have_pictures = True
                elif len(forms) < _MOST_FORMS:
                    forms.append(inner)


def _is_faint(state: Any) -> bool:
    opacity = mupdf.pdf_dict_get(state, _FILL_OPACITY)
    if opacity.m_internal and mupdf.pdf_to_real(opacity) < LEAST_OPACITY:
        return True
    return bool(mupdf.pdf_is_dict(mupdf.pdf_dict_get(state, _MASK)))


def _values(dictionary: Any) -> Iterator[Any]:
    for index in range(min(mupdf.pdf_dict_len(dictionary), _MOST_FORMS)):
        yield mupdf.pdf_dict_get_val(dictionary, index)
