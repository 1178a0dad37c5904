"""A page drawn in grey or in colour, upright as a reader sees it, and a quick look for letters in it."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.structured_text import load_page, structure

GREY = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_GRAY)
COLOUR = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)
_WHITE = 255

_LOOK_PIXELS = 500_000
"""Of the small picture in which letters are looked for: A4 at 72 dpi."""

_EDGES = 12
"""Dark places in a row of that picture if it runs through letters, at least. A row of a form has fewer."""

_LETTER_ROWS = 5
"""Such rows if there is a line of letters, at least. A ruling has fewer."""

_SHAPES = mupdf.FzStextOptions(mupdf.FZ_STEXT_COLLECT_VECTORS | pymupdf.TEXT_PRESERVE_IMAGES)
_MOST_SHAPES = 20_000
"""A page full of outlines of letters has 5,000."""

_MOST_LAYERS = 50
"""How often a page may be painted over."""

_INK = 160
_DARK = bytes(value < _INK for value in range(256))
"""By a pixel's grey, whether it is ink."""


class Drawing(NamedTuple):
    """A picture."""

    width: int
    height: int
    """In pixels."""

    pixels: bytes
    """Row by row from the top, 0 is black: one byte each in grey; red, green and blue in colour."""


def sheet_of(document: Document, page: int) -> Box:
    """What is shown of page `page` (from 1), as large as it is drawn, from the origin.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    sheet = mupdf.fz_bound_page(load_page(document, page))
    return Box(0.0, 0.0, sheet.x1 - sheet.x0, sheet.y1 - sheet.y0)


def draw(document: Document, page: int, dpi: float, areas: Sequence[Box] = (), space: Any = GREY) -> Drawing:
    """Page `page` (from 1) at a resolution of `dpi` in `GREY` or `COLOUR`, annotations included.

    With `areas`, in points, only these are drawn, and all else is white. MuPDF unpacks large pictures at a reduced
    size, so that a bitmap of 35,000 x 35,000 takes 100 MB.

    Raises mupdf.FzErrorBase when the page cannot be parsed, or nothing of it can be drawn.
    """
    return _draw(load_page(document, page), dpi / 72, areas, space)


def shows_letters(document: Document, page: int) -> bool:
    """Whether page `page` (from 1) shows a line of letters, though of outlines or of many small pictures.

    Doubt means yes: hatching and charts may look like letters. Raises mupdf.FzErrorBase when it cannot be parsed.
    """
    loaded = load_page(document, page)
    sheet = mupdf.fz_bound_page(loaded)
    sides = sheet.x1 - sheet.x0, sheet.y1 - sheet.y0
    size = math.prod(sides)
    scale = min(1.0, math.sqrt(_LOOK_PIXELS / max(size, 1.0)))
    # A page may be so much longer than wide that no picture of so few pixels has its length.
    if max(sides) * scale > _LOOK_PIXELS or _takes_long(loaded, size):
        return True
    width, height, pixels = _draw(loaded, scale)
    if pixels.count(_WHITE) == len(pixels):
        return False
    dark = pixels.translate(_DARK)
    rows = (dark[start : start + width] for start in range(0, width * height, width))
    return sum(row.count(b"\0\1") >= _EDGES for row in rows) >= _LETTER_ROWS


def _takes_long(page: Any, size: float) -> bool:
    """Whether shapes lie upon one another so often, or are so many, that a quick look is none."""
    shapes = structure(page, _SHAPES)  # by a name until the end: its blocks and their boxes are in its memory
    boxes = [each.m_internal.bbox for each in itertools.islice(shapes, _MOST_SHAPES)]
    drawn = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in boxes)
    return len(boxes) == _MOST_SHAPES or drawn > _MOST_LAYERS * size


def _draw(page: Any, scale: float, areas: Sequence[Box] = (), space: Any = GREY) -> Drawing:
    sheet = mupdf.fz_bound_page(page)
    matrix = mupdf.FzMatrix(scale, 0, 0, scale, -sheet.x0 * scale, -sheet.y0 * scale)
    width, height = (max(math.ceil(side * scale), 1) for side in (sheet.x1 - sheet.x0, sheet.y1 - sheet.y0))
    whole = mupdf.FzIrect(0, 0, width, height)
    pixmap = mupdf.fz_new_pixmap_with_bbox(space, whole, mupdf.FzSeparations(), 0)
    mupdf.fz_clear_pixmap_with_value(pixmap, _WHITE)
    errors = 0
    for part in [_part(area, scale) for area in areas] or [whole]:
        cookie = mupdf.FzCookie()
        device = mupdf.fz_new_draw_device_with_bbox(matrix, pixmap, part)
        mupdf.fz_run_page(page, device, mupdf.FzMatrix(), cookie)
        mupdf.fz_close_device(device)
        errors += cookie.m_internal.errors
    pixels = bytes(mupdf.fz_pixmap_samples_memoryview(pixmap))
    if errors and pixels.count(_WHITE) == len(pixels):
        raise mupdf.FzErrorSyntax("nothing of the page can be drawn")
    return Drawing(width, height, pixels)


def _part(area: Box, scale: float) -> Any:
    return mupdf.FzIrect(
        math.floor(area.x0 * scale), math.floor(area.y0 * scale), math.ceil(area.x1 * scale), math.ceil(area.y1 * scale)
    )
