"""What stands on pages beside their content: comments, links, and the places of form fields (ISO 32000-2, 12.5).

Read from the dictionaries: MuPDF's own pages load every annotation with its appearance before they show one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.pdf.worker.dates import moment
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.files import file_name
from services.pdf.worker.listing import CutShortError, Listing, name_of, text_of
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_boxes import read_box, to_unrotated
from services.pdf.worker.scripts import has_script
from services.pdf.worker.strings import fold
from services.pdf.worker.targets import Targets
from services.pdf.worker.text_strings import decode

MOST_PAGES = 2_000
"""The first pages, which are looked at."""

MOST_ANNOTATIONS = 10_000

URI_LENGTH = 2_000

_COMMENTS = frozenset(
    (
        *("Text", "FreeText", "Highlight", "Underline", "Squiggly", "StrikeOut", "Stamp", "Caret", "Ink"),
        *("Line", "Square", "Circle", "Polygon", "PolyLine", "FileAttachment", "Sound", "Redact"),
    )
)
"""The subtypes that a reviewer adds; others are links, form fields, and parts of the page such as print marks."""

_HIDDEN = 1 << 1 | 1 << 5
"""Flags: hidden, and not shown on screens."""


@dataclass(frozen=True, slots=True)
class Widget:
    """A form field's place on a page."""

    page: int
    item: Any


@dataclass(slots=True)
class Annotated:
    """The pages that have something beside their content, and what else was met on them."""

    pages: list[tuple[int, Any]] = field(default_factory=list)
    """Their numbers from 1, and their dictionaries."""

    widgets: dict[int, Widget] = field(default_factory=dict)
    """By the numbers of their objects."""

    files: list[Any] = field(default_factory=list)
    """File specifications, which may be of attached files."""

    scripted: bool = False
    """JavaScript was met."""

    def look_at(self, page: int, leaf: Any) -> None:
        """Remembers page `page` with the dictionary `leaf` if it has annotations, files or actions of its own."""
        if page <= MOST_PAGES:
            held = leaf.m_internal
            if any(mupdf.ll_pdf_dict_gets(held, key) for key in ("Annots", "AA", "AF")):
                self.pages.append((page, leaf))


def read_annotations(document: Document, annotated: Annotated, comments: Listing, links: Listing) -> None:
    """Reads the pages that were looked at; what else they have is added to `annotated`.

    Raises CutShortError if there are more pages or annotations than are looked at, or some cannot be read.
    """
    reader = _Reader(document, annotated, comments, links)
    is_whole = document.page_count <= MOST_PAGES
    for page, leaf in annotated.pages:
        is_whole = attempt(reader.read_page, page, leaf, otherwise=False) and is_whole
    if not is_whole:
        raise CutShortError


def is_hidden(annotation: Any) -> bool:
    """Whether the file asks not to show an annotation."""
    return bool(mupdf.pdf_to_int(mupdf.pdf_dict_gets(annotation, "F")) & _HIDDEN)


class _Reader:
    """Takes what stands on pages to the lists where it belongs."""

    def __init__(self, document: Document, annotated: Annotated, comments: Listing, links: Listing) -> None:
        self._targets = Targets(document)
        self._annotated = annotated
        self._comments = comments
        self._links = links
        self._left = MOST_ANNOTATIONS

    def read_page(self, page: int, leaf: Any) -> bool:
        """Whether all of the page could be read.

        Raises CutShortError when it is late, or if there are more annotations than are looked at.
        """
        self._scan(leaf)
        self._annotated.files += self._items(leaf, "AF")
        matrix = to_unrotated(leaf)
        is_whole = True
        for item in self._items(leaf, "Annots"):
            is_whole = attempt(self._read, page, item, matrix, otherwise=False) and is_whole
        return is_whole

    def _items(self, leaf: Any, key: str) -> Iterator[Any]:
        array = mupdf.pdf_dict_gets(leaf, key)
        for index in range(mupdf.pdf_array_len(array)):
            if self._left == 0 or self._comments.is_late():
                raise CutShortError
            self._left -= 1
            yield mupdf.pdf_array_get(array, index)

    def _read(self, page: int, item: Any, matrix: Any) -> bool:
        self._scan(item)
        kind = mupdf.pdf_to_name(mupdf.pdf_dict_gets(item, "Subtype"))
        if kind == "Widget":
            if number := mupdf.pdf_to_num(item):  # one written in its page's place can be in no form
                self._annotated.widgets[number] = Widget(page, item)
        elif kind == "Link":
            if self._links.has_room():
                self._links.add({"page": page, "bbox": read_box(item, matrix), **self._goal(item)})
        elif kind in _COMMENTS:
            if kind == "FileAttachment":
                self._annotated.files.append(mupdf.pdf_dict_gets(item, "FS"))
            if self._comments.has_room():
                self._comments.add({"page": page, "bbox": read_box(item, matrix), **_said(kind, item)})
        return True

    def _scan(self, item: Any) -> None:
        self._annotated.scripted = self._annotated.scripted or has_script(item)

    def _goal(self, link: Any) -> dict[str, Any]:
        """Where a link leads: to a web page, another file, or a page of this document."""
        action = mupdf.pdf_dict_gets(link, "A")
        kind = mupdf.pdf_to_name(mupdf.pdf_dict_gets(action, "S"))
        uri = ""
        if kind == "URI":
            uri = fold(decode(mupdf.pdf_dict_gets(action, "URI")))[:URI_LENGTH]
        elif kind in ("GoToR", "Launch"):
            uri = file_name(mupdf.pdf_dict_gets(action, "F"))
        return {"uri": uri, "target_page": self._targets.page(link)}


def _said(kind: str, comment: Any) -> dict[str, Any]:
    dates = (moment(decode(mupdf.pdf_dict_gets(comment, key))) for key in ("M", "CreationDate"))
    return {
        "type": kind,
        "author": name_of(comment, "T"),
        "date": next(filter(None, dates), ""),
        "text": text_of(comment, "Contents"),
        "hidden": is_hidden(comment),
    }
