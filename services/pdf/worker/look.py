"""A page as it is looked at once, for all that is read of it: what it shows, what it hides, and its letters."""

from functools import cached_property
from itertools import pairwise
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.fonts import read_fonts
from services.pdf.worker.hidden import Findings, examine, without_hidden
from services.pdf.worker.hidden_signs import find_signs
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_pictures import find_pictures
from services.pdf.worker.shapes import find_shapes
from services.pdf.worker.sheet import EVERYWHERE, Sheet, edges
from services.pdf.worker.structured_text import load_page, plain_text, structure

MOST_CHARACTERS = 200_000
"""Pages with more are read as MuPDF has them: the places of so many letters would take all the memory of a worker."""

# Ligatures are spelled out ("ﬁ" as "fi", or a search for "find" misses it), text off the page is left out, and words
# cut at the end of a line stay as they are printed: rejoining them would guess.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
TEXT = mupdf.FzStextOptions(_FLAGS)
GLYPHS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
_ALL = mupdf.FzStextOptions(
    (_FLAGS | pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_LAZY_VECTORS) & ~pymupdf.TEXT_MEDIABOX_CLIP
)
"""For what the page has beside the text that it shows: shapes, which cut blocks, and text that is off the page."""


class Look:
    """Page `page` (from 1) of a document. Making one raises mupdf.FzErrorBase when the page cannot be parsed."""

    def __init__(self, document: Document, page: int) -> None:
        self.document = document
        self.page = page
        self.loaded = load_page(document, page)
        self.leaf = mupdf.pdf_page_from_fz_page(self.loaded).obj()
        self.fonts = read_fonts(document, self.leaf)
        everything = structure(self.loaded, _ALL)
        self.shapes = find_shapes(everything)
        """What is drawn on it beside text and pictures."""

        self.shown = structure(self.loaded, TEXT)
        """The page's text as a mupdf.FzStextPage."""

        self.options = TEXT
        """How it was made."""

        self.text = plain_text(self.shown)
        """As it was drawn, hidden text included; each line ended by a line feed."""

        is_more = count_letters(plain_text(everything)) > count_letters(self.text)
        self.findings = self._examine(everything, is_more=is_more)
        """What the page hides. A page that cannot be drawn hides nothing."""

        self.is_twice = has_a_line_twice(self.text)
        """Whether a line of it is the same as the one before."""

        # What the file says instead of its glyphs may be given for each piece; then the glyphs count.
        if self.is_twice or (self.text and not self.text.strip()):
            self.options = GLYPHS
            self.shown = structure(self.loaded, GLYPHS)
            self.text = plain_text(self.shown)

    @cached_property
    def blocks(self) -> list[dict[str, Any]]:
        """Those of PyMuPDF's `get_text("rawdict")`, without hidden letters."""
        blocks: list[dict[str, Any]] = pymupdf.TextPage(self.shown).extractRAWDICT()["blocks"]
        return without_hidden(blocks, self.findings) if self.findings.hidden else blocks

    @cached_property
    def pictures(self) -> list[Box]:
        """Where pictures are drawn on it."""
        return [picture.box for picture in find_pictures(self.loaded)]

    @property
    def sheet(self) -> Box:
        """What is shown of it, as a reader sees it."""
        return edges(mupdf.fz_bound_page(self.loaded))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the page as a reader sees it, in points to the hundredth."""
        sheet = self.sheet
        return round(sheet.x1 - sheet.x0, 2), round(sheet.y1 - sheet.y0, 2)

    def _examine(self, everything: Any, *, is_more: bool) -> Findings:
        area = EVERYWHERE if is_more else find_signs(self.document, self.page, self.loaded, everything)
        if area is None:
            return Findings()
        return attempt(examine, Sheet(self.loaded), area, otherwise=Findings(is_unchecked=True))


def has_a_line_twice(text: str) -> bool:
    """Whether a line of it is the same as the one before."""
    lines = text.split("\n")
    return any(line == after and len(line) > 1 and not line.isspace() for line, after in pairwise(lines))


def count_letters(text: str) -> int:
    """How many characters it has, white space aside."""
    return len("".join(text.split()))
