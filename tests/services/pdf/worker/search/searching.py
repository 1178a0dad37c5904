"""PDF_SEARCH of readings written by hand, without a PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker.documents import Document
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.search.view import describe
from services.pdf.worker.words import Reading, to_bytes

ASKED = {"mode": "text", "max_hits": 20, "page_token": "", "pages": "", "include_hidden": False, "ocr": "never"}


def document_of(pages: int) -> Document:
    """A document of which nothing but the number of its pages is asked."""
    return Document(pdf=None, page_count=pages, size=0, encrypted=False, content=b"")


def needed(pages: int, query: str = "x", *, where: str = "", **how: Any) -> Any:
    """Which pages of so many are read before a search of those that `where` says."""
    header, _ = describe(document_of(pages), {**ASKED, "query": query, "pages": where, **how})
    return header["needs"]


def search(
    pages: Mapping[int, Reading] | Sequence[Reading],
    query: str,
    *,
    page_count: int = 0,
    failures: Sequence[PageFailure] = (),
    **how: Any,
) -> Any:
    """SearchResponse; the pages are numbered from 1 unless they say otherwise."""
    readings = pages if isinstance(pages, Mapping) else dict(enumerate(pages, 1))
    contents = {page: to_bytes(reading) for page, reading in readings.items()}
    given = {
        "pages": page_count or max(readings, default=1),
        "asked": [*readings],
        "found": [[page, len(content)] for page, content in contents.items()],
        "failures": list(failures),
        "with_scans": False,
    }
    arguments = {**ASKED, "query": query, **how, "readings": given, CONTENT: b"".join(contents.values())}
    header, result = describe(document_of(given["pages"]), arguments)  # type: ignore[call-overload]
    assert header == {}
    return orjson.loads(result)


def texts(pages: Mapping[int, Reading] | Sequence[Reading], query: str, **how: Any) -> list[str]:
    """What the hits say."""
    return [hit["text"] for hit in search(pages, query, **how)["hits"]]


def recognised(reading: Reading, *confidences: float) -> Reading:
    """The page as a scan's, with how sure each word of its only line is."""
    (line,) = reading.lines
    return replace(reading, lines=[replace(line, source="ocr", confidences=list(confidences))], ocr=True)
