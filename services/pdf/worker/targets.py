"""Where the items of an outline lead, as page numbers."""

from typing import Any

from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.mupdf import mupdf

_DEST = mupdf.pdf_new_name("Dest")
_ACTION = mupdf.pdf_new_name("A")
_KIND = mupdf.pdf_new_name("S")
_DESTINATION = mupdf.pdf_new_name("D")
_DESTS = mupdf.pdf_new_name("Dests")
_GO_TO = "GoTo"


class Targets:
    """The destinations of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._pages: dict[int, int] = {}
        """Page numbers by the objects that destinations name: many items lead to one page."""

    def page(self, item: Any) -> int:
        """The page from 1 that an outline item leads to.

        0 for one that has no target, leads out of the document (to a web page or another file), does something else
        (runs a script), or names a page that is not in the document.
        """
        return attempt(lambda: self._page_of(self._destination(item)), otherwise=0)

    def _destination(self, item: Any) -> Any:
        """The array or number that gives the target (ISO 32000, 12.3.2); anything else leads nowhere."""
        found = mupdf.pdf_dict_get(item, _DEST)
        if not found.m_internal or mupdf.pdf_is_null(found):
            action = mupdf.pdf_dict_get(item, _ACTION)
            if mupdf.pdf_to_name(mupdf.pdf_dict_get(action, _KIND)) != _GO_TO:
                return mupdf.PdfObj()
            found = mupdf.pdf_dict_get(action, _DESTINATION)
        if mupdf.pdf_is_name(found) or mupdf.pdf_is_string(found):
            found = self._named(found)
        return mupdf.pdf_dict_get(found, _DESTINATION) if mupdf.pdf_is_dict(found) else found

    def _named(self, name: Any) -> Any:
        """A destination by its name: from the tree for strings, or from PDF 1.1's dictionary.

        If a file has both, MuPDF looks into only one of them.
        """
        pdf = self._document.pdf
        found = mupdf.pdf_lookup_name(pdf, _DESTS, name) if mupdf.pdf_is_string(name) else mupdf.PdfObj()
        return found if found.m_internal else mupdf.pdf_lookup_dest(pdf, name)

    def _page_of(self, destination: Any) -> int:
        if not mupdf.pdf_is_array(destination):
            return 0
        target = mupdf.pdf_array_get(destination, 0)
        if mupdf.pdf_is_int(target):  # meant for another file's pages, and used for this one's
            page = mupdf.pdf_to_int(target) + 1
            return page if 1 <= page <= self._document.page_count else 0
        number = mupdf.pdf_to_num(target)
        if number not in self._pages:
            self._pages[number] = self._look_up(target, number)
        return self._pages[number]

    def _look_up(self, target: Any, number: int) -> int:
        """The page with this object. MuPDF may take one outside the page tree, like a removed page, for the first."""
        if not number:
            return 0
        index: int = mupdf.pdf_lookup_page_number(self._document.pdf, target)
        if not 0 <= index < self._document.page_count:
            return 0
        found = mupdf.pdf_lookup_page_obj(self._document.pdf, index)
        return index + 1 if mupdf.pdf_to_num(found) == number else 0
