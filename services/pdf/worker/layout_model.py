"""Where the blocks of a page are and what they are, by the model that learned it: PyMuPDF's layout model.

A graph network over the lines of a page and a picture of it (`pymupdf.layout`, 1.3 million weights, in PyMuPDF's own
package). It tells boxes apart, and no words: those come from the page's reading.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import orjson

from services.pdf.worker import failures
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.look import TEXT
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.structured_text import load_page, plain_text, structure

_MOST_POINTS = 16_000_000
"""The model looks at a picture of the page with a pixel for each square point. A0 has half as many."""

_MOST_CHARACTERS = 50_000
"""Of a page; a page of a newspaper has half as many. Each line becomes a node of the graph."""

MOST_BOXES = 500
"""Of a page, the first of them; what stands in others counts as text that is in none."""

_TYPES = {
    "title": "heading",
    "section-header": "heading",
    "text": "text",
    "formula": "text",
    "list-item": "list",
    "table": "table",
    "picture": "image",
    "caption": "caption",
    "footnote": "footnote",
    "page-header": "header",
    "page-footer": "footer",
}
"""The names of its classes, and what a block of that class is."""


def find_boxes(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The boxes of the blocks of a page, in reading order: `arguments` has `page`, from 1.

    As JSON a list of left, top, right, bottom (points from the top left of the page as a reader sees it) and type; or
    as header `failure`, a PageFailure, and nothing.
    """
    page = arguments["page"]
    return attempt(_find, document, page, otherwise=({"failure": failures.broken(page)}, b""))


def _find(document: Document, page: int) -> tuple[dict[str, Any], bytes]:
    loaded = load_page(document, page)
    sheet = mupdf.fz_bound_page(loaded)
    points = (sheet.x1 - sheet.x0) * (sheet.y1 - sheet.y0)
    if points > _MOST_POINTS or len(plain_text(structure(loaded, TEXT))) > _MOST_CHARACTERS:
        message = (
            f"The model reads pages of at most {_MOST_POINTS} square points and {_MOST_CHARACTERS} characters; "
            "take the mode rules."
        )
        return {"failure": failures.too_large(page, message)}, b""
    shown = pymupdf.Page(loaded, pymupdf.Document(document.pdf))
    found = [
        (round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2), _TYPES.get(name, "text"))
        for x0, y0, x1, y1, name in _model().predict(shown)[:MOST_BOXES]
    ]
    return {}, orjson.dumps(found)


@cache
def _model() -> Any:
    """The model, in one thread, which tells nobody that it runs.

    ONNX Runtime's wheels report their use, by a thread of their own, unless told not to. The import of the model's
    package is refused in `services.pdf.worker.mupdf`, for it would load the model with threads for each processor. Here
    it is loaded all the same, once, in a zygote that is for models.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions

    def in_one_thread() -> Any:
        made = options()
        made.intra_op_num_threads = made.inter_op_num_threads = 1
        return made

    if sys.modules.get("pymupdf.layout", ...) is None:
        del sys.modules["pymupdf.layout"]
    onnxruntime.SessionOptions = in_one_thread
    pymupdf._get_layout = len  # noqa: SLF001  # anything that can be called keeps the package from loading it by itself
    try:
        loaded = import_module("pymupdf.layout.DocumentLayoutAnalyzer").get_model()
    finally:
        onnxruntime.SessionOptions = options
        pymupdf._get_layout = None  # noqa: SLF001  # so that `find_tables` runs no model by itself
    model: Any = loaded._model  # noqa: SLF001  # what it wraps is for processes of its own
    model.table_grid_extractor = None  # cells are filled from the page's words
    return model
