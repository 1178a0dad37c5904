"""PDF_TEXT: the text of a page."""

from collections.abc import Mapping
from typing import Any

from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.page_text import is_scan, read_text
from services.pdf.worker.paged import Lists

MAX_PAGE_CHARACTERS = 1_000_000


def read_page(document: Document, page: int, _arguments: Mapping[str, Any]) -> Lists:
    """One of ExtractTextResponse's items, or why there is none."""
    text = read_text(document, page)
    if len(text) > MAX_PAGE_CHARACTERS:
        message = f"The page's text has {len(text)} characters, over the limit of {MAX_PAGE_CHARACTERS}."
        return {"failures": [failures.too_large(page, message)]}
    if not text.strip() and is_scan(document, page):
        return {"failures": [failures.scan(page)]}
    return {"items": [{"page": page, "text": text, "ocr": False, "confidence": _confidence(text)}]}


def _confidence(text: str) -> float:
    """The share of characters that the file itself says; U+FFFD stands for what it does not."""
    doubtful = text.count("\ufffd")
    return round(1 - doubtful / len("".join(text.split())), 3) if doubtful else 1.0
