"""The part of a page that is shown, and where things stand on it."""

import math
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf

_CROP_BOX = mupdf.pdf_new_name("CropBox")
_MEDIA_BOX = mupdf.pdf_new_name("MediaBox")
_RECT = mupdf.pdf_new_name("Rect")


def find_page(document: Document, page: int) -> Any:
    """The dictionary of page `page` (from 1).

    A crop box without area, or outside the page, shows nothing at all. Other readers show the whole page then, and so
    does this one.

    Raises mupdf.FzErrorBase when there is no such page.
    """
    leaf = mupdf.pdf_lookup_page_obj(document.pdf, page - 1)
    crop = mupdf.pdf_dict_get_inheritable(leaf, _CROP_BOX)
    if mupdf.pdf_is_array(crop):
        media = mupdf.pdf_dict_get_inheritable(leaf, _MEDIA_BOX)
        shown = mupdf.fz_intersect_rect(mupdf.pdf_to_rect(crop), mupdf.pdf_to_rect(media))
        if mupdf.pdf_is_array(media) and mupdf.fz_is_empty_rect(shown):
            mupdf.pdf_dict_put(leaf, _CROP_BOX, media)
    return leaf


def to_unrotated(leaf: Any) -> Any:
    """The matrix from a file's coordinates on a page to points from the top left of what is shown, before rotation.

    `leaf` is the page's dictionary, from `find_page`. Raises mupdf.FzErrorBase when the page's boxes cannot be read.
    """
    shown, turned = mupdf.FzRect(), mupdf.FzMatrix()
    mupdf.pdf_page_obj_transform(leaf, shown, turned)
    unit = math.hypot(turned.a, turned.b)  # the page's /UserUnit
    return mupdf.fz_make_matrix(unit, 0, 0, -unit, -shown.x0 * unit, shown.y1 * unit)


def read_box(item: Any, matrix: Any) -> dict[str, float]:
    """An annotation's /Rect as a `papermesh.pdf.v1.Rectangle`, to hundredths; empty at the origin if it has none."""
    box = mupdf.fz_transform_rect(mupdf.pdf_to_rect(mupdf.pdf_dict_get(item, _RECT)), matrix)
    sides = (box.x0, box.y0, box.x1, box.y1)
    known = sides if all(map(math.isfinite, sides)) else (0.0,) * 4
    return {name: round(side, 2) for name, side in zip(("x0", "y0", "x1", "y1"), known, strict=True)}
