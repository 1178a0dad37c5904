"""Pages that must be recognised, without Tesseract: what stands in for a picture says how long it takes to read.

A page whose own text is "scan 2.5 words" wants recognition, which takes 2.5 seconds and gives "words". In place of the
number, "crash" ends the worker, and "broken" and "huge" are pages that cannot be rendered.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.pages import pages_in
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.words import Line, Reading, to_bytes
from tests.services.pdf.viewing import read_text

NOT_RENDERED = {"broken": failures.broken(1), "huge": failures.too_large(1, "The picture is too large.")}


def read_pages(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Their readings, as of the step of this name."""
    recognised = orjson.loads(arguments[CONTENT]) if arguments.get("recognised") else {}
    found: list[Any] = []
    readings = []
    for page in pages_in(arguments["ranges"] or [(1, document.page_count)]):
        text = read_text(document, page).strip()
        reading = Reading(595, 842, 0, [], [Line(text, 0)])
        if text.startswith("scan"):
            if str(page) in recognised:
                reading.lines, reading.ocr_reason = [Line(recognised[str(page)]["text"], 0)], "no_text"
            elif arguments["ocr"] == "auto":
                found.append("no_text")
                continue
            else:
                reading.want = "no_text"
        readings.append(to_bytes(reading))
        found.append([len(readings[-1]), not (reading.want or reading.ocr_reason)])
    return {"pages": document.page_count, "found": found}, b"".join(readings)


def picture(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The page's own text in the place of a picture."""
    text = read_text(document, arguments["page"])
    failure = next((NOT_RENDERED[word] for word in text.split() if word in NOT_RENDERED), None)
    return ({"failure": failure}, b"") if failure else ({"dpi": 300}, text.encode())


def recognise(_folder: str, arguments: Mapping[str, Any]) -> bytes:
    """Reads such a picture."""
    if not arguments["languages"]:  # warming up
        return b""
    _, seconds, words = arguments[CONTENT].decode().split(maxsplit=2)
    if seconds == "crash":
        os.abort()
    time.sleep(float(seconds))
    return orjson.dumps({"text": f"{words.strip()} in {'+'.join(arguments['languages'])}"})
