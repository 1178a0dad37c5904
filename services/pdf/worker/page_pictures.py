"""The pictures on a page and how much of it they cover, found without unpacking any of them."""

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.sheet import edges
from services.pdf.worker.structured_text import structure

_PICTURES = mupdf.FzStextOptions(pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_MEDIABOX_CLIP)

_MOST_PICTURES = 20_000
"""The most that are looked at; a page with more is drawn out of them, and its first ones tell as much."""

_GRID = 64
"""Cells of a page across and down, by which its coverage is measured. Pictures that meet in them are one area: many
programs cut a scan into strips."""

_LEAST_SHARE = 0.02
"""Of a page; a smaller part is a logo, and is left out."""

_MOST_AREAS = 64
"""Parts that are told apart, at most."""

_MOST_NAMED = 300
"""The most pictures and forms among a page's resources that are looked at, nested ones included."""

LEGIBLE = 140_000
"""Pixels of a page's pictures together, if they hold legible text over 30 % of it, at least: A4 at 70 dpi."""

_LEAST_BYTES, _MOST_BYTES = 4000, 256_000
"""Packed content with fewer has no picture of text; with more it is not unpacked for a look."""

_INLINE = re.compile(rb"\bBI\s.{1,400}?\bID\s", re.DOTALL)

_CONTENTS = mupdf.pdf_new_name("Contents")
_LENGTH = mupdf.pdf_new_name("Length")
_RESOURCES = mupdf.pdf_new_name("Resources")
_X_OBJECT = mupdf.pdf_new_name("XObject")
_SUBTYPE = mupdf.pdf_new_name("Subtype")
_WIDTH = mupdf.pdf_new_name("Width")
_HEIGHT = mupdf.pdf_new_name("Height")


class Picture(NamedTuple):
    """A bitmap as it is drawn on a page."""

    box: Box
    width: int
    height: int
    """Its own pixels."""


class Area(NamedTuple):
    """A part of a page that pictures cover without a gap between them."""

    box: Box
    share: float
    """Of the page, from 0 to 1."""


def find_pictures(loaded: Any) -> list[Picture]:
    """The pictures on a mupdf.FzPage, stencils and inline ones included.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    return [Picture(box, image.w(), image.h()) for box, image in itertools.islice(find_images(loaded), _MOST_PICTURES)]


def find_images(loaded: Any) -> Iterator[tuple[Box, Any]]:
    """Likewise, each as a mupdf.FzImage and the box in which it is drawn, as far as that is on the page."""
    text_page = structure(loaded, _PICTURES)
    sheet = edges(text_page.m_internal.mediabox)
    for block in text_page:
        if block.m_internal.type == mupdf.FZ_STEXT_BLOCK_IMAGE:
            box = edges(block.m_internal.bbox).common(sheet)
            if box.area:
                yield box, block.i_image()


def may_have_pictures(document: Document, page: int, pixels: int = LEGIBLE) -> bool:
    """Whether page `page` (from 1) names pictures with so many pixels, by default enough for text, or too many to tell.

    A tenth of what finding them costs. Inline pictures are not among them (`may_have_inline_pictures`).

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    leaf = mupdf.pdf_lookup_page_obj(document.pdf, page - 1)
    queue = [mupdf.pdf_dict_get_inheritable(leaf, _RESOURCES)]
    found = seen = 0
    while queue:
        named = mupdf.pdf_dict_get(queue.pop(), _X_OBJECT)
        for index in range(mupdf.pdf_dict_len(named)):
            seen += 1
            each = mupdf.pdf_dict_get_val(named, index)
            if mupdf.pdf_to_name(mupdf.pdf_dict_get(each, _SUBTYPE)) == "Form":
                queue.append(mupdf.pdf_dict_get(each, _RESOURCES))
            else:
                found += mupdf.pdf_dict_get_int(each, _WIDTH) * mupdf.pdf_dict_get_int(each, _HEIGHT)
            if found >= pixels or seen > _MOST_NAMED:
                return True
    return False


def may_have_inline_pictures(document: Document, page: int) -> bool:
    """Whether the content of page `page` (from 1) has a picture within it, or is too long to tell.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    contents = mupdf.pdf_dict_get(mupdf.pdf_lookup_page_obj(document.pdf, page - 1), _CONTENTS)
    streams = [mupdf.pdf_array_get(contents, index) for index in range(min(mupdf.pdf_array_len(contents), _MOST_NAMED))]
    for stream in streams or [contents]:
        packed = mupdf.pdf_dict_get_int(stream, _LENGTH)
        if packed > _MOST_BYTES:
            return True
        if packed >= _LEAST_BYTES:
            content = mupdf.fz_buffer_extract_copy(mupdf.pdf_load_stream(stream))
            if b"BI" in content and _INLINE.search(content):
                return True
    return False


def covered_areas(boxes: Sequence[Box], sheet: Box) -> list[Area]:
    """The larger parts of the sheet that the boxes cover, those that touch joined, the largest first."""
    if sum(box.area for box in boxes) < _LEAST_SHARE * sheet.area:
        return []
    rows = [0] * _GRID
    marks = [(_cells(box, sheet), box) for box in boxes]
    for (x0, y0, x1, y1), _ in marks:
        mask = (1 << x1) - (1 << x0)
        for row in range(y0, y1) if mask else ():
            rows[row] |= mask
    areas: list[Area] = []
    for _ in range(_MOST_AREAS):
        start = next((row for row in range(_GRID) if rows[row]), None)
        if start is None:
            break
        part = _take_part(rows, start)
        share = sum(row.bit_count() for row in part) / _GRID**2
        if share >= _LEAST_SHARE:
            inside = (box for (x0, y0, x1, y1), box in marks if x0 < x1 and y0 < y1 and part[y0] >> x0 & 1)
            areas.append(Area(reduce(Box.around, inside).common(sheet), share))
    return sorted(areas, key=lambda area: -area.share)


def _cells(box: Box, sheet: Box) -> tuple[int, int, int, int]:
    """The box in cells of the grid, rounded alike at each edge, so that strips leave no gap and none counts twice."""
    across, down = (sheet.x1 - sheet.x0) / _GRID, (sheet.y1 - sheet.y0) / _GRID
    common = box.common(sheet)
    if not (common.area and across and down):
        return 0, 0, 0, 0
    return (
        round((common.x0 - sheet.x0) / across),
        round((common.y0 - sheet.y0) / down),
        round((common.x1 - sheet.x0) / across),
        round((common.y1 - sheet.y0) / down),
    )


def _take_part(rows: list[int], start: int) -> list[int]:
    """Takes one connected part out of the rows, which has the first cell of row `start`."""
    part = [0] * _GRID
    part[start] = rows[start] & -rows[start]
    grown = True
    while grown:
        grown = False
        for row in (*range(_GRID), *reversed(range(_GRID))):
            near = part[row]
            near |= near << 1 | near >> 1
            near |= part[row - 1] if row else 0
            near |= part[row + 1] if row + 1 < _GRID else 0
            more = near & rows[row]
            while more & ~part[row]:
                part[row] |= more
                grown = True
                more = (part[row] | part[row] << 1 | part[row] >> 1) & rows[row]
    for row, taken in enumerate(part):
        rows[row] &= ~taken
    return part
