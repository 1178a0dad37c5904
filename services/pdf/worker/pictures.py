"""The picture of a page, as text recognition reads it: grey, upright, at the page's own resolution, and bounded."""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from services.pdf.worker import failures
from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.drawing import draw
from services.pdf.worker.look import Look
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_pictures import Picture, find_pictures
from services.pdf.worker.reading import read_layer
from services.pdf.worker.scans import judge
from services.pdf.worker.sheet import edges
from services.pdf.worker.structured_text import load_page

MOST_PIXELS = 16_000_000
"""A3 at 285 dpi, and as many bytes as one answer of a worker may have. A larger page is drawn at a lower resolution."""

_LEAST_DPI, _MOST_DPI = 150, 400
_USUAL_DPI = 300
"""For letters that are no bitmaps and so have no resolution of their own."""

_ENLARGED_PIXELS = 9_000_000
"""A4 at 300 dpi. What has more is not enlarged to the least resolution: some scanners make a pixel a point."""

_ILLEGIBLE_DPI = 30
"""A page that must be drawn at less is too large to show anything."""

_MOST_AREAS = 8
"""Parts of a page that are drawn by themselves, which runs it each time; more are drawn as one."""

_MOSTLY = 0.5
"""Share of a page that pictures cover if theirs is the resolution of its text."""


def render(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The picture of a page that wants to be read, as binary PGM (P5, 8 bits).

    Args:
        document: The document.
        arguments: `page`, from 1, and `reason`, as `read_pages` wants it. For the
            reason "picture" only the pictures that want to be read are drawn, and all else is white.

    Returns:
        As header `dpi`, a whole number, `width` and `height` in pixels, and the picture; or as header `failure`, a
        PageFailure, and nothing.
    """
    page = arguments["page"]
    return attempt(_render, document, page, arguments["reason"], otherwise=({"failure": failures.broken(page)}, b""))


def _render(document: Document, page: int, reason: str) -> tuple[dict[str, Any], bytes]:
    areas: Sequence[Box] = ()
    if reason == "picture":
        look = Look(document, page)
        want = judge(look, read_layer(look).mapped).want
        areas = want.areas if want else ()
        if len(areas) > _MOST_AREAS:
            areas = [reduce(Box.around, areas)]
    loaded = load_page(document, page)
    sheet = edges(mupdf.fz_bound_page(loaded))
    dpi = choose_dpi(sheet, areas or [sheet], find_pictures(loaded))
    if dpi < _ILLEGIBLE_DPI:
        message = f"The page is so large that its picture has more than {MOST_PIXELS} pixels at {_ILLEGIBLE_DPI} dpi."
        return {"failure": failures.too_large(page, message)}, b""
    width, height, pixels = draw(document, page, dpi, areas)
    return {"dpi": dpi, "width": width, "height": height}, b"P5\n%d %d\n255\n%b" % (width, height, pixels)


def choose_dpi(sheet: Box, areas: Sequence[Box], pictures: Sequence[Picture]) -> int:
    """The resolution at which to draw `areas` of the sheet.

    That of the largest picture, from 150 to 400, and 300 at least where other things than pictures are drawn; less
    where the sheet would have more than `MOST_PIXELS`.
    """
    inside = [each for each in pictures if any(area.holds(each.box.middle) for area in areas)]
    own = 0.0
    if inside:
        largest = max(inside, key=lambda each: each.box.area)
        own = 72 * math.sqrt(largest.width * largest.height / largest.box.area)
    if sum(each.box.area for each in inside) < _MOSTLY * sum(area.area for area in areas):
        dpi = max(own, _USUAL_DPI)
    elif sheet.area * (_LEAST_DPI / 72) ** 2 > _ENLARGED_PIXELS:
        dpi = own
    else:
        dpi = max(own, _LEAST_DPI)
    # A pixel more than computed is drawn at two of the edges.
    bound = 72 * math.sqrt(MOST_PIXELS / ((sheet.x1 - sheet.x0 + 1) * (sheet.y1 - sheet.y0 + 1)))
    return int(min(dpi, _MOST_DPI, bound))
