"""PDF_TEXT: the text of a page, from its text layer or from what was recognised on its picture."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.hidden_text import list_hidden
from services.pdf.worker.page_text import read_as_mapped, read_places
from services.pdf.worker.paged import Lists
from services.pdf.worker.recognised import certain_in, confidence_of, merge, take, text_of
from services.pdf.worker.scans import NEVER, Want, wanted
from services.pdf.worker.strings import fit

MAX_PAGE_CHARACTERS = 1_000_000

_NOT_YET: Mapping[str, Any] = {}
"""Stands for a page that nobody has tried to recognise."""


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """One of ExtractTextResponse's items, or why there is none, or that the page must be recognised first.

    `arguments["ocr"]` is "auto", "force" or "never", which is the default. `arguments[CONTENT]` is the pages that have
    been recognised, as JSON: by the page's number as text what an OCR worker made of its picture, or null if it made
    nothing of it. A page that must be recognised and is not among them adds to `wanted` its `page` and the `reason`.
    With `arguments["include_hidden"]` the others add to `hidden` too.
    """
    found = _read(document, page, arguments)
    if "wanted" in found or not arguments.get("include_hidden"):
        return found
    return {**found, "hidden": list(list_hidden(document, page))}


def _read(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    mapped = read_as_mapped(document, page)
    mode = arguments.get("ocr", NEVER)
    want = wanted(document, page, mode, mapped)
    text = fit(mapped)
    if want is None:
        return _item(page, text, _confidence(_certain(text), text))
    found = _recognised(arguments.get(CONTENT, b"{}")).get(str(page), _NOT_YET) if mode != NEVER else None
    if found is _NOT_YET:
        return {"wanted": [{"page": page, "reason": want.reason}]}
    if found is not None:
        return _merged(document, page, text, want, found)
    if want.reason == "no_text":
        return {"failures": [failures.scan(page, arguments.get("ocr_missing", ""))]}
    return _item(page, text, _confidence(_certain(text), text))


def _merged(document: Document, page: int, text: str, want: Want, found: Mapping[str, Any]) -> Lists:
    """The item of a recognised page, which keeps the text of its layer if nothing could be read.

    Else the layer counts only beside pictures: where its letters mean nothing, or the caller wants it read again, what
    was read stands for it.
    """
    layer = read_places(document, page) if want.reason == "picture" else None
    recognised = take(found, want.areas, layer.letters if layer else ())
    lines = recognised.lines
    confidence = _confidence(_certain(text), text)
    if lines and layer:
        certain = _certain(text) + certain_in(lines)
        text = merge(lines, want.areas, layer)
        confidence = _confidence(certain, text)
    elif lines:
        text, confidence = text_of(lines), confidence_of(lines)
    elif not text.strip():
        confidence = confidence_of(recognised.illegible)
    return _item(page, text, confidence, ocr=bool(lines), ocr_reason=want.reason)


def _item(page: int, text: str, confidence: float, *, ocr: bool = False, ocr_reason: str = "") -> Lists:
    if len(text) > MAX_PAGE_CHARACTERS:
        message = f"The page's text has {len(text)} characters, over the limit of {MAX_PAGE_CHARACTERS}."
        return {"failures": [failures.too_large(page, message)]}
    item = {"page": page, "text": text, "ocr": ocr, "confidence": round(confidence, 3), "ocr_reason": ocr_reason}
    return {"items": [item]}


def _confidence(certain: float, text: str) -> float:
    """The share of the text's characters that are right as far as is known, white space aside."""
    characters = len("".join(text.split()))
    return min(certain / characters, 1.0) if characters else 1.0


def _certain(text: str) -> int:
    """The characters that the file itself says; U+FFFD stands for what it does not."""
    return len("".join(text.split())) - text.count("\ufffd")


@lru_cache(maxsize=1)
def _recognised(content: bytes) -> Mapping[str, Mapping[str, Any] | None]:
    """Parsed once for all pages of a request."""
    pages: Mapping[str, Mapping[str, Any] | None] = orjson.loads(content)
    return pages
