"""The text of one page, as MuPDF finds it in the content, annotations and form fields."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, attempt
from services.pdf.worker.fonts import PageFonts, read_fonts
from services.pdf.worker.hidden import Findings, Hidden, examine, without_hidden
from services.pdf.worker.hidden_signs import find_signs
from services.pdf.worker.letters import HANGUL, text_of
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_boxes import find_page
from services.pdf.worker.page_lines import is_straight, line_text, read_lines, set_lines
from services.pdf.worker.sheet import EVERYWHERE, Sheet
from services.pdf.worker.signs import has_sign
from services.pdf.worker.strings import fit
from services.pdf.worker.structured_text import load_page, structure
from services.pdf.worker.switched_off import find_switched_off

# Ligatures are spelled out ("ﬁ" as "fi", or a search for "find" misses it), text off the page is left out, and words
# cut at the end of a line stay as they are printed: rejoining them would guess.
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
TEXT = mupdf.FzStextOptions(_FLAGS)
GLYPHS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
_SIGNS = mupdf.FzStextOptions(_FLAGS | pymupdf.TEXT_COLLECT_VECTORS | pymupdf.TEXT_LAZY_VECTORS)
_EVERYWHERE = mupdf.FzStextOptions(_FLAGS & ~pymupdf.TEXT_MEDIABOX_CLIP)

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
    """The text of page `page` (from 1) in page order, each line ended by a line feed. What nobody sees is left out.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    return fit(read_as_mapped(document, page))


def read_as_mapped(document: Document, page: int) -> str:
    """The same, before it is made fit to be shown: with what the file has instead of letters.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    fonts = read_fonts(document, find_page(document, page))
    look = first_look(document, page)
    needs_places = look.is_twice or fonts.unmapped or has_sign(look.text)
    if len(look.text) > MOST_CHARACTERS or not (look.findings.hidden or needs_places):
        return look.text
    blocks = letter_blocks(look)
    lines = read_lines(blocks, fonts) if needs_places else _drawn_lines(blocks)
    return "".join(f"{line}\n" for line in lines)


def read_places(document: Document, page: int) -> PlacedText | None:
    """The lines and letters of page `page` (from 1) with their places; None if it has too many letters for that.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    fonts = read_fonts(document, find_page(document, page))
    look = first_look(document, page)
    if len(look.text) > MOST_CHARACTERS:
        return None
    blocks = letter_blocks(look)
    lines = [PlacedLine(fit(text_of(line.letters)), line.box) for line in set_lines(blocks, fonts)]
    return PlacedText([line for line in lines if line.text.strip()], list(_placed_letters(blocks)))


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
    loaded = load_page(document, page)
    found = structure(loaded, _SIGNS)
    findings = _examine(document, page, loaded, found)
    look = FirstLook(loaded, findings, plain_text(found), TEXT, is_twice=False)
    seen = sum(map(_length, _drawn_lines(letter_blocks(look)) if findings.hidden else [look.text]))
    hidden = findings.hidden
    if findings.area != EVERYWHERE and _length(plain_text(structure(loaded, _EVERYWHERE))) > _length(look.text):
        hidden = attempt(examine, Sheet(loaded), otherwise=Findings()).hidden
    nothing: tuple[list[Hidden], bool] = ([], True)
    others, _ = attempt(find_switched_off, document, page, otherwise=nothing)
    return seen, sum(_length(each.piece.text) for each in (*hidden, *others))


def read_blocks(document: Document, page: int) -> dict[str, Any]:
    """Page `page` (from 1) as from PyMuPDF's `get_text("dict")`, where each line has its `text` as well.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    loaded = load_page(document, page)
    findings = _examine(document, page, loaded, structure(loaded, _SIGNS))
    content: dict[str, Any] = pymupdf.TextPage(structure(loaded, TEXT)).extractDICT()
    blocks = content["blocks"]
    texts = ["".join(span["text"] for span in line["spans"]) for block in blocks for line in block["lines"]]
    if sum(map(len, texts)) <= MOST_CHARACTERS and (findings.hidden or any(map(HANGUL.search, texts))):
        raw = letter_blocks(FirstLook(loaded, findings, "", TEXT, is_twice=False))
        texts = [line_text(line, PageFonts()) for block in raw for line in block["lines"]]
        if findings.hidden:
            content["blocks"] = blocks = raw
            for span in (span for block in blocks for line in block["lines"] for span in line["spans"]):
                span["text"] = "".join(letter["c"] for letter in span["chars"])
    lines = (line for block in blocks for line in block["lines"])
    for line, text in zip(lines, texts, strict=True):
        line["text"] = text
    return content


def plain_text(found: Any) -> str:
    """The lines of a mupdf.FzStextPage as MuPDF prints them: eight times as fast as PyMuPDF's own `extractText`."""
    buffer = mupdf.fz_new_buffer(1 << 14)
    output = mupdf.FzOutput(buffer)
    mupdf.fz_print_stext_page_as_text(output, found)
    output.fz_close_output()
    content: bytes = mupdf.fz_buffer_extract_copy(buffer)
    # A block ends with another line feed; NUL is written in two bytes, and halves of a surrogate pair as they are.
    return content.replace(b"\n\n", b"\n").replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")


def has_a_line_twice(text: str) -> bool:
    """Whether a line of it is the same as the one before."""
    lines = text.split("\n")
    return any(line == after and len(line) > 1 and not line.isspace() for line, after in pairwise(lines))


class FirstLook(NamedTuple):
    """A first look at a page."""

    loaded: Any
    """The mupdf.FzPage."""

    findings: Findings
    text: str
    """As it was drawn, hidden text included."""

    options: Any
    """How its letters are to be read, as mupdf.FzStextOptions."""

    is_twice: bool
    """A line of it is the same as the one before."""


def first_look(document: Document, page: int) -> FirstLook:
    """A first look at page `page` (from 1); raises mupdf.FzErrorBase when it cannot be parsed."""
    loaded = load_page(document, page)
    found = structure(loaded, _SIGNS)
    findings = _examine(document, page, loaded, found)
    text = plain_text(found)
    is_twice = has_a_line_twice(text)
    # What the file says instead of its glyphs may be given for each piece; then the glyphs count.
    if is_twice or (text and not text.strip()):
        return FirstLook(loaded, findings, plain_text(structure(loaded, GLYPHS)), GLYPHS, is_twice)
    return FirstLook(loaded, findings, text, TEXT, is_twice)


def _examine(document: Document, page: int, loaded: Any, found: Any) -> Findings:
    """What is hidden on a page. A page that cannot be drawn hides nothing."""
    area = find_signs(document, page, loaded, found)
    if area is None:
        return Findings()
    return attempt(examine, Sheet(loaded), area, otherwise=Findings(is_unchecked=True))


def letter_blocks(look: FirstLook) -> list[dict[str, Any]]:
    """The blocks of PyMuPDF's `get_text("rawdict")`, read anew, because shapes cut blocks; hidden letters left out."""
    blocks: list[dict[str, Any]] = pymupdf.TextPage(structure(look.loaded, look.options)).extractRAWDICT()["blocks"]
    return without_hidden(blocks, look.findings) if look.findings.hidden else blocks


def _placed_letters(blocks: Iterable[dict[str, Any]]) -> Iterator[PlacedLetter]:
    for line in (line for block in blocks for line in block["lines"]):
        if not is_straight(line["dir"]):
            continue
        for span in line["spans"]:
            visible = bool(span["char_flags"] & _SEEN and span["alpha"])
            for each in span["chars"]:
                if not each["c"].isspace():
                    yield PlacedLetter(each["c"], Box(*each["bbox"]), visible)


def _drawn_lines(blocks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The lines as they were drawn."""
    for line in (line for block in blocks for line in block["lines"]):
        yield "".join(letter["c"] for span in line["spans"] for letter in span["chars"])


def _length(text: str) -> int:
    return len("".join(text.split()))
