"""The items of a file's own outline, read from its dictionaries.

Not through MuPDF's outline iterator: its binding turns each item's title and target into C++ strings, and ends the
process if the file has none, as for a book's "Part I" that only groups chapters. And a bad item costs it all that
follow. Here, an item that lacks something, or has it of another type, costs at most itself.
"""

from collections.abc import Iterator
from typing import Any, NotRequired, TypeAlias, TypedDict

from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.targets import Targets
from services.pdf.worker.text_strings import read_text_string

MAX_DEPTH = 64
"""Levels to follow: a file may nest as deeply as it has items."""

_ROOT = mupdf.pdf_new_name("Root")
_OUTLINES = mupdf.pdf_new_name("Outlines")
_TITLE = mupdf.pdf_new_name("Title")
_FIRST = mupdf.pdf_new_name("First")
_NEXT = mupdf.pdf_new_name("Next")


Place: TypeAlias = dict[str, float]
"""A `papermesh.pdf.v1.Rectangle` as JSON."""


class Entry(TypedDict):
    """One line of a table of contents; `papermesh.pdf.v1.OutlineEntry` as JSON."""

    level: int
    """From 1, the outermost."""

    title: str
    page: int
    """From 1; 0 if it leads to no page of this document."""

    bbox: NotRequired[Place]
    """Of the heading that it was made from; a file's own entries have none."""


def read_items(document: Document, limit: int) -> Iterator[Entry]:
    """The items depth first, at most `limit`; each of the file's objects once, so that circles end.

    Titles are as the file has them, and empty where it has none.
    """
    targets = Targets(document)
    seen: set[int] = set()
    # The item that comes next on each level, the deepest last.
    line = [_follow(_follow(_follow(mupdf.pdf_trailer(document.pdf), _ROOT), _OUTLINES), _FIRST)]
    for _ in range(limit):
        while line and not _is_new(line[-1], seen):
            line.pop()
        if not line:
            return
        item = line[-1]
        yield {"level": len(line), "title": read_text_string(item, _TITLE), "page": targets.page(item)}
        line[-1] = _follow(item, _NEXT)
        if len(line) < MAX_DEPTH:
            line.append(_follow(item, _FIRST))


def _is_new(item: Any, seen: set[int]) -> bool:
    """Whether it is an item, and was not read before."""
    number = mupdf.pdf_to_num(item)
    if number in seen or not mupdf.pdf_is_dict(item):
        return False
    if number:  # 0 is one written in its parent's place, which leads nowhere but on
        seen.add(number)
    return True


def _follow(item: Any, key: Any) -> Any:
    """The value of a key; a null object if it cannot be read."""
    return attempt(mupdf.pdf_dict_get, item, key, otherwise=mupdf.PdfObj())
