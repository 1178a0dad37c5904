"""Running lines: what stands at the edge of page after page, and page numbers. They are no part of the body."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.pdf.worker.layout.numbering import roman_value
from services.pdf.worker.layout.order import Row
from services.pdf.worker.layout.paragraphs import leads_to_page

Edge: TypeAlias = Literal["header", "footer"]

_MOST_ROWS = 4
"""At each edge of a page."""

ROWS_NEEDED = _MOST_ROWS + 1
"""At each edge: beyond the last one stands what it is apart from."""

_MOST_PIECES = 3
"""Of a running line: at the left, in the middle, at the right. More are cells of a table."""

_ZONE = 0.16
"""Of the page's height: what stands farther in is no running line."""

_NUMBER_ZONE = 0.2
"""The same for a page's number."""

_OUTER_ZONE = 0.1
"""Where a line by itself is a running line by its look alone."""

_NEAR = 4.0
"""Points by which the places of one running line differ from page to page."""

_MOSTLY = 0.4
"""Of the letters of a line: beside what is the same on all pages, a title may change."""

_LARGE = 1.15
"""Times the body's size: a line so large is a title, unless most pages have it at their very edge."""

_LARGEST_NUMBER = 1.6
"""The same for a page's number."""

_SMALL = 0.95
_APART = 1.2
"""Times the body's size: the blank between a running line and the body."""

_LIKE_PAGES = 4
"""So many pages with a lone line of one look in one place make it a running line, whatever it says."""

_LONGEST = 150
_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[-\u2013\u2014~·|<\[(\s]*(?:page|p\.|pg\.|제|쪽)?\s*(?P<number>\d{1,4}|[ivxlc]{1,8}|[\u2160-\u216b])\s*"
    r"(?:쪽|면|페이지)?\s*(?:(?:/|of|중|\|)\s*(?:총\s*)?\d{1,4}\s*(?:쪽|면|페이지)?)?[-\u2013\u2014~·|>\])\s.]*",
    re.IGNORECASE,
)
_ENDS = re.compile(r"^\W*(?P<first>\d{1,4}|[ivxlc]{2,7})\b(?![.)]\s*\S)|\b(?P<last>\d{1,4}|[ivxlc]{2,7})\W*$")
"""Numbers at the ends of a line; that of an item, "3. …", is none of a page."""


@dataclass(slots=True)
class Sheet:
    """A page as this module looks at it."""

    rows: Sequence[Row]
    """From top to bottom, across all columns: all, or the first and last `ROWS_NEEDED`."""

    top: float
    bottom: float
    body_size: float


@dataclass(slots=True)
class _Candidate:
    page: int
    edge: Edge
    row: Row
    place: float
    """Its middle, from the page's top or bottom."""

    gap: float
    """The blank between it and the next line farther in, in points."""

    sheet: Sheet


def find_running(sheets: Mapping[int, Sheet]) -> dict[int, list[tuple[Row, Edge, float]]]:
    """The running lines of each page, and how sure each is."""
    candidates = [
        candidate
        for page, sheet in sheets.items()
        for edge in ("header", "footer")
        for candidate in _candidates(page, sheet, edge)
    ]
    sure = _judge(candidates, len(sheets))
    found: dict[int, list[tuple[Row, Edge, float]]] = defaultdict(list)
    stopped: set[tuple[int, Edge]] = set()
    for index, candidate in enumerate(candidates):  # those of an edge come from the outside in
        if index in sure and (candidate.page, candidate.edge) not in stopped:
            found[candidate.page].append((candidate.row, candidate.edge, sure[index]))
        else:
            stopped.add((candidate.page, candidate.edge))
    return found


def page_number(text: str) -> int:
    """The number in a text that says nothing but the page's number: "- 3 -", "iv", "3쪽", "3 / 12"; 0 for others."""
    found = _PAGE_NUMBER.fullmatch(text)
    return _value(found["number"]) if found else 0


def _is_mark(text: str) -> bool:
    """Whether it may be a cross in a cell, and no number."""
    return len(text) == 1 and text.isalpha() and text.isupper()


def _value(said: str) -> int:
    return int(said) if said.isdecimal() else roman_value(said)


def _candidates(page: int, sheet: Sheet, edge: Edge) -> list[_Candidate]:
    height = sheet.bottom - sheet.top
    rows = sheet.rows if edge == "header" else sheet.rows[::-1]
    found = []
    for index, row in enumerate(rows[:_MOST_ROWS]):
        place = (row.y0 + row.y1) / 2 - sheet.top if edge == "header" else sheet.bottom - (row.y0 + row.y1) / 2
        zone = _NUMBER_ZONE if page_number(row.text) else _ZONE
        if (
            row.solid >= 0
            or len(row.pieces) > _MOST_PIECES
            or leads_to_page(row)
            or place > zone * height
            or len(row.text) > _LONGEST
        ):
            break
        inner = rows[index + 1] if index + 1 < len(rows) else None
        gap = height if inner is None else inner.y0 - row.y1 if edge == "header" else row.y0 - inner.y1
        found.append(_Candidate(page, edge, row, place, gap, sheet))
    return found


def _judge(candidates: Sequence[_Candidate], pages: int) -> dict[int, float]:
    """The indices of candidates that are running lines, and how sure they are."""
    sure: dict[int, float] = {}
    _by_text(candidates, pages, sure)
    _by_number(candidates, sure)
    _by_look(candidates, pages, sure)
    for index, each in enumerate(candidates):
        if index not in sure and _stands_alone(each):
            sure[index] = 0.7
    return sure


def _by_text(candidates: Sequence[_Candidate], pages: int, sure: dict[int, float]) -> None:
    """Rows most of which says the same in the same place on other pages, numbers aside."""
    alike: dict[tuple[Edge, str], list[_Candidate]] = defaultdict(list)
    for each in candidates:
        for piece in each.row.pieces:
            alike[each.edge, _key(piece.text)].append(each)
    for index, each in enumerate(candidates):
        said, letters = 0, 0
        others: set[int] = set()
        for piece in each.row.pieces:
            key = _key(piece.text)
            letters += len(piece.text)
            near = {
                other.page
                for other in alike[each.edge, key]
                if abs(other.place - each.place) <= _NEAR and other.page != each.page
            }
            if near and len(key.strip("# ")) > 1:
                said += len(piece.text)
                others |= near
        is_large = each.row.look.size > _LARGE * each.sheet.body_size
        is_outer = each.place <= _OUTER_ZONE * (each.sheet.bottom - each.sheet.top)
        if is_large and not (is_outer and 2 * (len(others) + 1) > max(pages, 4)):
            continue
        if said > _MOSTLY * letters:
            sure[index] = 0.9 if len(others) == 1 else 0.99


def _by_number(candidates: Sequence[_Candidate], sure: dict[int, float]) -> None:
    """What begins or ends with a number that counts as the pages do."""
    counted: dict[tuple[Edge, int], set[int]] = defaultdict(set)
    numbers: list[set[int]] = []
    for each in candidates:
        said = {_value(found["first"] or found["last"]) for found in _ENDS.finditer(each.row.text)}
        said |= {page_number(piece.text) for piece in each.row.pieces if not _is_mark(piece.text)}
        numbers.append({number - each.page for number in said if number})
        for ahead in numbers[-1]:
            counted[each.edge, ahead].add(each.page)
    for index, each in enumerate(candidates):
        most = _LARGEST_NUMBER if page_number(each.row.text) else _LARGE
        if each.row.look.size > most * each.sheet.body_size:
            continue
        is_number = any(page_number(piece.text) for piece in each.row.pieces if not _is_mark(piece.text))
        steps = max((len(counted[each.edge, ahead]) for ahead in numbers[index]), default=0)
        if (steps > 1 and is_number) or (steps > 2 and each.gap > 0.5 * each.row.look.size):  # noqa: PLR2004  # pages
            sure[index] = max(sure.get(index, 0.0), 0.98)


def _by_look(candidates: Sequence[_Candidate], pages: int, sure: dict[int, float]) -> None:
    """Lone lines of one look in one place: the title of each chapter over its pages."""
    if pages < _LIKE_PAGES:
        return
    alike: dict[tuple[Edge, float, bool, int], list[int]] = defaultdict(list)
    for index, each in enumerate(candidates):
        if each.gap > _APART * each.sheet.body_size and each.row.look.size <= each.sheet.body_size * _LARGE:
            look = each.row.look
            for place in {int(each.place / _NEAR), int(each.place / _NEAR + 0.5)}:
                alike[each.edge, round(look.size, 1), look.italic, place].append(index)
    for indices in alike.values():
        if len({candidates[index].page for index in indices}) >= max(_LIKE_PAGES, 0.4 * pages):
            for index in indices:
                sure[index] = max(sure.get(index, 0.0), 0.85)


def _stands_alone(each: _Candidate) -> bool:
    """Whether a line is a running line by itself: a page's number, or a small line far from the body at the edge."""
    height = each.sheet.bottom - each.sheet.top
    if each.gap < _APART * each.sheet.body_size or each.place > _OUTER_ZONE * height:
        return False
    if len(each.row.pieces) == 1 and page_number(each.row.text):
        return True
    return each.row.look.size < _SMALL * each.sheet.body_size and each.gap > 2 * each.sheet.body_size


def _key(text: str) -> str:
    """What stays the same from page to page."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if page_number(folded):
        return "#"
    return _NUMBER.sub("#", folded)
