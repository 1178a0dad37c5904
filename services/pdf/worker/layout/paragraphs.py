"""Rows of a column as paragraphs: what belongs together by distance, edges, look and number."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from services.pdf.worker.layout.numbering import STRUCTURE, Kind, Number, read
from services.pdf.worker.layout.order import Column, Row
from services.pdf.worker.layout.typography import Typography, pitch_of

_FARTHER = 1.2
"""Times the usual pitch: lines so far apart are of two paragraphs."""

_OTHER_SIZE = 1.08
"""How many times larger the letters of another kind of text are."""

_OTHER_SIZE_IN_ITEM = 1.3
"""The same where a line stands right under the text of an item: a piece of code, or another font for another script."""

_DISPLAY = 1.12
"""Times the body's size: larger letters are a title's."""

_INDENT = 0.7
"""In sizes: how far a line is moved to count as moved."""

_NEAR_ROWS = 4
"""Above and below a row, for the edge of a block that is set in."""

_DEEPEST_HANG = 7.0
"""In sizes: how far the lines of an item are moved at most from its mark."""

_TABULAR = 2.2
"""In sizes: a gap within a row that no running text has."""

_LONGEST_FRAGMENT = 2.5
"""In sizes: the room in which a Korean line that may end anywhere would have gone on."""

_SURE: frozenset[Kind] = frozenset(["circled", "hangul_paren"])
"""Kinds of numbers with which hardly any line begins that goes on with a sentence."""

_IN_DATES: frozenset[Kind] = frozenset(["number", "decimal"])
_DIGITS_AND_STOP = "0123456789."
"""A line that ends so may have the first half of a date or a number, and the next one the rest."""

_DASHES = "-\u2013\u2014\u2212"
_LEADERS = re.compile(r"(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){4,}\s*\S{0,8}$")
_PAGE = re.compile(r"\d{1,4}|[ivx]{1,6}")
_ENDED = re.compile(r"[.!?。:;)\]>」』”\"]$|다$|함$|음$|것$")


@dataclass(slots=True)
class Paragraph:
    """Rows that are read as one."""

    rows: list[Row]
    column: Column
    number: Number | None = None
    """What its first row begins with."""

    is_tabular: bool = False
    """Whether its rows have gaps like a table's."""

    is_contents: bool = False
    """Whether it is an entry of a table of contents: its end is led to a page number."""

    @property
    def first(self) -> Row:
        """Its first row."""
        return self.rows[0]

    @property
    def x0(self) -> float:
        """Its left edge."""
        return min(row.x0 for row in self.rows)

    @property
    def size(self) -> float:
        """Of the letters of its first row."""
        return self.rows[0].look.size


def paragraphs_of(
    column: Column, typography: Typography, *, breaks_words: bool, right_to_left: bool = False
) -> list[Paragraph]:
    """The paragraphs of a column, from top to bottom.

    `breaks_words`: whether Korean lines of this document end inside words.
    """
    return list(_Setting(column, typography, breaks_words=breaks_words, right_to_left=right_to_left).paragraphs())


class _Setting:
    """A column and what is usual in it."""

    def __init__(self, column: Column, typography: Typography, *, breaks_words: bool, right_to_left: bool) -> None:
        self._column = column
        self._typography = typography
        self._breaks_words = breaks_words
        self._right_to_left = right_to_left
        self._numbers = [read(row.text) if row.solid < 0 else None for row in column.rows]
        self._tabular = [_is_tabular(row, number) for row, number in zip(column.rows, self._numbers, strict=True)]

    @cached_property
    def _edges(self) -> tuple[float, float]:
        """Where full lines begin and end, in reading direction."""
        plain = [row for row, tabular in zip(self._column.rows, self._tabular, strict=True) if not tabular]
        rows = [row for row in plain if row.solid < 0] or self._column.rows
        ends = sorted(self._end(row) for row in rows)
        return min(self._start(row) for row in rows), ends[min(int(len(ends) * 0.92), len(ends) - 1)]

    def _start(self, row: Row) -> float:
        return -row.x1 if self._right_to_left else row.x0

    def _end(self, row: Row) -> float:
        return -row.x0 if self._right_to_left else row.x1

    def paragraphs(self) -> Iterator[Paragraph]:
        rows = self._column.rows
        begin = 0
        last_number: Number | None = None
        for index in range(1, len(rows) + 1):
            if index < len(rows) and not self._breaks(begin, index, last_number):
                continue
            last_number = self._numbers[begin] or last_number
            found = rows[begin:index]
            yield Paragraph(
                found,
                self._column,
                self._numbers[begin],
                self._tabular[begin],
                is_contents=_is_entry(found, tabular=self._tabular[begin]),
            )
            begin = index

    def _breaks(self, begin: int, index: int, last_number: Number | None) -> bool:
        """Whether a paragraph that began at row `begin` ends before row `index`."""
        rows = self._column.rows
        before, row = rows[index - 1], rows[index]
        if row.solid >= 0 or before.solid >= 0 or self._tabular[index] != self._tabular[index - 1]:
            return True
        hangs = self._numbers[begin] is not None and self._numbers[index] is None and self._hangs(begin, index)
        if _looks_other(before, row, _OTHER_SIZE_IN_ITEM if hangs else _OTHER_SIZE) or self._breaks_by_distance(index):
            return True
        if self._tabular[index] or _LEADERS.search(before.text):
            return any(_LEADERS.search(each.text) for each in (before, row))
        if self._numbers[index] is None and is_of_one_width(before) and is_of_one_width(row):
            return False
        return not self._are_centred(before, row) and self._begins(begin, index, last_number)

    def _breaks_by_distance(self, index: int) -> bool:
        before, row = self._column.rows[index - 1 : index + 1]
        usual = max(self._typography.pitch(row.look.size), self._typography.pitch(before.look.size))
        return pitch_of(before, row) > _FARTHER * usual + 0.5

    def _begins(self, begin: int, index: int, last_number: Number | None) -> bool:
        """Whether a paragraph begins at row `index`, by numbers and edges."""
        rows = self._column.rows
        is_large = rows[index].look.size > _DISPLAY * self._typography.body_size  # a title's lines are of any length
        is_short = not is_large and self._has_room(index)
        if self._numbers[index] is not None:
            if self._is_new_number(begin, index, last_number, is_short=is_short):
                return True
        elif self._numbers[begin] is not None and self._hangs(begin, index):
            return False
        return is_short or self._is_moved(begin, index)

    def _hangs(self, begin: int, index: int) -> bool:
        """Whether a row stands under the text of an item, to the right of its mark."""
        rows = self._column.rows
        moved = self._start(rows[index]) - self._start(rows[begin])
        others = [self._start(row) for row in rows[begin + 1 : index]]
        size = rows[index].look.size
        if not others and index + 1 < len(rows) and not self._breaks_by_distance(index + 1):
            back = self._start(rows[index + 1]) - self._start(rows[begin])
            if abs(back) < _INDENT * size and self._numbers[index + 1] is None:
                return False  # the first line of text under a heading, set in
        return _INDENT * size < moved < _DEEPEST_HANG * size and all(
            abs(self._start(rows[index]) - other) < _INDENT * size for other in others
        )

    def _are_centred(self, before: Row, row: Row) -> bool:
        start, end = self._edges
        size = row.look.size
        return all(
            abs((self._start(each) - start) - (end - self._end(each))) < size and self._start(each) - start > 2 * size
            for each in (before, row)
        )

    def _has_room(self, index: int) -> bool:
        """Whether a row's first word would have had room on the one before, so that it was not room that ended it."""
        before, row = self._column.rows[index - 1 : index + 1]
        text = row.pieces[0].text
        first = text.split(maxsplit=1)[0]
        size = row.look.size
        need = row.pieces[0].width * len(first) / len(text)
        if self._breaks_words and any("가" <= letter <= "힣" for letter in first):
            need = min(need, _LONGEST_FRAGMENT * size)
        return self._end_near(index - 1, size) - self._end(before) > need + 0.8 * size

    def _end_near(self, index: int, size: float) -> float:
        """Where full lines end beside a row: in a block that is set in, they may end before those of the column."""
        start, end = self._edges
        rows = self._column.rows
        own = self._start(rows[index])
        if own - start < size:
            return end
        near = rows[max(index - _NEAR_ROWS, 0) : index + _NEAR_ROWS + 1]
        ends = [self._end(each) for each in near if each.solid < 0 and abs(self._start(each) - own) < _INDENT * size]
        return max(ends) if len(ends) > _NEAR_ROWS // 2 else end

    def _is_new_number(self, begin: int, index: int, last_number: Number | None, *, is_short: bool) -> bool:
        number, before = self._numbers[index], self._column.rows[index - 1].text
        if number is None or (number.kind in _IN_DATES and before[-1:] in _DIGITS_AND_STOP):
            return False
        is_dash = number.marker in _DASHES
        current = self._numbers[begin] or last_number
        if current is not None and number.follows(current):
            return not is_dash or self._is_at_start(begin, index)
        if is_short or number.kind in _SURE or (number.kind == "bullet" and not is_dash):
            return True
        return _ENDED.search(before) is not None and (number.kind in STRUCTURE or self._is_at_start(begin, index))

    def _is_at_start(self, begin: int, index: int) -> bool:
        """Whether a row begins where its paragraph began, or where no row of it did after the first."""
        rows = self._column.rows
        indent = _INDENT * rows[index].look.size
        if index - begin == 1:
            return self._start(rows[index]) - self._start(rows[begin]) < indent or self._numbers[begin] is not None
        return abs(self._start(rows[index]) - self._start(rows[index - 1])) > indent

    def _is_moved(self, begin: int, index: int) -> bool:
        """Whether a row begins elsewhere than the rows of its paragraph do."""
        rows = self._column.rows
        row, start = rows[index], self._start(rows[index])
        indent = _INDENT * row.look.size
        if index - begin > 1:
            return abs(start - min(self._start(each) for each in rows[begin + 1 : index])) > indent
        moved = start - self._start(rows[begin])
        if moved <= indent or self._numbers[begin] is not None:
            return moved < -6 * row.look.size
        following = rows[index + 1] if index + 1 < len(rows) else None
        return following is None or self._start(following) - start < -indent  # else its first line hangs out


def is_of_one_width(row: Row) -> bool:
    """Whether all its letters have one width, as those of programs do."""
    return all(piece.look.one_width for piece in row.pieces)


def _is_tabular(row: Row, number: Number | None) -> bool:
    """Whether a row has gaps that running text has not; the one after a mark does not count."""
    pieces = row.pieces
    if number is not None and len(pieces) > 1 and len(pieces[0].text) <= len(number.marker):
        pieces = pieces[1:]
    if len(pieces) > 1 and len(pieces[-1].text) == 1 and not pieces[-1].text.isalnum():  # the end of a proof
        pieces = pieces[:-1]
    if len(pieces) < 2:  # noqa: PLR2004  # one has nothing beside it
        return False
    size = max(row.look.size, 1.0)
    return any(max(b.x0 - a.x1, a.x0 - b.x1) > _TABULAR * size for a, b in pairwise(pieces))


def leads_to_page(row: Row) -> bool:
    """Whether dots lead to its end, as in a table of contents."""
    return row.solid < 0 and _LEADERS.search(row.text) is not None


def _is_entry(rows: Sequence[Row], *, tabular: bool) -> bool:
    last = rows[-1]
    if leads_to_page(last):
        return True
    return tabular and len(rows) == 1 and _PAGE.fullmatch(last.pieces[-1].text) is not None


def _looks_other(before: Row, row: Row, times: float) -> bool:
    """Whether two rows differ in size, or one is bold and the other is not."""
    if _is_short_mark(row) or _is_short_mark(before):
        return False
    small, large = sorted((before.look.size, row.look.size))
    if large > small * times:
        return True
    return before.look.bold != row.look.bold and not _is_mixed(before) and not _is_mixed(row)


def _is_mixed(row: Row) -> bool:
    return any(piece.is_mixed for piece in row.pieces) or len({piece.look.bold for piece in row.pieces}) > 1


def _is_short_mark(row: Row) -> bool:
    return len(row.text) <= 2  # noqa: PLR2004  # characters
