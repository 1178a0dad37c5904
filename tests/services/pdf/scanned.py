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

from services.pdf.pages import pages_in
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.words import Line, Reading, to_bytes
from tests.services.pdf.viewing import read_text

LIES = {
    "noise": b"\xff\x00 no JSON",
    "another shape": b'{"lines": [{"words": "all of them"}]}',
    "an error": b'{"error": {"code": "NOT_FOUND"}}',
    "endless": b"[" * (3 << 20),
}
"""What a worker may answer that a picture has taken over."""

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
                [line] = recognised[str(page)]["lines"]
                reading.lines = [Line(" ".join(word["text"] for word in line["words"]), 0)]
                reading.ocr_reason = "no_text"
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
