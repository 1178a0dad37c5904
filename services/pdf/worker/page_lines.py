"""The lines of a page as people read them, where the file says it otherwise.

MuPDF gives lines in the file's own order, and adds a blank for a gap only after letters below U+0700. So words of
Hangul that a file sets apart by position alone are glued, while evenly spread Latin letters come one by one. What a
file draws in pieces, in another order, twice, or from top to bottom comes as it was drawn. Here positions decide.
"""

import bisect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.dingbats import SYMBOLS, is_dingbats
from services.pdf.worker.fonts import PageFonts
from services.pdf.worker.letters import BLANK, HANGUL, Letter, text_of
from services.pdf.worker.right_to_left import in_reading_order, runs_right_to_left

_GAP = 0.15
"""By how much, in sizes of the letters, a gap between words is wider than the line's usual one; measured on files of
several programs, for words of Hangul from 0.13 up."""

_HOLE = 0.6
"""The same where one piece of a line was drawn into a hole that another left: it seldom fills it exactly."""

_JOINS = 2.0
"""Pieces on one baseline are one line where no more than this is between them, in sizes; columns are further apart."""

_BASELINE = 0.3
"""How far apart, in sizes, the baselines of one line's pieces may be."""

_TWICE = 0.25
"""What is drawn again so near to the first, in sizes, is a shadow or a bold of its own."""

_LEAST_SPREAD = 5
"""Letters of a word that is spread out evenly, at least. Shorter ones may be a row of symbols."""

_SPREAD = 0.5
"""The widest usual gap of such a word."""

_MOSTLY = 0.8
"""The share of its gaps that MuPDF takes for blanks."""

_STRAIGHT = 1.001
"""The most that the two parts of the direction of a line come to that runs across or down."""

_ABOVE, _BELOW = 0.8, 0.2
"""How far letters reach from their baseline, in sizes."""

_UNMAPPED = 128
"""Flag of a span's letters whose Unicode is only a guess from the number of the glyph (FZ_STEXT_UNICODE_IS_CID)."""


@dataclass(slots=True)
class _Line:
    letters: list[Letter]
    across: float
    """Its baseline, or the middle of a vertical line's letters, measured across the line."""

    size: float
    order: int
    """When it was drawn, among the lines of its block."""

    joints: dict[int, float] = field(default_factory=dict)
    """The letters with which another piece begins, and how wide a gap before each is a blank."""

    @property
    def start(self) -> float:
        return self.letters[0].start

    @property
    def end(self) -> float:
        return self.letters[-1].end

    @property
    def text(self) -> str:
        return text_of(self.letters)


@dataclass(frozen=True, slots=True)
class SetLine:
    """A line as it is read: its letters in that order, with a blank for each gap between words."""

    letters: list[Letter]
    block: int
    """The number of its block on the page, from 0."""

    direction: tuple[float, float]
    """Where it runs, as a vector of length 1: (1, 0) to the right, (0, 1) down."""

    box: Box


def set_lines(blocks: Sequence[Mapping[str, Any]], fonts: PageFonts) -> Iterator[SetLine]:
    """The lines as people read them; none is empty.

    Args:
        blocks: Those of PyMuPDF's `get_text("rawdict")`.
        fonts: The page's. MuPDF guesses what a glyph means where the file does not say it, from the glyph's number.
            In fonts whose glyphs have names most guesses are right; in others they become U+FFFD.
    """
    drawn: dict[tuple[str, float, int, int], tuple[float, float]] = {}
    for number, block in enumerate(blocks):
        ways: dict[tuple[float, float], list[_Line]] = {}
        found: list[tuple[int, SetLine]] = []
        for order, line in enumerate(block["lines"]):
            way = line["dir"]
            ours = _line(line, order, fonts)
            if ours is not None and _is_drawn_twice(ours, drawn):
                continue
            if ours is None or runs_right_to_left(ours.text):
                box = Box(*line["bbox"]) if ours is None else _box(ours, way)
                found.append((order, SetLine(_by_itself(line, ours), number, way, box)))
            else:
                ways.setdefault(way, []).append(ours)
        for way, lines in ways.items():
            found += ((line.order, SetLine(_spaced(line), number, way, _box(line, way))) for line in _joined(lines))
        found.sort(key=lambda each: each[0])
        yield from (line for _, line in found if line.letters)


def is_straight(way: tuple[float, float]) -> bool:
    """Whether a line in that direction runs across or down."""
    return abs(way[0]) + abs(way[1]) <= _STRAIGHT


def drawn_letters(line: Mapping[str, Any]) -> list[Letter]:
    """The letters of one line of `get_text("rawdict")` as they were drawn, without their places along it."""
    return [
        Letter(each["c"], 0.0, 0.0, box=each["bbox"], span=span) for span in line["spans"] for each in span["chars"]
    ]


def _box(line: _Line, way: tuple[float, float]) -> Box:
    """Where the line is, from a little below its baseline to the height of its letters."""
    above, below = line.across - _ABOVE * line.size, line.across + _BELOW * line.size
    corners = [
        (at * way[0] - off * way[1], at * way[1] + off * way[0]) for at, off in ((line.start, above), (line.end, below))
    ]
    (x0, x1), (y0, y1) = map(sorted, zip(*corners, strict=True))
    return Box(x0, y0, x1, y1)


def _by_itself(line: Mapping[str, Any], found: _Line | None) -> list[Letter]:
    """The letters of a line that no other piece joins; without its places as it was drawn."""
    if found is None:
        return drawn_letters(line)
    if runs_right_to_left(found.text):
        return in_reading_order(found.letters)
    return _spaced(found)


def _line(line: Mapping[str, Any], order: int, fonts: PageFonts) -> _Line | None:
    """The letters by their places along the line; None for a line without any, and for one at another angle.

    The boxes of letters that run neither across nor down say too little of their places.
    """
    way: tuple[float, float] = line["dir"]
    if not is_straight(way):
        return None
    across_the_page = way == (1.0, 0.0)
    letters = []
    across = size = 0.0
    for span in line["spans"]:
        is_guess = span["char_flags"] & _UNMAPPED
        symbols = SYMBOLS if is_dingbats(span["font"]) else {}
        size = max(size, span["size"])
        for each in span["chars"]:
            x0, y0, x1, y1 = each["bbox"]
            ends = (x0, x1) if across_the_page else sorted((x0 * way[0] + y0 * way[1], x1 * way[0] + y1 * way[1]))
            is_doubt = is_guess and (fonts.unmapped or (fonts.numbered and not each["c"].isprintable()))
            text = "\ufffd" if is_doubt else symbols.get(each["c"], each["c"])
            letters.append(Letter(text, ends[0], ends[1], bool(each["synthetic"]), each["bbox"], span))
            if not across:
                x, y = ((x0 + x1) / 2, (y0 + y1) / 2) if line["wmode"] else each["origin"]
                across = y * way[0] - x * way[1]
    return _Line(letters, across, size or 1.0, order) if letters else None


def _is_drawn_twice(line: _Line, drawn: dict[tuple[str, float, int, int], tuple[float, float]]) -> bool:
    """Whether the same text in the same size stands at this place already; else it does now.

    A letter by itself may be one of the dots that make a curve.
    """
    text = line.text.strip()
    if len(text) <= 1:
        return False
    near = _TWICE * line.size
    column, row = int(line.start // near), int(line.across // near)  # of a grid, so that only neighbours are compared
    for place in itertools.product((column - 1, column, column + 1), (row - 1, row, row + 1)):
        start, across = drawn.get((text, line.size, *place), (math.inf, math.inf))
        if abs(start - line.start) < near and abs(across - line.across) < near:
            return True
    drawn[text, line.size, column, row] = (line.start, line.across)
    return False


def _joined(lines: list[_Line]) -> Iterator[_Line]:
    """The lines of one block and one direction, pieces of one baseline joined in the order of their places."""
    for row in _rows(lines):
        line = row[0]
        for piece in row[1:]:
            size = max(line.size, piece.size)
            if not -_GAP <= (piece.start - line.end) / size <= _JOINS:
                yield line
                line = piece
                continue
            line.joints[len(line.letters)] = _GAP if piece.order == line.order + 1 else _HOLE
            line.letters += piece.letters
            line.size, line.order = size, piece.order
        yield line


def _rows(lines: list[_Line]) -> Iterator[list[_Line]]:
    """The lines by their baselines, those of each in the order of their places."""
    ahead = sorted(lines, key=lambda each: each.across)
    begin = 0
    while begin < len(ahead):
        most = ahead[begin].across + _BASELINE * ahead[begin].size
        end = bisect.bisect_right(ahead, most, begin, key=lambda each: each.across)
        yield sorted(ahead[begin:end], key=lambda each: each.start)
        begin = end


def _spaced(line: _Line) -> list[Letter]:
    """The line's letters, with a blank for each gap between words."""
    letters = line.letters
    gaps: dict[int, float] = {}
    guessed = 0
    last = None
    for index, letter in enumerate(letters):
        if letter.is_guessed_blank:
            guessed += 1
        elif letter.text.isspace():
            last = None
        else:
            if last is not None:
                gaps[index] = (letter.start - letters[last].end) / line.size
            last = index
    if not gaps:
        return letters
    usual = median(gaps.values())
    is_spread = guessed >= _MOSTLY * len(gaps) and _is_word(line, len(gaps) + 1, usual)
    least = 2 * usual + _GAP if is_spread else usual + _GAP
    has_hangul = HANGUL.search(line.text) is not None
    spaced: list[Letter] = []
    before = ""
    for index, letter in enumerate(letters):
        if letter.is_guessed_blank:
            if not is_spread and not (has_hangul and _next_to_hangul(letters, index)):
                spaced.append(BLANK)
            continue
        is_judged = is_spread or index in line.joints or (has_hangul and HANGUL.search(before + letter.text))
        if is_judged and gaps.get(index, -1.0) > line.joints.get(index, least):
            spaced.append(BLANK)
        spaced.append(letter)
        before = letter.text
    return spaced


def _next_to_hangul(letters: Sequence[Letter], index: int) -> bool:
    around = letters[max(index - 1, 0)].text + letters[min(index + 1, len(letters) - 1)].text
    return bool(HANGUL.search(around))


def _is_word(line: _Line, letters: int, usual: float) -> bool:
    """Whether so many letters with this usual gap can be words spread out, and no row of symbols or numbers."""
    if letters < _LEAST_SPREAD or usual > _SPREAD:
        return False
    return all(letter.text.isalpha() or letter.text.isspace() for letter in line.letters)
