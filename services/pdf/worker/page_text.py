"""The text of one page, as MuPDF finds it in the content, annotations and form fields."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.fonts import PageFonts, read_fonts
from services.pdf.worker.letters import HANGUL, text_of
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_boxes import find_page
from services.pdf.worker.page_lines import is_straight, line_text, read_lines, set_lines
from services.pdf.worker.signs import has_sign
from services.pdf.worker.strings import fit

# Ligatures are spelled out ("ﬁ" as "fi", or a search for "find" misses it), text off the page is left out, and words
# cut at the end of a line stay as they are printed: rejoining them would guess.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
TEXT = mupdf.FzStextOptions(_FLAGS)
GLYPHS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
_UPRIGHT = mupdf.FzMatrix()

MOST_CHARACTERS = 200_000
"""Pages with more are read as MuPDF has them: the places of so many letters would take all the memory of a worker."""

_SEEN = mupdf.FZ_STEXT_FILLED | mupdf.FZ_STEXT_STROKED


class PlacedLine(NamedTuple):
    """A line of text."""

    text: str
    box: Box


class PlacedLetter(NamedTuple):
    """A letter of a line that runs across or down."""

    text: str
    box: Box
    visible: bool


class PlacedText(NamedTuple):
    """What a page's text layer has, white space aside."""

    lines: list[PlacedLine]
    letters: list[PlacedLetter]


def read_text(document: Document, page: int) -> str:
    """The text of page `page` (from 1) in page order, each line ended by a line feed.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    return fit(read_as_mapped(document, page))


def read_as_mapped(document: Document, page: int) -> str:
    """The same, before it is made fit to be shown: with what the file has instead of letters.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    fonts = read_fonts(document, find_page(document, page))
    found, text, is_twice = _look(document, page)
    if len(text) <= MOST_CHARACTERS and (is_twice or fonts.unmapped or has_sign(text)):
        text = "".join(f"{line}\n" for line in read_lines(_raw_blocks(found), fonts))
    return text


def read_places(document: Document, page: int) -> PlacedText | None:
    """The lines and letters of page `page` (from 1) with their places; None if it has too many letters for that.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    fonts = read_fonts(document, find_page(document, page))
    found, text, _ = _look(document, page)
    if len(text) > MOST_CHARACTERS:
        return None
    blocks = _raw_blocks(found)
    lines = [PlacedLine(fit(text_of(line.letters)), line.box) for line in set_lines(blocks, fonts)]
    return PlacedText([line for line in lines if line.text.strip()], list(_letters(blocks)))


def count_characters(document: Document, page: int) -> int:
    """How many characters page `page` (from 1) has, white space aside: a tenth cheaper than reading them.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    buffer = mupdf.fz_new_buffer_from_stext_page(run_page(document, page, TEXT))
    return len("".join(mupdf.fz_buffer_extract_copy(buffer).decode("utf-8", "ignore").split()))


def read_blocks(document: Document, page: int) -> dict[str, Any]:
    """Page `page` (from 1) as from PyMuPDF's `get_text("dict")`, where each line has its `text` as well.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    text_page = pymupdf.TextPage(run_page(document, page, TEXT))
    found: dict[str, Any] = text_page.extractDICT()
    lines = [line for block in found["blocks"] for line in block["lines"]]
    texts = ["".join(span["text"] for span in line["spans"]) for line in lines]
    if any(map(HANGUL.search, texts)) and sum(map(len, texts)) <= MOST_CHARACTERS:
        raw = [line for block in text_page.extractRAWDICT()["blocks"] for line in block["lines"]]
        texts = [line_text(line, PageFonts()) for line in raw]
    for line, text in zip(lines, texts, strict=True):
        line["text"] = text
    return found


def _look(document: Document, page: int) -> tuple[Any, str, bool]:
    """The page as a mupdf.FzStextPage, its text, and whether it had a line twice, once `find_page` has seen to it.

    What the file says instead of its glyphs may be given for each piece; then the glyphs count.
    """
    found = _run(document, page, TEXT)
    text = plain_text(found)
    is_twice = has_a_line_twice(text)
    if is_twice or (text and not text.strip()):
        found = _run(document, page, GLYPHS)
        text = plain_text(found)
    return found, text, is_twice


def _raw_blocks(text_page: Any) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = pymupdf.TextPage(text_page).extractRAWDICT()["blocks"]
    return blocks


def _letters(blocks: Iterable[dict[str, Any]]) -> Iterator[PlacedLetter]:
    for line in (line for block in blocks for line in block["lines"]):
        if not is_straight(line["dir"]):
            continue
        for span in line["spans"]:
            visible = bool(span["char_flags"] & _SEEN and span["alpha"])
            for each in span["chars"]:
                if not each["c"].isspace():
                    yield PlacedLetter(each["c"], Box(*each["bbox"]), visible)


def plain_text(text_page: Any) -> str:
    """A mupdf.FzStextPage as MuPDF has it, each line ended by a line feed."""
    # Like pymupdf.TextPage.extractText, but without the output that it opens and does not use.
    buffer = mupdf.fz_new_buffer(4096)
    pymupdf.JM_print_stext_page_as_text(buffer, text_page)
    text: str = mupdf.fz_buffer_extract_copy(buffer).decode("raw_unicode_escape")
    return text


def has_a_line_twice(text: str) -> bool:
    """Whether a line of it is the same as the one before."""
    lines = text.split("\n")
    return any(line == after and len(line) > 1 and not line.isspace() for line, after in pairwise(lines))


def run_page(document: Document, page: int, options: Any) -> Any:
    """Page `page` (from 1) as a mupdf.FzStextPage, read with a mupdf.FzStextOptions.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    find_page(document, page)
    return _run(document, page, options)


def _run(document: Document, page: int, options: Any) -> Any:
    """The same for a page that `find_page` has seen to."""
    loaded = mupdf.pdf_load_page(document.pdf, page - 1).super()
    text_page = mupdf.FzStextPage(mupdf.fz_bound_page(loaded))
    device = mupdf.fz_new_stext_device(text_page, options)
    mupdf.fz_run_page(loaded, device, _UPRIGHT, mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return text_page
