"""Documents of which each word's place is known: text in columns and pages, with hyphens and words cut at line ends.

The text is that of `guide.ko.txt` and `guide.en.txt` in `corpus/text`; Debian has the fonts. The same document for the
same seed.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.options import SHARED
from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import pymupdf

_FONTS = {
    "ko": "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "en": "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
}
_SIZE, _PITCH = 10.0, 15.0
_TOP, _BOTTOM, _LEFT, _RIGHT, _GUTTER = 80.0, 770.0, 60.0, 535.0, 24.0
_SHORTEST, _LONGEST = 60, 400
"""Characters of a paragraph."""

_LEAST_PART = 3
"""Letters before and after a hyphen."""

HEAD = {"ko": "주식회사 한빛 문서 관리 지침", "en": "Guide for those who keep documents"}
"""What stands at the top of each page."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or the part of one that stands on a line."""

    page: int
    column: int
    line: int
    """Counted through the document."""

    text: str
    """Without the hyphen that was added."""

    box: Box


@dataclass(slots=True)
class Word:
    """A word of the text, and where it stands."""

    text: str
    pieces: list[Piece] = field(default_factory=list)
    hyphenated: bool = False


@dataclass(slots=True)
class Made:
    """A document."""

    language: str
    content: bytes
    words: list[Word]
    """In reading order."""

    pages: int
    font: Any

    def without(self, piece: Piece, before: int, after: int) -> Piece:
        """The piece without so many letters at its ends."""
        if not before and not after:
            return piece
        text = piece.text
        start = piece.box.x0 + self.font.text_length(text[:before], _SIZE)
        end = piece.box.x1 - (self.font.text_length(text[len(text) - after :], _SIZE) if after else 0.0)
        return replace(piece, text=text[before : len(text) - after], box=piece.box._replace(x0=start, x1=end))


class _Press:
    """Sets words into lines, columns and pages."""

    def __init__(self, language: str, columns: int, chance: random.Random) -> None:
        self.pages: list[list[tuple[float, float, str]]] = []
        self._language = language
        self._chance = chance
        self._columns = columns
        self._width = (_RIGHT - _LEFT - (columns - 1) * _GUTTER) / columns
        self.font: Any = pymupdf.Font(fontfile=_FONTS[language])
        self._column = columns
        self._y = _BOTTOM
        self._line = -1
        self._new_line()

    def paragraph(self, text: str) -> Iterator[Word]:
        self._x += 0.0 if self._x > self._start else _SIZE
        for each in text.split():
            yield self._set(Word(each))
        self._new_line()
        self._y += 0.4 * _PITCH

    def _set(self, word: Word) -> Word:
        blank = 0.0 if self._x in {self._start, self._start + _SIZE} else self._measure(" ")
        room = self._start + self._width - self._x - blank
        if self._measure(word.text) <= room:
            self._put(word, word.text, blank)
            return word
        cut = self._cut(word.text, room)
        if cut:
            word.hyphenated = self._language == "en"
            self._put(word, word.text[:cut], blank, hyphen="-" * word.hyphenated)
        self._new_line()
        self._put(word, word.text[cut:], 0.0)
        return word

    def _cut(self, text: str, room: float) -> int:
        """After how many letters the word is cut; 0 for none."""
        if self._language == "ko":
            cuts = [at for at in range(1, len(text)) if text[at - 1].isalnum() and "가" <= text[at] <= "힣"]
            return max((at for at in cuts if self._measure(text[:at]) <= room), default=0)
        if not (text.isalpha() and text.islower()):
            return 0
        cuts = list(range(_LEAST_PART, len(text) - _LEAST_PART + 1))
        return max((at for at in cuts if self._measure(text[:at] + "-") <= room), default=0)

    def _put(self, word: Word, text: str, blank: float, hyphen: str = "") -> None:
        self._x += blank
        width = self._measure(text + hyphen)
        top = self._y - _SIZE * self.font.ascender
        box = Box(self._x, top, self._x + width, self._y - _SIZE * self.font.descender)
        word.pieces.append(Piece(len(self.pages), self._column, self._line, text, box))
        self.pages[-1].append((self._x, self._y, text + hyphen))
        self._x += width

    def _new_line(self) -> None:
        self._line += 1
        self._y += _PITCH
        if self._y > _BOTTOM:
            self._column += 1
            self._y = _TOP + _PITCH
            if self._column >= self._columns:
                self._column = 0
                self.pages.append([])
        self._start = self._x = _LEFT + self._column * (self._width + _GUTTER)

    def _measure(self, text: str) -> float:
        width: float = self.font.text_length(text, _SIZE)
        return width


def make(language: str, columns: int, seed: int, *, shuffled: bool, pages: int = 6) -> Made:
    """A document of so many pages; `shuffled`: its lines are drawn in no order."""
    chance = random.Random(f"{language}{columns}{seed}")  # noqa: S311  # not a secret: the same document for the same seed
    texts = [line.strip() for line in _text(language).read_text("utf-8").splitlines()]
    texts = [line for line in texts if _SHORTEST < len(line) < _LONGEST]
    chance.shuffle(texts)
    press = _Press(language, columns, chance)
    words: list[Word] = []
    while len(press.pages) <= pages:
        words += press.paragraph(texts.pop())
    words = [word for word in words if word.pieces[-1].page <= pages]
    with pymupdf.open() as document:
        for number, lines in enumerate(press.pages[:pages], 1):
            _draw(document, press.font, lines, HEAD[language], number, chance if shuffled else None)
        document.subset_fonts()
        content: bytes = document.tobytes(garbage=3, deflate=True)
    return Made(language, content, words, pages, press.font)


def _draw(  # noqa: PLR0917  # a page and what is on it
    document: Any,
    font: Any,
    pieces: list[tuple[float, float, str]],
    head: str,
    number: int,
    chance: random.Random | None,
) -> None:
    lines: dict[tuple[float, int], list[tuple[float, str]]] = {}
    for x, y, text in pieces:
        lines.setdefault((y, int(x > (_LEFT + _RIGHT) / 2)), []).append((x, text))
    found = list(lines.items())
    if chance is not None:
        chance.shuffle(found)
    page = document.new_page()
    writer = pymupdf.TextWriter(page.rect)
    writer.append((_LEFT, 50), head, font, 8)
    for (y, _), words in found:
        writer.append((words[0][0], y), " ".join(text for _, text in words), font, _SIZE)
    writer.append((290, 810), f"- {number} -", font, 8)
    writer.write_text(page)


def _text(language: str) -> Path:
    return SHARED / "corpus" / "text" / f"guide.{language}.txt"
