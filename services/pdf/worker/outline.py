"""PDF_OUTLINE: the table of contents that the file has, or else one made of its headings."""

from collections.abc import Iterator
from typing import TypedDict

import orjson

from services.pdf.worker.documents import Document, raise_if_out_of_memory
from services.pdf.worker.failures import PageFailure
from services.pdf.worker.headings import find_headings
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fold

MAX_ENTRIES = 10_000
MAX_TITLE = 500
_MAX_DEPTH = 64
"""Levels to follow: a file may nest as deep as it has entries."""


class Entry(TypedDict):
    """One line of the contents; `papermesh.pdf.v1.OutlineEntry` as JSON."""

    level: int
    title: str
    page: int


def describe(document: Document) -> bytes:
    """GetOutlineResponse as JSON text, all fields present."""
    failed: list[PageFailure] = []
    entries = _own_entries(document)
    derived = not entries
    if derived:
        headings, failed = find_headings(document)
        entries = [
            {"level": heading.level, "title": heading.title[:MAX_TITLE], "page": heading.page}
            for heading in headings[:MAX_ENTRIES]
        ]
    return orjson.dumps({"entries": entries, "derived": derived, "failures": failed})


def _own_entries(document: Document) -> list[Entry]:
    """The file's own outline; empty when it has none or one that leads in circles."""
    entries: list[Entry] = []
    try:
        for level, title, uri in _walk(document):
            if title:
                entries.append({"level": level, "title": title, "page": _page(document, uri)})
            if len(entries) == MAX_ENTRIES:
                break
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
    return entries


def _walk(document: Document) -> Iterator[tuple[int, str, str]]:
    """Level, title and target of each item, depth first; bounded even where the items form a cycle."""
    iterator = mupdf.FzOutlineIterator(document.pdf.super())
    level = 1
    for _ in range(2 * MAX_ENTRIES):
        item = iterator.fz_outline_iterator_item()
        if not item.valid():
            return
        yield level, fold(item.title() or "")[:MAX_TITLE], item.uri() or ""
        if level < _MAX_DEPTH:
            below = iterator.fz_outline_iterator_down()
            if below == mupdf.FZ_OUTLINE_ITERATOR_AT_ITEM:
                level += 1
                continue
            if below == mupdf.FZ_OUTLINE_ITERATOR_AT_EMPTY:  # moved to where a first child would stand
                iterator.fz_outline_iterator_up()
        while iterator.fz_outline_iterator_next() != mupdf.FZ_OUTLINE_ITERATOR_AT_ITEM:
            if level == 1 or iterator.fz_outline_iterator_up() != mupdf.FZ_OUTLINE_ITERATOR_AT_ITEM:
                return
            level -= 1


def _page(document: Document, uri: str) -> int:
    """The page from 1 that a target inside the document leads to, 0 for any other."""
    if not uri.startswith("#"):
        return 0
    try:
        location, _, _ = mupdf.fz_resolve_link(document.pdf.super(), uri)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        return 0
    page = int(location.page) + 1
    return page if 1 <= page <= document.page_count else 0
