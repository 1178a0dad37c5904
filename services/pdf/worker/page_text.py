"""The text of one page, as MuPDF finds it in the content, annotations and form fields."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.fonts import PageFonts, read_fonts
from services.pdf.worker.hidden import Findings, Hidden, examine, without_hidden
from services.pdf.worker.hidden_signs import may_hide_text
from services.pdf.worker.letters import HANGUL
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_lines import line_text, read_lines
from services.pdf.worker.page_trace import Sheet
from services.pdf.worker.strings import fit
from services.pdf.worker.structured_text import load_page, structure
from services.pdf.worker.switched_off import find_switched_off

# Ligatures are spelled out ("ﬁ" as "fi", or a search for "find" misses it), text off the page is left out, and words
# cut at the end of a line stay as they are printed: rejoining them would guess.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
_TEXT = mupdf.FzStextOptions(_FLAGS)
_SIGNS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_LAZY_VECTORS)
_EVERYWHERE = mupdf.FzStextOptions(_FLAGS & ~pymupdf.TEXT_MEDIABOX_CLIP)
_GLYPHS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
_PICTURES = mupdf.FzStextOptions(pymupdf.TEXT_PRESERVE_IMAGES | pymupdf.TEXT_MEDIABOX_CLIP)

_SIGN = re.compile(
    f"{HANGUL.pattern}"
    "|[\u0660-\u0669\u06f0-\u06f9]{2}|\u0627\u0644"  # a number, or Lam and Alef, that may be turned round
    "|[\x00-\x08\x0b-\x1f\ufffd\ud800-\udfff]"  # a glyph that MuPDF could not read
    r"|^(?:[^\W\d_] ){4,}[^\W\d_]$"  # letters one by one
    "|^(?:[\u3040-\u9fff]\n){3,}",  # a column
    re.MULTILINE,
)
"""A sign that the places of the letters matter (`page_lines`). Looking at each costs several times the text."""

_MOST_CHARACTERS = 200_000
"""Pages with more are read as MuPDF has them: the places of so many letters would take all the memory of a worker."""

_SCAN_SHARE = 0.1
"""Share of a page that images cover if it is a scan, at least: a page with only a logo is not one."""


def read_text(document: Document, page: int) -> str:
    """The text of page `page` (from 1) in page order, each line ended by a line feed. What nobody sees is left out.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    fonts = read_fonts(document, page)
    loaded, found = _find(document, page)
    findings = _examine(document, page, loaded, found)
    text = _plain(found)
    is_twice = _has_a_line_twice(text)
    # What the file says instead of its glyphs may be given for each piece.
    if glyphs := bool(is_twice or (text and not text.strip())):
        text = _plain(structure(loaded, _GLYPHS))
    needs_places = is_twice or fonts.unmapped or _SIGN.search(text)
    if len(text) <= _MOST_CHARACTERS and (findings.hidden or needs_places):
        blocks = _letters(loaded, findings, _GLYPHS if glyphs else _TEXT)
        lines = read_lines(blocks, fonts) if needs_places else _drawn_lines(blocks)
        text = "".join(f"{line}\n" for line in lines)
    return fit(text)


def find_hidden(document: Document, page: int) -> Findings:
    """The text of page `page` (from 1) that nobody sees, what MuPDF itself does not draw included.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    found = examine(Sheet(load_page(document, page)))
    others, is_unchecked = find_switched_off(document, page)
    return replace(found, hidden=[*found.hidden, *others], is_unchecked=found.is_unchecked or is_unchecked)


def count_characters(document: Document, page: int) -> tuple[int, int]:
    """How many characters of page `page` (from 1) can be seen, and how many are hidden, white space aside.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    loaded, found = _find(document, page)
    findings = _examine(document, page, loaded, found)
    seen = sum(map(_length, _drawn_lines(_letters(loaded, findings)) if findings.hidden else [_plain(found)]))
    hidden = findings.hidden
    if not hidden and _length(_plain(structure(loaded, _EVERYWHERE))) > seen:
        hidden = attempt(examine, Sheet(loaded), otherwise=Findings()).hidden
    nothing: tuple[list[Hidden], bool] = ([], True)
    others, _ = attempt(find_switched_off, document, page, otherwise=nothing)
    return seen, sum(_length(each.piece.text) for each in (*hidden, *others))


def read_blocks(document: Document, page: int) -> dict[str, Any]:
    """Page `page` (from 1) as from PyMuPDF's `get_text("dict")`, where each line has its `text` as well.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    loaded, found = _find(document, page)
    findings = _examine(document, page, loaded, found)
    content: dict[str, Any] = pymupdf.TextPage(structure(loaded, _TEXT)).extractDICT()
    blocks = content["blocks"]
    texts = ["".join(span["text"] for span in line["spans"]) for block in blocks for line in block["lines"]]
    if sum(map(len, texts)) <= _MOST_CHARACTERS and (findings.hidden or any(map(HANGUL.search, texts))):
        raw = _letters(loaded, findings)
        texts = [line_text(line, PageFonts()) for block in raw for line in block["lines"]]
        if findings.hidden:
            content["blocks"] = blocks = raw
            for span in (span for block in blocks for line in block["lines"] for span in line["spans"]):
                span["text"] = "".join(letter["c"] for letter in span["chars"])
    lines = (line for block in blocks for line in block["lines"])
    for line, text in zip(lines, texts, strict=True):
        line["text"] = text
    return content


def is_scan(document: Document, page: int) -> bool:
    """Whether images cover a good part of page `page` (from 1), which is known to have no text."""
    text_page = pymupdf.TextPage(structure(load_page(document, page), _PICTURES))
    sheet = text_page.rect
    pictures: Iterable[dict[str, tuple[float, float, float, float]]] = text_page.extractIMGINFO()
    covered = sum(abs(pymupdf.Rect(picture["bbox"]) & sheet) for picture in pictures)
    return bool(covered >= _SCAN_SHARE * abs(sheet))


def _plain(found: Any) -> str:
    """The lines as MuPDF prints them: eight times as fast as PyMuPDF's own `extractText`."""
    buffer = mupdf.fz_new_buffer(1 << 14)
    output = mupdf.FzOutput(buffer)
    mupdf.fz_print_stext_page_as_text(output, found)
    output.fz_close_output()
    content: bytes = mupdf.fz_buffer_extract_copy(buffer)
    # A block ends with another line feed; NUL is written in two bytes, and halves of a surrogate pair as they are.
    return content.replace(b"\n\n", b"\n").replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")


def _has_a_line_twice(text: str) -> bool:
    lines = text.split("\n")
    return any(line == after and len(line) > 1 and not line.isspace() for line, after in pairwise(lines))


def _find(document: Document, page: int) -> tuple[Any, Any]:
    """A page as a mupdf.FzPage, and what is on it as a mupdf.FzStextPage, with vectors after their lines."""
    loaded = load_page(document, page)
    return loaded, structure(loaded, _SIGNS)


def _examine(document: Document, page: int, loaded: Any, found: Any) -> Findings:
    """What is hidden on a page. A page that cannot be drawn hides nothing."""
    if not may_hide_text(document, page, loaded, found):
        return Findings()
    return attempt(examine, Sheet(loaded), otherwise=Findings(is_unchecked=True))


def _letters(loaded: Any, findings: Findings, options: Any = _TEXT) -> list[dict[str, Any]]:
    """The blocks of PyMuPDF's `get_text("rawdict")`, read anew, because shapes cut blocks; hidden letters left out."""
    blocks: list[dict[str, Any]] = pymupdf.TextPage(structure(loaded, options)).extractRAWDICT()["blocks"]
    return without_hidden(blocks, findings) if findings.hidden else blocks


def _drawn_lines(blocks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines as they were drawn."""
    for line in (line for block in blocks for line in block["lines"]):
        yield "".join(letter["c"] for span in line["spans"] for letter in span["chars"])


def _length(text: str) -> int:
    return len("".join(text.split()))
