"""Reads pages for the service, which keeps the readings and has the views of the document made from them."""

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from services.pdf.pages import choose_pages, count_pages, pages_in
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import failures
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.look import Look
from services.pdf.worker.merge import merge
from services.pdf.worker.reading import read_layer
from services.pdf.worker.scans import AUTO, FORCE, Want, judge
from services.pdf.worker.words import Reading, to_bytes

MAX_PAGE_CHARACTERS = 1_000_000


def read_pages(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The readings of pages, or how many there are if they are to be cut into parts.

    Args:
        document: The document.
        arguments: `ranges` of pages, or none for all; the most that may be asked for, `most`, and how many this worker
            reads, `spread`; `ocr`, which is "auto", "never" or "force". If they are `recognised`, the content is JSON
            that has for each page, by number, what an ocr worker made of its picture, or null. After `until` (seconds
            of the monotonic clock), and over `bytes` of readings, no more are begun.

    Returns:
        As header `pages`, how many the document has, and `found`. It has for each page, in order, the length of its
        reading and whether it is the same with every `ocr` but "force"; or why its picture must be read first; or a
        PageFailure. Without `found`, there are more pages than one worker reads. The readings, one after another.
        Raises BAD_ARG and TOO_LARGE as `choose_pages` does.
    """
    chosen = choose_pages(document.page_count, arguments["ranges"], arguments["most"])
    if count_pages(chosen) > arguments["spread"]:
        return {"pages": document.page_count}, b""
    found: list[Any] = []
    readings: list[bytes] = []
    room, until = arguments["bytes"], arguments.get("until")
    for page in pages_in(chosen):
        if (found and room < 0) or (until is not None and time.monotonic() > until):
            break
        read = _attempt(document, page, arguments)
        if isinstance(read, Reading):
            content = to_bytes(read)
            room -= len(content)
            readings.append(content)
            found.append([len(content), not (read.want or read.ocr_reason)])
        else:
            found.append(read.reason if isinstance(read, Want) else read)
    return {"pages": document.page_count, "found": found}, b"".join(readings)


def _attempt(document: Document, page: int, arguments: Mapping[str, Any]) -> Reading | Want | PageFailure:
    return attempt(_read, document, page, arguments, otherwise=None) or failures.broken(page)


def _read(document: Document, page: int, arguments: Mapping[str, Any]) -> Reading | Want | PageFailure:
    recognised = _recognised(arguments[CONTENT]) if arguments.get("recognised") else {}
    is_recognised = str(page) in recognised
    mode = arguments["ocr"]
    if mode == FORCE and not is_recognised:
        return Want("forced")
    look = Look(document, page)
    reading, mapped = read_layer(look)
    length = len(reading.text)
    if length > MAX_PAGE_CHARACTERS:
        message = f"The page's text has {length} characters, over the limit of {MAX_PAGE_CHARACTERS}."
        return failures.too_large(page, message)
    want, reading.is_scan = judge(look, mapped)
    if mode == FORCE:
        want = Want("forced")
    if want and is_recognised:
        return merge(reading, look, want, recognised[str(page)])
    if want and mode == AUTO:
        return want
    reading.want = want.reason if want else ""
    return reading


@lru_cache(maxsize=1)
def _recognised(content: bytes) -> Mapping[str, Mapping[str, Any] | None]:
    """Parsed once for all pages of a request."""
    pages: Mapping[str, Mapping[str, Any] | None] = orjson.loads(content)
    return pages
