"""Pages whose text is known, as pictures: laid out, printed and damaged in many ways, all of it from a seed.

The text is that of `guide.ko.txt` and `guide.en.txt` in `corpus/text`; Debian has the fonts.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter

from benchmarks.options import SHARED
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.ocr.numeric import np

_FONTS = {
    "gothic": "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "myeongjo": "/usr/share/fonts/truetype/nanum/NanumMyeongjo.ttf",
    "noto": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "serif": "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
}
_BODY = 10.5
_LEFT, _TOP, _WIDTH, _BOTTOM = 72, 84, 451, 770
"""The type area of a page of A4, in points."""

_LEAST_PARAGRAPH = 40
_LONGEST_WORD = 40
"""Characters; a longer word might not fit its line."""

_LONGEST_IN_CELL = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A page."""

    picture: Image.Image
    truth: str
    """Its lines in reading order."""


class _Sheet:
    """A page that is being written on, and the lines that are on it."""

    def __init__(self, font: str) -> None:
        self._document = pymupdf.open()
        self.page = self._document.new_page(width=595, height=842)
        self._font: Any = pymupdf.Font(fontfile=_FONTS[font])
        self.truth: list[str] = []

    def column(  # noqa: PLR0917  # a place, and a size
        self, rows: Sequence[str], x: float, y: float, width: float, bottom: float, size: float
    ) -> float:
        """Writes paragraphs until the column is full; returns where the next line would be."""
        for row in rows:
            for line in self._wrapped(row, size, width):
                if y > bottom:
                    return y
                self.line(x, y, line, size)
                y += size * 1.6
            y += size * 0.7
        return y

    def line(self, x: float, y: float, line: str, size: float) -> None:
        writer = pymupdf.TextWriter(self.page.rect)
        writer.append((x, y), line, font=self._font, fontsize=size)
        writer.write_text(self.page)
        self.truth.append(line)

    def _wrapped(self, text: str, size: float, width: float) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self._font.text_length(longer, fontsize=size) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


def _paragraphs(language: str) -> list[str]:
    rows = (row.strip() for row in (SHARED / "corpus" / "text" / f"guide.{language}.txt").read_text().splitlines())
    long = [row for row in rows if len(row) > _LEAST_PARAGRAPH and max(map(len, row.split())) < _LONGEST_WORD]
    if language == "ko":
        long = [row for row in long if sum("가" <= letter <= "힣" for letter in row) > 0.45 * len(row)]
    return long


def _pure(sheet: _Sheet, _language: str, chance: random.Random) -> None:
    """Without Latin letters, as a policy or a contract."""
    rows = [row for row in _paragraphs("ko") if not any(letter.isascii() and letter.isalpha() for letter in row)]
    chance.shuffle(rows)
    sheet.column(rows, _LEFT, _TOP, _WIDTH, _BOTTOM, _BODY)


def _plain(sheet: _Sheet, language: str, chance: random.Random, size: float = _BODY) -> None:
    """Of the guide as it stands: in Korean full of Latin terms."""
    rows = _paragraphs(language)
    sheet.column(rows[chance.randrange(len(rows) - 40) :], _LEFT, _TOP, _WIDTH, _BOTTOM, size)


def _small(sheet: _Sheet, language: str, chance: random.Random) -> None:
    _plain(sheet, language, chance, 7)


def _two(sheet: _Sheet, language: str, chance: random.Random) -> None:
    rows = _paragraphs(language)
    start = chance.randrange(len(rows) - 60)
    sheet.column(rows[start:], 56, _TOP, 228, _BOTTOM, 9.5)
    sheet.column(rows[start + 25 :], 312, _TOP, 228, _BOTTOM, 9.5)


def _mixed(sheet: _Sheet, _language: str, chance: random.Random) -> None:
    """Korean and English by paragraphs."""
    korean, english = _paragraphs("ko"), _paragraphs("en")
    one, other = chance.randrange(len(korean) - 40), chance.randrange(len(english) - 40)
    pairs = zip(korean[one : one + 20], english[other : other + 20], strict=True)
    sheet.column([row for pair in pairs for row in pair], _LEFT, _TOP, _WIDTH, _BOTTOM, _BODY)


def _table(sheet: _Sheet, language: str, chance: random.Random) -> None:
    """A ruled table between paragraphs."""
    rows = _paragraphs(language)
    words = [word.strip(".,:;()\"'") for row in rows[:400] for word in row.split()]
    words = [word for word in words if 1 < len(word) <= _LONGEST_IN_CELL]
    start = chance.randrange(len(rows) - 40)
    top = y = sheet.column(rows[start : start + 3], _LEFT, _TOP, _WIDTH, 330, _BODY) + 8
    edges = (72, 172, 292, 412, 523)
    for _ in range(12):
        for left in edges[:3]:
            sheet.line(left + 5, y + 15, " ".join(chance.sample(words, chance.choice([1, 1, 2]))), 9.5)
        sheet.line(edges[3] + 5, y + 15, f"{chance.randrange(10**6):,}", 9.5)
        sheet.page.draw_line((edges[0], y), (edges[-1], y))
        y += 22
    sheet.page.draw_line((edges[0], y), (edges[-1], y))
    for edge in edges:
        sheet.page.draw_line((edge, top), (edge, y))
    sheet.column(rows[start + 6 :], _LEFT, y + 26, _WIDTH, _BOTTOM, _BODY)


def _policy(sheet: _Sheet, _language: str, chance: random.Random) -> None:
    body = [row[:160] for row in chance.sample(_paragraphs("ko"), 24)]
    number = chance.randrange(1, 40)
    rows = []
    for first in range(0, len(body), 4):
        rows.append(f"제{number}조 ({body[first].split()[0]})")
        rows += [f"{mark} {text}" for mark, text in zip("①②③", body[first + 1 : first + 4], strict=True)]
        number += 1
    sheet.line(_LEFT, 46, "주식회사 가나다 취업규칙", 8)
    sheet.column(rows, _LEFT, _TOP, _WIDTH, 760, _BODY)
    sheet.line(280, 812, f"- {number} -", 9)


LAYOUTS: dict[str, Callable[[_Sheet, str, random.Random], None]] = {
    "pure": _pure,
    "plain": _plain,
    "small": _small,
    "two": _two,
    "mixed": _mixed,
    "table": _table,
    "policy": _policy,
}


def make(layout: str, language: str, font: str, *, dpi: int, seed: int, damaged: bool = False) -> Made:
    """The page of this seed: `layout` of `LAYOUTS`, `language` "ko" or "en", `font` of `_FONTS`.

    Damaged, it lies 2 degrees askew, is blurred a little, pale, grainy, and has dust.
    """
    sheet = _Sheet(font)
    LAYOUTS[layout](sheet, language, random.Random(seed))  # noqa: S311  # no secret
    pixels = sheet.page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    picture = Image.frombytes("L", (pixels.width, pixels.height), pixels.samples)
    return Made(_damaged(picture, seed) if damaged else picture, "\n".join(sheet.truth))


def _damaged(picture: Image.Image, seed: int) -> Image.Image:
    chance = np.random.default_rng(seed)
    askew = picture.rotate(2, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    blurred = np.asarray(askew.filter(ImageFilter.GaussianBlur(0.6))).astype(np.float32)
    grey = 235 * (blurred / 255) + 12 + chance.normal(0, 14, blurred.shape)
    dust = chance.random(grey.shape)
    grey[dust < 0.002], grey[dust > 0.998] = 0, 255  # noqa: PLR2004  # shares of the pixels
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def missing() -> str | None:
    """What the pages need and this machine does not have; None if it has all."""
    if absent := [path for path in _FONTS.values() if not Path(path).exists()]:
        return f"There is no {absent[0]}. Install it: sudo apt install fonts-nanum fonts-noto-cjk"
    if not (SHARED / "corpus" / "text").is_dir():
        return f"There is no {SHARED / 'corpus' / 'text'} with the text of the pages."
    return None
