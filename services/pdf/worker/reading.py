"""Reads a page once, for every view of it: the words of its own text, what nobody sees, and what is drawn besides.

Where the places of letters matter for the text (`page_lines`), words are made of letters. Elsewhere MuPDF's own words
are taken, which costs a fraction.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from services.pdf.worker.documents import Document
from services.pdf.worker.hidden_lines import hidden_lines
from services.pdf.worker.letters import Letter, text_of
from services.pdf.worker.look import MOST_CHARACTERS, Look, count_letters
from services.pdf.worker.mupdf import mupdf, pymupdf
from services.pdf.worker.page_lines import drawn_letters, set_lines
from services.pdf.worker.page_pictures import may_have_pictures
from services.pdf.worker.signs import has_sign
from services.pdf.worker.strings import fit
from services.pdf.worker.word_pieces import match_pieces
from services.pdf.worker.words import Line, Reading, Style, in_units

MOST_PICTURES = 1_000
"""Whose places are kept, the first ones drawn."""

_ROTATE = mupdf.pdf_new_name("Rotate")

_PIECE = re.compile("[^\\s\x00-\x1f\x7f-\x9f]+")
"""Letters that `fit` leaves together."""

_BETWEEN = re.compile("[\x00-\x20\xa0\u202a-\u202e]+")
"""What PyMuPDF's words leave out."""

_BOX = itemgetter(0, 1, 2, 3)
_STYLE = itemgetter("font", "size", "flags", "color")

_Place = TypeVar("_Place", int, float)

_Look = Mapping[str, Any]
"""A span of `get_text("dict")` or `"rawdict"`: letters that look alike."""

_Piece = tuple[Any, ...]
"""Left, top, right, bottom and text of a word or a part of one, as from PyMuPDF's `extractWORDS`, and more."""


class Layer(NamedTuple):
    """A page's own text."""

    reading: Reading
    mapped: str
    """The text before it is made fit to be shown: with what the file has instead of letters."""


def read_page_words(document: Document, page: int) -> Reading:
    """The reading of page `page` (from 1), all of its own text.

    The words of a page with more than `look.MOST_CHARACTERS` have no places. Raises mupdf.FzErrorBase when the page
    cannot be parsed.
    """
    return read_layer(Look(document, page)).reading


def read_layer(look: Look) -> Layer:
    """The same, of a page that was looked at."""
    looks = _Looks()
    if len(look.text) > MOST_CHARACTERS:
        read = [(line, Line(fit(line), 0)) for line in look.text.removesuffix("\n").split("\n")]
    elif look.is_twice or look.fonts.unmapped or has_sign(look.text):
        read = [
            _line_of_letters(text_of(line.letters), line.letters, line.block, line.direction, looks)
            for line in set_lines(look.blocks, look.fonts)
        ]
    elif look.findings.hidden:
        drawn = [
            (drawn_letters(line), number, line["dir"])
            for number, block in enumerate(look.blocks)
            for line in block["lines"]
        ]
        read = [_line_of_letters(text_of(letters), letters, block, way, looks) for letters, block, way in drawn]
    else:
        read = _drawn_lines(_Drawn(look), looks)
    width, height = look.size
    turn = mupdf.pdf_to_int(mupdf.pdf_dict_get_inheritable(look.leaf, _ROTATE))
    rotation = (turn + 45) // 90 * 90 % 360  # to the nearest side, as MuPDF shows it
    hidden, hidden_characters = hidden_lines(look)
    reading = Reading(width, height, rotation, looks.styles, [line for _, line in read] + hidden)
    reading.hidden_characters = hidden_characters
    reading.confidence = share_known(reading.text)
    reading.rules, reading.fills, reading.is_crowded = look.shapes.rules, look.shapes.fills, look.shapes.is_crowded
    if may_have_pictures(look.document, look.page, pixels=1):
        reading.pictures = in_units([edge for picture in look.pictures[:MOST_PICTURES] for edge in picture])
    return Layer(reading, "".join([f"{raw}\n" for raw, _ in read]))


def share_known(text: str) -> float:
    """The share of its characters that the file itself says; U+FFFD stands for what it does not."""
    characters = count_letters(text)
    return 1 - text.count("\ufffd") / characters if characters else 1.0


_Read = tuple[str, Line]
"""A line as the file has it, and as it is shown."""


class _DrawnLine(NamedTuple):
    """A line as MuPDF has it."""

    text: str
    block: int
    """The place of its block among those of `_Drawn`."""

    order: int | None
    """Its own place in that block; None for a line that PyMuPDF has not."""

    spans: list[_Look]
    direction: tuple[float, float]


class _Drawn:
    """A page as MuPDF has it, taken out in the forms that are asked for."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._forms = pymupdf.TextPage(look.shown)

    @cached_property
    def lines(self) -> list[_DrawnLine]:
        """Those of `get_text("dict")`, which lacks some of those without width or height."""
        return [
            _DrawnLine(text.removesuffix("\n"), number, order, line["spans"], line["dir"])
            for number, block in enumerate(self._forms.extractDICT()["blocks"])
            for order, line in enumerate(block["lines"])
            if (text := "".join([span["text"] for span in line["spans"]]))
        ]

    @cached_property
    def words(self) -> list[_Piece]:
        """Those of `get_text("words")`."""
        found: list[_Piece] = self._forms.extractWORDS()
        return found

    @property
    def texts(self) -> list[str]:
        """The text of each line, those too that PyMuPDF has not."""
        return self._look.text.split("\n")[:-1]

    def letters_of(self, line: _DrawnLine) -> list[Letter]:
        """Those of one of its lines; none where PyMuPDF has not got it."""
        return [] if line.order is None else drawn_letters(self._look.blocks[line.block]["lines"][line.order])


class _Looks(dict[tuple[Any, ...], int]):
    """The numbers of the styles that a page's spans have; each style once."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[Style, int] = {}

    @property
    def styles(self) -> list[Style]:
        """In the order of their numbers."""
        return list(self._numbers)

    def __missing__(self, key: tuple[Any, ...]) -> int:
        """The number of a style that is met for the first time."""
        font, size, flags, color = key
        number = self._numbers.setdefault(Style(fit(font), round(size, 2), flags, color), len(self._numbers))
        self[key] = number
        return number


def _drawn_lines(drawn: _Drawn, looks: _Looks) -> list[_Read]:
    """The lines as MuPDF has them, with its words."""
    parts = [word[4] for word in drawn.words]
    places = in_units(list(chain.from_iterable(map(_BOX, drawn.words))))
    lines = []
    begin = 0
    for line in _with_lost_lines(drawn):
        text = fit(line.text)
        words = text.split()
        end = begin + len(words)
        if parts[begin:end] == words:
            boxes, styles = places[4 * begin : 4 * end], _styles(line, words, looks)
        else:
            start, end = begin, _end_of_line(drawn, begin, line)
            matched = match_pieces(words, parts[start:end])
            begin = end
            if matched is None:
                letters = drawn.letters_of(line)
                lines.append(_line_of_letters(line.text, letters, line.block, line.direction, looks))
                continue
            styles = _styles(line, parts[start:end], looks)
            styles = [styles[each.start] for each in matched] if styles else []
            pieces = [tuple(places[4 * index : 4 * index + 4]) for index in range(start, end)]
            boxes = list(chain.from_iterable(_around(pieces[each.start : each.stop]) for each in matched))
        begin = end
        lines.append((line.text, Line(text, line.block, _rounded(line.direction), boxes, styles)))
    return lines


def _end_of_line(drawn: _Drawn, begin: int, line: _DrawnLine) -> int:
    """Where the words of a line end that would begin at `begin`; `begin` if they are another's.

    Each word is passed once, so that many lines that do not match cost no more than their number.
    """
    words, said = drawn.words, _BETWEEN.sub("", line.text)
    if not said or begin == len(words) or (line.order is None and not said.startswith(words[begin][4])):
        return begin
    end = begin
    while end < len(words) and words[end][5:7] == words[begin][5:7]:
        end += 1
    return end


def _with_lost_lines(drawn: _Drawn) -> Iterable[_DrawnLine]:
    """The lines of the page, those too that MuPDF's text has and PyMuPDF's lines lack, or lack the end of."""
    texts = drawn.texts
    if len(texts) == len(drawn.lines) and all(map(str.__eq__, texts, map(itemgetter(0), drawn.lines))):
        return drawn.lines
    known = deque(drawn.lines)
    found = []
    for text in texts:
        if known and text.startswith(known[0].text):
            found.append(known.popleft()._replace(text=text))
        else:
            found.append(_DrawnLine(text, known[0].block if known else 0, None, [], (1.0, 0.0)))
    return found


def _styles(line: _DrawnLine, words: Sequence[str], looks: _Looks) -> list[int]:
    """The number of the style of each word's first letter, the words being as the line has them."""
    spans = [span for span in line.spans if span["text"] != " "]
    numbers = list(map(looks.__getitem__, map(_STYLE, spans)))
    if not numbers or numbers.count(numbers[0]) == len(numbers):
        return numbers[:1] * len(words)
    texts = [span["text"] for span in spans]
    if texts == words:
        return numbers
    ends = list(accumulate([len("".join(text.split())) for text in texts]))
    starts = accumulate(map(len, words[:-1]), initial=0)
    return [numbers[min(bisect_right(ends, start), len(numbers) - 1)] for start in starts]


def _line_of_letters(
    raw: str, letters: Sequence[Letter], block: int, direction: tuple[float, float], looks: _Looks
) -> _Read:
    text = fit(raw)
    words = text.split()
    found = list(_PIECE.finditer(text_of(letters)))
    matched = match_pieces(words, [piece[0] for piece in found])
    if matched is None:  # every word has the place of its line, if that is known
        box = in_units(_around([letter.box for letter in letters])) if letters else []
        style = [looks[_STYLE(letters[0].span)]] if letters else []
        return raw, Line(text, block, _rounded(direction), box * len(words), style * len(words))
    parts = [letters[found[each.start].start() : found[each.stop - 1].end()] for each in matched]
    boxes = in_units([place for part in parts for place in _around([letter.box for letter in part])])
    return raw, Line(text, block, _rounded(direction), boxes, [looks[_STYLE(part[0].span)] for part in parts])


def _around(boxes: Sequence[tuple[_Place, ...]]) -> tuple[_Place, ...]:
    if len(boxes) == 1:
        return boxes[0]
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _rounded(direction: tuple[float, float]) -> tuple[float, float]:
    across, down = direction
    return direction if across == 1.0 else (round(across, 4), round(down, 4))
