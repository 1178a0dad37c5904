"""A page as tables see it: its words and the lines that are drawn on it, in points."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.right_to_left import runs_right_to_left
from services.pdf.worker.words import UNITS, Reading

_BOLD = 16
_USUAL_SIZE = 10.0

_ROW = 600
"""Hundredths of a point, doubled, within which lines stand beside each other at the first look."""

_LONGEST = 40
"""Characters of the pieces of a row, on average, at most."""

_LEAST_ROWS = 3
"""Such rows if there may be a table."""

_SAME_LINE = 0.5
"""By how much, of their height, the middles of words on one line may differ."""


class Placed(NamedTuple):
    """A word and its place."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    line: int
    """The number of its line in the reading; words of one line come in the order in which they are read."""

    size: float
    """Of its letters, in points."""

    is_bold: bool
    is_upright: bool
    """Whether its line runs to the right."""

    @property
    def middle(self) -> tuple[float, float]:
        """The point in the middle of its box."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


_START = attrgetter("x0")


class Rule(NamedTuple):
    """A line that runs across or down."""

    at: float
    """Its place across its direction: y of a line that runs across, x of one that runs down."""

    start: float
    end: float


@dataclass(slots=True)
class Sheet:
    """One page."""

    page: int
    width: float
    height: float
    words: list[Placed]
    across: list[Rule] = field(default_factory=list)
    """Rules that run across, from top to bottom."""

    upright: list[Rule] = field(default_factory=list)
    """Rules that run down, from left to right."""

    fills: list[Box] = field(default_factory=list)
    may_line_up: bool = True
    """Whether words may line up as in a table; see `may_line_up`."""


def sheet_of(page: int, reading: Reading) -> Sheet:
    """Page `page` (from 1); words that nobody sees, or whose places are not known, are left out."""
    sheet = Sheet(page, reading.width, reading.height, list(_words(reading)), may_line_up=may_line_up(reading))
    for left, top, right, bottom in boxes_in(reading.rules):
        if right - left >= bottom - top:
            sheet.across.append(Rule((top + bottom) / 2, left, right))
        else:
            sheet.upright.append(Rule((left + right) / 2, top, bottom))
    sheet.across.sort()
    sheet.upright.sort()
    sheet.fills = list(boxes_in(reading.fills))
    return sheet


def may_line_up(reading: Reading) -> bool:
    """Whether some lines stand beside others, or have wide gaps, and are short: a look at a tenth of the cost."""
    rows: dict[int, list[int]] = {}
    for line in reading.lines:
        boxes = line.boxes
        if not boxes or line.hidden:
            continue
        height = boxes[3] - boxes[1]
        row = rows.setdefault((boxes[1] + boxes[3]) // _ROW, [0, 0])
        row[0] += 1 + sum([start - end > height // 2 for end, start in zip(boxes[2::4], boxes[4::4], strict=False)])
        row[1] += len(line.text)
    return sum(pieces > 1 and length <= _LONGEST * pieces for pieces, length in rows.values()) >= _LEAST_ROWS


def text_of(words: Sequence[Placed]) -> str:
    """What words that stand together say: line by line, with a line feed between the lines."""
    if len(words) == 1:
        return words[0].text
    return "\n".join(_line_text(line) for line in lines_of(words))


def lines_of(words: Sequence[Placed]) -> list[list[Placed]]:
    """The words by the lines that they stand on, from top to bottom; turned text by the lines of the reading."""
    if len(words) == 1:
        return [list(words)]
    ahead = sorted(words, key=twice_middle)
    lines = list(lines_down([word for word in ahead if word.is_upright]))
    if sum(map(len, lines)) < len(ahead):
        turned: dict[int, list[Placed]] = {}
        for word in words:
            if not word.is_upright:
                turned.setdefault(word.line, []).append(word)
        lines += (turned[number] for number in sorted(turned))
    return lines


def lines_down(words: Iterable[Placed]) -> Iterator[list[Placed]]:
    """The lines of words that are upright and come from top to bottom, one after another."""
    line: list[Placed] = []
    middle = height = 0.0
    for word in words:
        top, bottom = word.y0, word.y1
        at, high = (top + bottom) / 2, bottom - top
        if not line or at - middle > _SAME_LINE * min(height, high):
            if line:
                yield sorted(line, key=_START)
            line = []
            middle, height = at, high
        line.append(word)
    if line:
        yield sorted(line, key=_START)


def twice_middle(word: Placed) -> float:
    """What words are sorted by from top to bottom."""
    return word.y0 + word.y1


def _line_text(words: Sequence[Placed]) -> str:
    text = " ".join([word.text for word in words])
    if not text.isascii() and runs_right_to_left(text):
        return " ".join([word.text for word in sorted(words, key=lambda word: -word.x1)])
    return text


def _words(reading: Reading) -> Iterator[Placed]:
    looks = [(style.size or _USUAL_SIZE, _is_bold(style.font, style.flags)) for style in reading.styles]
    for number, line in enumerate(reading.lines):
        boxes, styles = line.boxes, line.styles
        if line.hidden or not boxes:
            continue
        is_upright = line.direction[0] > abs(line.direction[1])
        for index, text in enumerate(line.text.split()):
            left, top, right, bottom = boxes[4 * index : 4 * index + 4]
            size, is_bold = looks[styles[index]] if styles else (_USUAL_SIZE, False)
            yield Placed(
                text, left / UNITS, top / UNITS, right / UNITS, bottom / UNITS, number, size, is_bold, is_upright
            )


def _is_bold(font: str, flags: int) -> bool:
    return bool(flags & _BOLD) or "bold" in font.casefold()
