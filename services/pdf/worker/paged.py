"""Views that read page by page, in pieces that the service joins without parsing them.

Such a view returns what a page adds to the lists of its response, by their names, as JSON values:

    def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists

Pages count from 1. An unreadable page adds to "failures" (`failures.py`); this module does so if MuPDF cannot parse it.
One that must be recognised first adds to "wanted" its `page` and the `reason`, and nothing else. The service comes back
with what was read.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from services.base.errors import bad_field, too_large
from services.pdf.pages import PageRange, Paging, count_pages
from services.pdf.processes.limits import result_too_large
from services.pdf.worker import failures
from services.pdf.worker.documents import Document, attempt

Lists: TypeAlias = Mapping[str, Sequence[Any]]
ReadPage: TypeAlias = Callable[[Document, int, Mapping[str, Any]], Lists]


def read_pages(read: ReadPage, document: Document, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the pages in `arguments["paging"]` add, or which pages these are if they are to be cut into parts.

    The header's `pieces` are, in the order of the pages, the lengths of what a run of pages adds to each list, or
    `[page, reason]` for one that must be recognised. The payload is all of these lists, their items as JSON with commas
    between them. Raises BAD_ARG and TOO_LARGE as `choose_pages` does, and TOO_LARGE over the limit of bytes.
    """
    paging: Paging = arguments["paging"]
    chosen = choose_pages(document, paging["ranges"], paging["in_call"])
    if count_pages(chosen) > paging["spread"]:
        return {"spread": chosen}, b""
    pieces: list[Any] = []
    size = 0
    for page in (page for first, last in chosen for page in range(first, last + 1)):
        unread: Lists = {"failures": [failures.broken(page)]}
        found = attempt(read, document, page, arguments, otherwise=unread)
        if "wanted" in found:
            pieces += [[each["page"], each["reason"]] for each in found["wanted"]]
            continue
        if paging["apart"] or not pieces or isinstance(pieces[-1], list):
            pieces.append(defaultdict(list))
        for name, items in found.items():
            texts = [orjson.dumps(item) for item in items]
            pieces[-1][name] += texts
            size += sum(map(len, texts))
        if size > paging["result_bytes"]:
            raise result_too_large(paging["result_bytes"])
    payload: list[bytes] = []
    for index, piece in enumerate(pieces):
        if not isinstance(piece, list):
            joined = {name: b",".join(texts) for name, texts in piece.items()}
            pieces[index] = {name: len(text) for name, text in joined.items()}
            payload += joined.values()
    return {"pages": document.page_count, "pieces": pieces}, b"".join(payload)


def choose_pages(document: Document, ranges: Sequence[PageRange], limit: int) -> list[PageRange]:
    """The pages to read: `ranges`, or the whole document if there are none.

    Raises BAD_ARG on the field `pages` for a page that the document lacks, and TOO_LARGE for more than `limit` pages.
    """
    chosen = list(ranges) or [(1, document.page_count)]
    last = chosen[-1][1]
    if last > document.page_count:
        raise bad_field("pages", f"page {last} is not in the document, which has {document.page_count} pages")
    count = count_pages(chosen)
    if count > limit:
        message = f"{count} pages are over the limit of {limit} for one call; ask for fewer pages at a time."
        raise too_large(message, limit_pages=limit, pages=document.page_count)
    return chosen
