"""The part of a page that is shown."""

from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf

_CROP_BOX = mupdf.pdf_new_name("CropBox")
_MEDIA_BOX = mupdf.pdf_new_name("MediaBox")


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
