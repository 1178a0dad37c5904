"""What each paragraph is: a heading, text, an item of a list, a caption or a footnote."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.pdf.worker.layout.blocks import Type
from services.pdf.worker.layout.footnotes import SMALL, footnotes
from services.pdf.worker.layout.numbering import STRUCTURE, Kind, Number, title_end
from services.pdf.worker.layout.paragraphs import Paragraph
from services.pdf.worker.layout.typography import Typography, family

_LARGER = 1.12
"""Times the body's size: a heading by size alone."""

_MUCH_LARGER = 1.3
_AS_LARGE = 0.96
_MOST_ROWS = 3
_LONGEST = 200
_LONGEST_TITLE = 60
_MOST_ROOM = 6.0
"""In sizes: what may be left of a line that goes on elsewhere."""

_LETTERS = re.compile(r"[^\W\d_]")
_SENTENCE_END = re.compile(r"(?:[.!?;,。:]|다\.)$")
_ENDED = re.compile(r"[.!?:。\uff1a][\"')\]\u201d\u2019」』〉》]*$")
_CAPTION = re.compile(
    r"[\[<〈【(]?\s?(?:표|그림|사진|도표|도|별표|[Tt]able|TABLE|Tab\.|Figure|FIGURE|Fig\.|FIG\.|Listing|Algorithm|Chart|Exhibit|Plate|Scheme"
    r"|Abbildung|Abb\.|Tabelle|Tableau|Figura|Tabla|Tabela|図|表|圖|图|Рис\.|Таблица)"
    r"\s?(?:[A-Z]\.?)?(?P<number>\d{1,3}(?:[.\-]\d{1,3}){0,2}|[IVX]{1,5})\s?(?P<mark>[.:)\]>〉】|\u2013\u2014-]|$)?\s*"
)

_LIST_KINDS: frozenset[Kind] = frozenset(
    {
        "circled",
        "number_paren",
        "hangul_paren",
        "number_parens",
        "hangul_parens",
        "letter_paren",
        "letter_parens",
        "roman_parens",
        "bullet",
    }
)
"""Kinds that count items even where one stands alone."""

_HEADING_KINDS: frozenset[Kind] = frozenset(["decimal", "number", "roman"])
"""Kinds that count headings too."""


@dataclass(slots=True)
class Kinded:
    """A paragraph and what it is."""

    paragraph: Paragraph
    type: Type
    number: Number | None = None
    depth: int = 0
    level: int = 0
    confidence: float = 1.0
    continues: bool = False


def kinds_of(
    paragraphs: Sequence[Paragraph], typography: Typography, edges: tuple[float, float], *, is_first_page: bool
) -> list[Kinded]:
    """What the paragraphs of a page are; they come in reading order, tables and pictures among them.

    `edges`: where the page begins and ends, from top to bottom.
    """
    notes = set(footnotes(paragraphs, typography, edges))
    found: list[Kinded] = []
    has_body = not is_first_page
    for index, paragraph in enumerate(paragraphs):
        if paragraph.first.solid >= 0:
            found.append(Kinded(paragraph, "table"))  # or a picture: the caller knows
            continue
        if index in notes:
            found.append(Kinded(paragraph, "footnote", paragraph.number, confidence=0.85))
            continue
        near = [paragraphs[at] for at in (index - 1, index + 1) if 0 <= at < len(paragraphs)]
        following = paragraphs[index + 1] if index + 1 < len(paragraphs) else None
        kind = (
            _caption(paragraph, typography, near)
            or _heading(paragraph, following, typography, is_front=not has_body and bool(found))
            or _item(index, paragraphs, typography)
            or Kinded(paragraph, "text", paragraph.number, confidence=0.6 if paragraph.is_tabular else 0.95)
        )
        has_body = has_body or (kind.type == "text" and len(paragraph.rows) > 1 and not paragraph.is_tabular)
        found.append(kind)
    return found


def goes_on(before: Paragraph, paragraph: Paragraph) -> bool:
    """Whether a paragraph is the rest of one that the end of a column cut."""
    last, size = before.rows[-1], max(paragraph.size, 1.0)
    if paragraph.number is not None or paragraph.is_tabular or _ENDED.search(last.text):
        return False
    if abs(before.size - paragraph.size) > 0.05 * size or before.first.look.bold != paragraph.first.look.bold:
        return False
    first = paragraph.first.pieces[0]
    word = first.width * len(first.text.split(maxsplit=1)[0]) / len(first.text)
    return before.column.x1 - last.x1 < min(word + size, _MOST_ROOM * size)


def _text(paragraph: Paragraph) -> str:
    return " ".join(row.text for row in paragraph.rows)


def _caption(paragraph: Paragraph, typography: Typography, near: Sequence[Paragraph]) -> Kinded | None:
    found = _CAPTION.match(paragraph.first.text)
    if found is None or len(paragraph.rows) > 6:  # noqa: PLR2004  # rows
        return None
    is_beside = any(each.first.solid >= 0 or each.is_tabular for each in near)
    looks_so = paragraph.size < SMALL * typography.body_size or (paragraph.first.look.bold and not typography.body_bold)
    if not (is_beside or looks_so or (found["mark"] and len(paragraph.rows) <= 2)):  # noqa: PLR2004  # rows
        return None
    if not found["mark"] and not is_beside and not looks_so:
        return None
    return Kinded(paragraph, "caption", paragraph.number, confidence=0.95 if is_beside and found["mark"] else 0.8)


def _heading(
    paragraph: Paragraph, following: Paragraph | None, typography: Typography, *, is_front: bool
) -> Kinded | None:
    rows, number = paragraph.rows, paragraph.number
    text = _text(paragraph)
    if (
        len(rows) > _MOST_ROWS
        or len(text) > _LONGEST
        or paragraph.is_contents
        or paragraph.is_tabular
        or not _LETTERS.search(text)
    ):
        return None
    confidence = _heading_by_number(paragraph, text)
    size = min(row.look.size for row in rows)
    is_bold = all(row.look.bold for row in rows) and not typography.body_bold
    is_partly = any(piece.is_mixed for row in rows for piece in row.pieces)
    ends = _SENTENCE_END.search(text) is not None and number is None
    if _is_other_font(paragraph, following, typography):
        return Kinded(paragraph, "heading", number, confidence=0.75)
    if _may_head(paragraph, following, text):
        return Kinded(paragraph, "heading", number, confidence=0.6)
    if size >= _MUCH_LARGER * typography.body_size or (is_bold and size >= _LARGER * typography.body_size):
        confidence = max(confidence, 0.95)
    elif size >= _LARGER * typography.body_size and not is_front and not (ends and len(text) > _LONGEST_TITLE):
        confidence = max(confidence, 0.85)
    elif (
        is_bold
        and size >= _AS_LARGE * typography.body_size
        and not is_partly
        and not ends
        and len(text) < 0.6 * _LONGEST
    ):
        confidence = max(confidence, 0.9 if number is not None else 0.75)
    if number is not None and number.kind in _LIST_KINDS and not (size >= _LARGER * typography.body_size or is_bold):
        return None
    if not confidence or (number is None and len(_LETTERS.findall(text)) < 2):  # noqa: PLR2004  # letters
        return None
    return Kinded(paragraph, "heading", number, confidence=confidence)


def _is_other_font(paragraph: Paragraph, following: Paragraph | None, typography: Typography) -> bool:
    """Whether a numbered line has a font of its own, with text of the body's right below it."""
    if paragraph.number is None or paragraph.number.kind == "bullet" or len(paragraph.rows) > 1 or following is None:
        return False
    look, below = paragraph.first.look, following.first.look
    return (
        family(look.font) != typography.body_font == family(below.font)
        and not look.one_width
        and look.size >= _AS_LARGE * typography.body_size
        and following.number is None
        and _SENTENCE_END.search(paragraph.first.text) is None
    )


def _may_head(paragraph: Paragraph, following: Paragraph | None, text: str) -> bool:
    """Whether a short numbered line of which no look is known, as on a scan, stands over text at the same edge."""
    number = paragraph.number
    if paragraph.first.look.font or number is None or number.kind not in _HEADING_KINDS or following is None:
        return False
    is_short = len(paragraph.rows) == 1 and len(text) <= _LONGEST_TITLE and _SENTENCE_END.search(text) is None
    is_over = following.number is None and following.column is paragraph.column and len(following.rows) > 1
    return is_short and is_over and abs(following.x0 - paragraph.x0) < paragraph.size


def _heading_by_number(paragraph: Paragraph, text: str) -> float:
    """How sure a number makes it: "제2장 총칙", and "제3조(정의)" if nothing follows in its line."""
    number = paragraph.number
    if number is None or number.kind not in STRUCTURE or len(paragraph.rows) > 2 or len(text) > _LONGEST_TITLE:  # noqa: PLR2004  # rows
        return 0.0
    if number.kind == "article" and number.marker.startswith("제"):
        return 0.9 if title_end(text) == len(text.rstrip()) > number.end else 0.0
    return 0.0 if _SENTENCE_END.search(text) and len(text) > len(number.marker) + 2 else 0.85


def _item(index: int, paragraphs: Sequence[Paragraph], typography: Typography) -> Kinded | None:
    paragraph = paragraphs[index]
    number = paragraph.number
    if number is None or paragraph.is_contents or (number.kind in STRUCTURE):
        return None
    if len(_text(paragraph)) <= len(number.marker):
        return None
    if number.kind in _LIST_KINDS:
        if number.kind == "bullet" and number.marker in "-\u2013\u2014o¢※" and not _has_sibling(index, paragraphs):
            return Kinded(paragraph, "list", number, confidence=0.7)
        return Kinded(paragraph, "list", number, confidence=0.95)
    hangs = len(paragraph.rows) > 1 and paragraph.rows[1].x0 > paragraph.first.x0 + 0.7 * typography.body_size
    is_set_in = paragraph.x0 > paragraph.column.x0 + typography.body_size and number.kind != "decimal"
    begins = number.kind == "hangul" and number.value == (1,)
    if _has_sibling(index, paragraphs) or begins or (number.kind != "hangul" and (hangs or is_set_in)):
        return Kinded(paragraph, "list", number, confidence=0.85)
    return None


def _has_sibling(index: int, paragraphs: Sequence[Paragraph]) -> bool:
    """Whether the item before or after it is near, at the same edge or in another column."""
    number = paragraphs[index].number
    if number is None:
        return False
    reach = 12
    before = paragraphs[max(index - reach, 0) : index]
    after = paragraphs[index + 1 : index + 1 + reach]

    def is_near(other: Paragraph) -> bool:
        moved = other.x0 - paragraphs[index].x0
        return other.column is not paragraphs[index].column or abs(moved) < 1.5 * max(other.size, 1.0)

    return any(each.number and number.follows(each.number) and is_near(each) for each in before) or any(
        each.number and each.number.follows(number) and is_near(each) for each in after
    )
