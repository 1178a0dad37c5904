"""A document with the changes of a comparison marked on it, as comments that every reader of PDFs can show."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.base.errors import bad_arg, too_large
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_boxes import find_page

_COLOURS = {
    "insert": (0.55, 0.9, 0.6),
    "delete": (1.0, 0.55, 0.5),
    "modify": (1.0, 0.85, 0.35),
    "move": (0.6, 0.78, 1.0),
    "format": (0.86, 0.7, 1.0),
}
"""Red, green and blue from 0 to 1, as in the report on screen."""

_AUTHOR = "Papermesh"


def annotate(document: Document, arguments: Mapping[str, Any]) -> bytes:
    """The document, saved anew with its marks.

    Args:
        document: The document.
        arguments: `marks`, each a page's number, from 1; boxes, as lists of four edges in points from the top left of
            the page; the op that gives its colour; and what the comment says. `most_bytes` of the result.

    A page that cannot be parsed gets none.

    Raises:
        PapermeshError: TOO_LARGE over the limit; BAD_ARG for a document that cannot be saved.
    """
    marks: dict[int, list[Sequence[Any]]] = {}
    for mark in arguments["marks"]:
        marks.setdefault(mark[0], []).append(mark)
    for page, on_page in marks.items():
        if page <= document.page_count:
            attempt(_mark, document, page, on_page, otherwise=None)
    saved = attempt(_save, document, otherwise=b"")
    if not saved:
        raise bad_arg("The document is too damaged to be saved anew.", reason="broken")
    most = arguments["most_bytes"]
    if len(saved) > most:
        message = f"With its changes marked the document has more than {most} bytes. Take another format of the report."
        raise too_large(message, limit_bytes=most)
    return saved


def _save(document: Document) -> bytes:
    content = mupdf.FzBuffer(document.size)
    output = mupdf.FzOutput(content)
    options = mupdf.PdfWriteOptions()
    options.do_compress = 1
    mupdf.pdf_write_document(document.pdf, output, options)
    output.fz_close_output()
    return bytes(mupdf.fz_buffer_extract(content))


def _mark(document: Document, page: int, marks: Sequence[Sequence[Any]]) -> None:
    find_page(document, page)
    loaded = mupdf.pdf_load_page(document.pdf, page - 1)
    corner = mupdf.fz_bound_page(loaded.super())
    for _, boxes, op, said in marks:
        note = mupdf.pdf_create_annot(loaded, mupdf.PDF_ANNOT_HIGHLIGHT)
        for x0, y0, x1, y1 in boxes:
            box = mupdf.FzRect(x0 + corner.x0, y0 + corner.y0, max(x1, x0 + 2) + corner.x0, y1 + corner.y0)
            mupdf.pdf_add_annot_quad_point(note, mupdf.fz_quad_from_rect(box))
        mupdf.pdf_set_annot_color(note, _COLOURS[op])
        mupdf.pdf_set_annot_author(note, _AUTHOR)
        mupdf.pdf_set_annot_contents(note, said)
        mupdf.pdf_update_annot(note)
