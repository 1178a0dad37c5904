"""The text of a page that nobody sees, as PDF_TEXT lists it."""

import math
from collections.abc import Iterator
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.hidden import Findings
from services.pdf.worker.page_text import find_hidden
from services.pdf.worker.strings import fold

MAX_HIDDEN = 200
MAX_HIDDEN_CHARACTERS = 20_000
"""Pieces that are shown of a page, and their characters."""


def list_hidden(document: Document, page: int) -> Iterator[dict[str, Any]]:
    """The HiddenText of page `page` (from 1), as JSON; a last one without text says what may be missing, and why."""
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
