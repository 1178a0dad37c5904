"""Views that read page by page, in pieces that the service joins without parsing them.

Such a view returns what a page adds to the lists of its response, by their names, as JSON values:

    def read_page(document: Document, page: int, arguments: Mapping[str, Any]) -> Lists

Pages count from 1. An unreadable page adds to "failures" (`failures.py`); this module does so if MuPDF cannot parse it.
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
    """The lists of the pages in `arguments["paging"]`, or which pages these are if they are to be cut into parts.

    The payload is the lists one after another, their items as JSON with commas between them; the header has their
    lengths. Raises BAD_ARG and TOO_LARGE as `choose_pages` does, and TOO_LARGE over the limit of bytes.
    """
    paging: Paging = arguments["paging"]
    chosen = choose_pages(document, paging["ranges"], paging["in_call"])
    if count_pages(chosen) > paging["spread"]:
        return {"spread": chosen}, b""
    lists: defaultdict[str, list[bytes]] = defaultdict(list)
    size = 0
    for first, last in chosen:
        for page in range(first, last + 1):
            unread: Lists = {"failures": [failures.broken(page)]}
            for name, items in attempt(read, document, page, arguments, otherwise=unread).items():
                texts = [orjson.dumps(item) for item in items]
                lists[name] += texts
                size += sum(map(len, texts))
            if size > paging["result_bytes"]:
                raise result_too_large(paging["result_bytes"])
    joined = {name: b",".join(texts) for name, texts in lists.items()}
    lengths = {name: len(text) for name, text in joined.items()}
    return {"pages": document.page_count, "lists": lengths}, b"".join(joined.values())


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
