"""Pages that must be recognised, without Tesseract: what stands in for a picture says how long it takes to read.

A page whose own text is "scan 2.5 words" wants recognition, which takes 2.5 seconds and gives "words"; "crash" in place
of the number ends the worker.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker.documents import Document
from services.pdf.worker.page_text import read_text
from services.pdf.worker.paged import Lists, wanted


def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists:
    """Items as PDF_TEXT has them."""
    text = read_text(document, page).strip()
    if text.startswith("scan"):
        recognised = orjson.loads(arguments.get(CONTENT, b"{}"))
        if str(page) not in recognised:
            return wanted("no_text")
        text = recognised[str(page)]["text"]
    return {"items": [{"page": page, "text": text}]}


def picture(document: Document, arguments: Mapping[str, Any]) -> bytes:
    """The page's own text in the place of a picture."""
    return read_text(document, arguments["page"]).encode()


def recognise(_folder: str, arguments: Mapping[str, Any]) -> bytes:
    """Reads such a picture."""
    _, seconds, words = arguments[CONTENT].decode().split(maxsplit=2)
    if seconds == "crash":
        os.abort()
    time.sleep(float(seconds))
    return orjson.dumps({"text": f"{words.strip()} in {'+'.join(arguments['languages'])}"})
