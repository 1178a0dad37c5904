"""Pages that must be recognised, without Tesseract: what stands in for a picture says how long it takes to read.

A page whose own text is "scan 2.5 words" wants recognition, which takes 2.5 seconds and gives "words". In place of the
number, "crash" ends the worker, "lie" makes it answer with what `LIES` has for the words, and "broken" and "huge" are
pages that cannot be rendered.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.page_text import read_text
from services.pdf.worker.paged import Lists

LIES = {
    "noise": b"\xff\x00 no JSON",
    "another shape": b'{"lines": [{"words": "all of them"}]}',
    "an error": b'{"error": {"code": "NOT_FOUND"}}',
    "endless": b"[" * (3 << 20),
}
"""What a worker may answer that a picture has taken over."""

NOT_RENDERED = {"broken": failures.broken(1), "huge": failures.too_large(1, "The picture is too large.")}


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """Items as PDF_TEXT has them."""
    text = read_text(document, page).strip()
    if text.startswith("scan"):
        if arguments["ocr"] == "never":
            return {"failures": [failures.scan(page)]}
        found = orjson.loads(arguments.get(CONTENT, b"{}"))
        if str(page) not in found:
            return {"wanted": [{"page": page, "reason": "no_text"}]}
        [line] = found[str(page)]["lines"]
        text = " ".join(word["text"] for word in line["words"])
    return {"items": [{"page": page, "text": text}]}


def picture(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The page's own text in the place of a picture."""
    text = read_text(document, arguments["page"])
    failure = next((NOT_RENDERED[word] for word in text.split() if word in NOT_RENDERED), None)
    return ({"failure": failure}, b"") if failure else ({"dpi": 300}, text.encode())


def recognise(arguments: Mapping[str, Any]) -> bytes:
    """Reads such a picture."""
    if not arguments["languages"]:  # warming up
        return b""
    _, seconds, words = arguments[CONTENT].decode().split(maxsplit=2)
    if seconds == "crash":
        os.abort()
    if seconds == "lie":
        return LIES[words.strip()]
    time.sleep(float(seconds))
    return recognised(f"{words.strip()} in {'+'.join(arguments['languages'])}", arguments["languages"])


def recognised(text: str, languages: Sequence[str]) -> bytes:
    """A page with these words, as an ocr worker has it."""
    place = {"x0": 0, "y0": 0, "x1": 9, "y1": 9, "confidence": 0.5}
    lines = [{"words": [{"text": word, **place} for word in text.split()]}]
    return orjson.dumps(
        {"version": 1, "dpi": 300, "width": 10, "height": 10, "languages": list(languages), "lines": lines}
    )
