"""PDF_OUTLINE: the file's own table of contents, or else one made from its headings."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.pdf.worker import failures
from services.pdf.worker.documents import Document
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.headings import find_headings
from services.pdf.worker.outline_items import Entry, read_items
from services.pdf.worker.readings import Readings
from services.pdf.worker.strings import fold

MAX_ENTRIES = 10_000
MAX_TITLE = 500

MAX_PAGES = 500
"""Pages on which headings are sought."""

_READING_SECONDS = 5.0
"""After this long, no more pages are read for it."""


def describe(document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """GetOutlineResponse as JSON text, all fields present. Without an outline in the file, it first needs the pages."""
    entries = _own_entries(document)
    failed: list[PageFailure] = []
    if derived := not entries:
        last = min(document.page_count, MAX_PAGES)
        if "readings" not in arguments:
            return {"needs": [(1, last)], "seconds": _READING_SECONDS}, b""
        readings = Readings.take(arguments)
        entries = find_headings(readings)
        failed = [*readings.failures, *_unread(readings)]
    return {}, orjson.dumps({"entries": entries[:MAX_ENTRIES], "derived": derived, "failures": failed})


def _unread(readings: Readings) -> Iterator[PageFailure]:
    """The first page whose headings were not sought, if there is one."""
    read = {*readings, *(failure["page"] for failure in readings.failures)}
    missing = next((page for page in range(1, readings.page_count + 1) if page not in read), None)
    if missing is not None:
        message = (
            f"Headings are sought on the first {MAX_PAGES} pages and for {_READING_SECONDS:.0f} seconds; this page and "
            "some or all after it were not read."
        )
        yield failures.too_large(missing, message)


def _own_entries(document: Document) -> list[Entry]:
    """The file's own outline; empty if it has none. Skips items without a title, but keeps those below them."""
    entries: list[Entry] = []
    for item in read_items(document, 2 * MAX_ENTRIES):
        title = fold(item["title"])[:MAX_TITLE]
        if title:
            entries.append({**item, "title": title})
        if len(entries) == MAX_ENTRIES:
            break
    return entries
