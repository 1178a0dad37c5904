"""Whether a page may hide text: a look that costs a tenth of reading it, and sends few pages to the trial.

It takes what MuPDF has found for the text anyway, with fills and pictures among the lines, and asks MuPDF to print it
twice: for the looks of the letters, and for the places of lines, fills and pictures. Both are done in C.
"""

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_trace import Box, CrowdedPageError, overlap
from services.pdf.worker.rows import Rows
from services.pdf.worker.structured_text import structure

LEAST_EM = 2.0
"""Text with an em of fewer points is too small to be read."""

LEAST_OPACITY = 0.1
LEAST_CONTRAST = 0.125
"""By how much one of red, green and blue must differ from the ground, of 1. Closer colours are looked at."""

PICTURES = 0.3
"""The share of a page that pictures cover if its text may be their text, recognised by another program."""

_WHITE = (1.0, 1.0, 1.0)

_LOOK = re.compile(r"font-size:([\d.]+)pt(?:;color:#(\w{6}))?")
_PLACE = re.compile(
    r'<(line|vector|image) bbox="(\S+) (\S+) (\S+) ([^"]+)"'
    r'(?: stroke="(\d)"[^>]*argb="(\w+)"| wmode="\d" dir="[^"]*" flags="\d+" text="([^"]*))?'
)
_HALF = 0.5
"""The share of a line's height that a shape must cover. Lines under and through words cover less."""

_LEAST_WIDTH = 1.0
"""Points of a letter's width, on average; less may be very narrow text."""

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
    looks = set(_LOOK.findall(_printed(found, _print_looks)))
    texts = [_channels(color) for _, color in looks if color]
    if not looks:
        return False
    if any(not color or float(size) < LEAST_EM for size, color in looks):
        return True
    if any(is_close(color, _WHITE) for color in texts):
        return True
    resources = _Resources(document, page)
    if resources.are_faint:
        return True
    if resources.have_pictures:
        found = structure(loaded, _DRAWN)
    try:
        return _Places(found, texts).may_hide
    except CrowdedPageError:
        return True


def is_close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two colours are so alike that text in one may be lost on the other."""
    return all(abs(mine - theirs) < LEAST_CONTRAST for mine, theirs in zip(one, other, strict=True))


class _Places:
    """The lines of a page, and the shapes that may hide them."""

    def __init__(self, found: Any, texts: list[tuple[float, ...]]) -> None:
        """Raises CrowdedPageError. `texts` are the colours of text on the page."""
        self.may_hide = False
        self._texts = texts
        sheet = found.m_internal.mediabox
        self._large = PICTURES * (sheet.x1 - sheet.x0) * (sheet.y1 - sheet.y0)
        self._lines: Rows[None] = Rows()
        self._fills: Rows[None] = Rows()
        for kind, *edges, stroke, argb, text in _PLACE.findall(_printed(found, _print_places)):
            if stroke == "1" or argb[:2] == "00":
                continue
            x0, y0, x1, y1 = map(float, edges)
            if kind == "line":
                self._add_line((x0, y0, x1, y1), text)
            elif x1 - x0 >= 1 and y1 - y0 >= 1:
                self._add_shape((x0, y0, x1, y1), argb)
            if self.may_hide:
                break

    def _add_line(self, box: Box, text: str) -> None:
        self._lines.add(box, None)
        if _is_narrow(box, text) or any(_is_half(box, fill) for fill, _ in self._fills.near(box)):
            self.may_hide = True

    def _add_shape(self, box: Box, argb: str) -> None:
        """`argb` is empty for a picture; a large one is a scan, whose text may well lie under it."""
        if not argb and (box[2] - box[0]) * (box[3] - box[1]) >= self._large:
            return
        if any(_is_half(line, box) for line, _ in self._lines.near(box)):
            self.may_hide = True
        elif argb and any(is_close(color, _channels(argb[2:])) for color in self._texts):
            self._fills.add(box, None)


def _is_half(line: Box, shape: Box) -> bool:
    """Whether a shape lies over half of the height of a line, or half of its width where that is the lesser."""
    x0, y0, x1, y1 = overlap(line, shape)
    least = min(line[2] - line[0], line[3] - line[1])
    return min(x1 - x0, y1 - y0) >= _HALF * least


def _is_narrow(line: Box, text: str) -> bool:
    length = max(line[2] - line[0], line[3] - line[1])
    return length < _LEAST_WIDTH * len(text) and length < _LEAST_WIDTH * len(html.unescape(text))


def _channels(color: str) -> tuple[float, ...]:
    return tuple(int(color[index : index + 2], 16) / 255 for index in (0, 2, 4))


def _print_looks(output: Any, found: Any) -> None:
    mupdf.fz_print_stext_page_as_html(output, found, 0)


def _print_places(output: Any, found: Any) -> None:
    mupdf.ll_fz_print_stext_page_as_xml_with_flags(output.m_internal, found.m_internal, 0, 0)


def _printed(found: Any, write: Callable[[Any, Any], None]) -> str:
    buffer = mupdf.fz_new_buffer(4096)
    output = mupdf.FzOutput(buffer)
    write(output, found)
    output.fz_close_output()
    text: str = mupdf.fz_buffer_extract_copy(buffer).decode("utf-8", "replace")
    return text


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
