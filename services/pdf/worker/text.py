"""PDF_TEXT: the text of pages, in pieces that the service joins without parsing them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from services.base.errors import Code, PapermeshError, bad_field
from services.pdf.pages import PageRange, count_pages
from services.pdf.processes.limits import result_too_large
from services.pdf.worker import failures
from services.pdf.worker.documents import Document, raise_if_out_of_memory
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_text import is_scan, read_text

MAX_PAGE_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class TextPart:
    """The text of some pages: PageText and PageFailure messages as JSON, joined by commas, without brackets."""

    items: bytes
    failures: bytes


def choose_pages(document: Document, ranges: Sequence[PageRange], limit: int) -> list[PageRange]:
    """The pages to read: `ranges`, or the whole document when there are none.

    Raises BAD_ARG on the field `pages` for a page that the document lacks, and TOO_LARGE for more than `limit` pages.
    """
    chosen = list(ranges) or [(1, document.page_count)]
    last = chosen[-1][1]
    if last > document.page_count:
        raise bad_field("pages", f"page {last} is not in the document, which has {document.page_count} pages")
    count = count_pages(chosen)
    if count > limit:
        raise PapermeshError(
            Code.TOO_LARGE,
            f"{count} pages are over the limit of {limit} for one call; ask for fewer pages at a time.",
            details={"limit_pages": str(limit), "pages": str(document.page_count)},
        )
    return chosen


def extract(document: Document, ranges: Iterable[PageRange], limit_bytes: int) -> TextPart:
    """Reads the pages; one that cannot be read becomes a failure. Raises TOO_LARGE over `limit_bytes` of JSON."""
    items: list[bytes] = []
    failed: list[bytes] = []
    size = 0
    for first, last in ranges:
        for page in range(first, last + 1):
            text = _read(document, page)
            if isinstance(text, str):
                items.append(orjson.dumps({"page": page, "text": text, "ocr": False, "confidence": 1.0}))
                size += len(items[-1])
                if size > limit_bytes:
                    raise result_too_large(limit_bytes)
            else:
                failed.append(orjson.dumps(text))
    return TextPart(b",".join(items), b",".join(failed))


def _read(document: Document, page: int) -> str | PageFailure:
    try:
        text = read_text(document, page)
        if len(text) > MAX_PAGE_CHARACTERS:
            return failures.too_large(
                page, f"The page's text has {len(text)} characters, over the limit of {MAX_PAGE_CHARACTERS}."
            )
        if not text.strip() and is_scan(document, page):
            return failures.scan(page)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        return failures.broken(page)
    return text
