"""Name trees and number trees (ISO 32000-2, 7.9.6 and 7.9.7): what a file keeps by name or by page."""

from collections.abc import Iterator
from typing import Any

from services.pdf.worker.listing import CutShortError
from services.pdf.worker.mupdf import mupdf

MOST_STEPS = 20_000
"""Nodes and entries that are looked at."""


def walk(root: Any, leaves: str) -> Iterator[tuple[Any, Any]]:
    """The entries of a tree in order, keys and values, whatever its /Limits say; each of its nodes once.

    `leaves` is "Names" or "Nums". Raises mupdf.FzErrorBase when a node cannot be read, and CutShortError after 20,000
    steps for a tree that has more.
    """
    ahead = [root]
    seen: set[int] = set()
    steps = 0
    while ahead:
        node = ahead.pop()
        number = mupdf.pdf_to_num(node)
        if number in seen or not mupdf.pdf_is_dict(node):
            continue
        if number:
            seen.add(number)
        entries = mupdf.pdf_dict_gets(node, leaves)
        for index in range(0, mupdf.pdf_array_len(entries) - 1, 2):
            steps += 1
            if steps > MOST_STEPS:
                raise CutShortError
            yield mupdf.pdf_array_get(entries, index), mupdf.pdf_array_get(entries, index + 1)
        kids = mupdf.pdf_dict_gets(node, "Kids")
        count = mupdf.pdf_array_len(kids)
        steps += 1 + count
        if steps > MOST_STEPS:
            raise CutShortError
        ahead += [mupdf.pdf_array_get(kids, index) for index in reversed(range(count))]
