"""PDF_TEXT: the text of a page."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from services.pdf.worker import failures
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.hidden import Findings
from services.pdf.worker.page_text import find_hidden, is_scan, read_text
from services.pdf.worker.page_trace import Box
from services.pdf.worker.paged import Lists
from services.pdf.worker.strings import fold

MAX_PAGE_CHARACTERS = 1_000_000
MAX_HIDDEN = 200
MAX_HIDDEN_CHARACTERS = 20_000
"""Pieces of hidden text that are shown of a page, and their characters."""


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """One of ExtractTextResponse's items, or why there is none. `include_hidden` among the arguments adds `hidden`."""
    text = read_text(document, page)
    hidden = {"hidden": list(_hidden(document, page))} if arguments.get("include_hidden") else {}
    if len(text) > MAX_PAGE_CHARACTERS:
        message = f"The page's text has {len(text)} characters, over the limit of {MAX_PAGE_CHARACTERS}."
        return {"failures": [failures.too_large(page, message)], **hidden}
    if not text.strip() and is_scan(document, page):
        return {"failures": [failures.scan(page)], **hidden}
    item = {"page": page, "text": text, "ocr": False, "confidence": _confidence(text)}
    return {"items": [item], **hidden}


def _hidden(document: Document, page: int) -> Iterator[dict[str, Any]]:
    """HiddenText of a page."""
    found = attempt(find_hidden, document, page, otherwise=Findings(is_unchecked=True))
    room = MAX_HIDDEN_CHARACTERS
    for number, each in enumerate(found.hidden):
        text = fold(each.piece.text)
        room -= len(text)
        if number == MAX_HIDDEN or room < 0:
            yield _piece(page, "", "more", found.sheet)
            break
        yield _piece(page, text, each.reason, each.piece.box)
    if found.is_unchecked:
        yield _piece(page, "", "unchecked", found.sheet)


def _piece(page: int, text: str, reason: str, box: Box) -> dict[str, Any]:
    edges = (round(edge, 2) if math.isfinite(edge) else 0.0 for edge in box)
    bbox = dict(zip(("x0", "y0", "x1", "y1"), edges, strict=True))
    return {"page": page, "text": text, "reason": reason, "bbox": bbox}


def _confidence(text: str) -> float:
    """The share of characters that the file itself says; U+FFFD stands for what it does not."""
    doubtful = text.count("\ufffd")
    return round(1 - doubtful / len("".join(text.split())), 3) if doubtful else 1.0
