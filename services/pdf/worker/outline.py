"""PDF_OUTLINE: the file's own table of contents, or else one made from its headings."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.worker.documents import Document
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.headings import find_headings
from services.pdf.worker.outline_items import Entry, read_items
from services.pdf.worker.strings import fold

MAX_ENTRIES = 10_000
MAX_TITLE = 500


def describe(document: Document, _arguments: Mapping[str, Any]) -> bytes:
    """GetOutlineResponse as JSON text, all fields present."""
    failed: list[PageFailure] = []
    entries = _own_entries(document)
    if derived := not entries:
        entries, failed = find_headings(document)
    return orjson.dumps({"entries": entries[:MAX_ENTRIES], "derived": derived, "failures": failed})


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
