"""Text that MuPDF itself does not draw: on optional layers that are off, and in annotations flagged as hidden."""

from collections.abc import Iterator
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.hidden import Hidden
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_trace import trace
from services.pdf.worker.pieces import Piece, Point
from services.pdf.worker.sheet import CrowdedPageError, Sheet

_ROOT = mupdf.pdf_new_name("Root")
_LAYERS = mupdf.pdf_new_name("OCProperties")
_ANNOTATIONS = mupdf.pdf_new_name("Annots")
_FLAGS = mupdf.pdf_new_name("F")
_NOT_SHOWN = 2 | 32
"""Hidden, and NoView (ISO 32000-1, table 165)."""

_MOST_LAYERS = 1000
_MOST_ANNOTATIONS = 1000


def find_switched_off(document: Document, page: int) -> tuple[list[Hidden], bool]:
    """Such text on page `page` (from 1), and whether the page has too much on it to find all.

    The document is opened once more for it, so that it stays as it is. Raises mupdf.FzErrorBase when the page cannot be
    drawn.
    """
    leaf = mupdf.pdf_lookup_page_obj(document.pdf, page - 1)
    root = mupdf.pdf_dict_get(mupdf.pdf_trailer(document.pdf), _ROOT)
    has_layers = mupdf.pdf_is_dict(mupdf.pdf_dict_get(root, _LAYERS)) and _is_any_off(document.pdf)
    has_annotations = any(True for _ in _not_shown(leaf))
    found: list[Hidden] = []
    if not has_layers and not has_annotations:
        return found, False
    stream = mupdf.fz_open_memory(mupdf.python_buffer_data(document.content), document.size)
    pdf = mupdf.pdf_open_document_with_stream(stream)
    try:
        shown = {place for piece in _pieces(pdf, page) for place in piece.places}
        if has_layers:
            for layer in range(min(mupdf.pdf_count_layers(pdf), _MOST_LAYERS)):
                mupdf.pdf_enable_layer(pdf, layer, 1)
            found += _new(pdf, page, shown, "layer_off")
        if has_annotations:
            for annotation in _not_shown(mupdf.pdf_lookup_page_obj(pdf, page - 1)):
                flags = mupdf.pdf_to_int(mupdf.pdf_dict_get(annotation, _FLAGS))
                mupdf.pdf_dict_put_int(annotation, _FLAGS, flags & ~_NOT_SHOWN)
            found += _new(pdf, page, shown, "hidden_annotation")
    except CrowdedPageError:
        return found, True
    return found, False


def _is_any_off(pdf: Any) -> bool:
    """Whether a layer is switched off: most files that have layers show them all."""
    layers = range(min(mupdf.pdf_count_layers(pdf), _MOST_LAYERS))
    return not all(mupdf.pdf_layer_is_enabled(pdf, layer) for layer in layers)


def _not_shown(leaf: Any) -> Iterator[Any]:
    annotations = mupdf.pdf_dict_get(leaf, _ANNOTATIONS)
    for index in range(min(mupdf.pdf_array_len(annotations), _MOST_ANNOTATIONS)):
        annotation = mupdf.pdf_array_get(annotations, index)
        if mupdf.pdf_to_int(mupdf.pdf_dict_get(annotation, _FLAGS)) & _NOT_SHOWN:
            yield annotation


def _new(pdf: Any, page: int, shown: set[tuple[Point, str]], reason: str) -> Iterator[Hidden]:
    """What is drawn now and was not before; `shown` gets it too."""
    for piece in _pieces(pdf, page):
        if not shown.issuperset(piece.places):
            shown.update(piece.places)
            yield Hidden(piece, reason)


def _pieces(pdf: Any, page: int) -> list[Piece]:
    sheet = Sheet(mupdf.pdf_load_page(pdf, page - 1).super())
    return [piece for piece in trace(sheet).pieces if piece.text.strip()]
