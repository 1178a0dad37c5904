"""Pages that must be recognised, without Tesseract: what stands in for a picture says how long it takes to read.

A page whose own text is "scan 2.5 words" wants recognition, which takes 2.5 seconds and gives "words". In place of the
number, "crash" ends the worker, and "broken" and "huge" are pages that cannot be rendered.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.page_text import read_text
from services.pdf.worker.paged import Lists

NOT_RENDERED = {"broken": failures.broken(1), "huge": failures.too_large(1, "The picture is too large.")}


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """Items as PDF_TEXT has them."""
    text = read_text(document, page).strip()
    if text.startswith("scan"):
        if arguments["ocr"] == "never":
            return {"failures": [failures.scan(page)]}
        recognised = orjson.loads(arguments.get(CONTENT, b"{}"))
        if str(page) not in recognised:
            return {"wanted": [{"page": page, "reason": "no_text"}]}
        text = recognised[str(page)]["text"]
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
    time.sleep(float(seconds))
    return orjson.dumps({"text": f"{words.strip()} in {'+'.join(arguments['languages'])}"})
