"""Numbers in rings: ①, ② and so on, which no model of Tesseract knows. It reads "@", "©" or "0)".

The ring is found on the picture, as one closed stroke that is as wide as it is high and has ink of its own inside. That
ink is read alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from services.pdf.worker.ocr.numeric import Mask, np
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.ruling import grown
from services.pdf.worker.ocr.surer import has_hangul
from services.pdf.worker.ocr.words import Line, Word, characters_of, squeezed, whole

_FIRST = 0x2460
"""①; the others up to ⑳ follow it."""

_MOST = 20

_ROUND = 0.15
"""By how much of its height a ring may be wider or narrower than high."""

_LEAST_HEIGHT = 0.45
"""Of a ring, in heights of its line."""

_MOST_HEIGHT = 1.6
_MOST_PIXELS = 120
"""Of a word's height. A larger ring is a drawing."""

_LEAST_INSIDE = 0.25
"""The height of what is inside, of the ring's."""

_MOST_INSIDE = 0.85

_BLANK = 0.45
"""The gap after a ring, of the usual one between the boxes of its line's words, from which on it is a blank. In six
typefaces Hangul follows at .1 to .3, and after a blank at .6 and more."""

_USUAL = 0.55
"""That usual gap in heights of the ring, where the line does not show it."""

_READ_HEIGHT = 36
"""Pixels of a number when it is read."""

_MOST_MARKS = 200
"""On one page."""

_MOST_LOOKED_AT = 1000
"""Words on one page that do not begin with Hangul."""

_LONGEST = 2
"""Way along a stroke, in longer sides of what is looked at. Half a ring is 1.6 of its height."""

_LIKE_ONE = str.maketrans("lI|i", "1111")


@dataclass(frozen=True, slots=True)
class Mark:
    """A word that is a ring with a number in it."""

    line: int
    word: int
    number: Picture
    """The number alone, as large as Tesseract likes it."""


def marks_of(lines: Sequence[Line], page: Picture, ink: Mask) -> tuple[list[Line], list[Mark]]:
    """`lines`, with each ring that a word begins with as a word of its own, and these.

    Where no blank follows the ring, `together` makes one word of both again.
    """
    new: list[Line] = []
    marks: list[Mark] = []
    looked = 0
    for index, line in enumerate(lines):
        words: list[Word] = []
        gaps = [word.box[0] - before.box[2] for before, word in pairwise(line)]
        for word in line:
            ring = None
            if not has_hangul(word.text[0]) and looked < _MOST_LOOKED_AT and len(marks) < _MOST_MARKS:
                looked += 1
                ring = _ring(word, ink)
            if ring is None:
                words.append(word)
            else:
                marks.append(Mark(index, len(words), _number(page, ring)))
                usual = median(gaps) if len(gaps) > 1 else _USUAL * ring.height
                words += _parted(word, ring, goes_on=ring.is_followed(ink, _BLANK * usual))
        new.append(words)
    return new, marks


def numbered(lines: Sequence[Line], marks: Sequence[Mark], numbers: Sequence[Line]) -> list[Line]:
    """`lines`, with the marks whose numbers could be read; `numbers` is what they say, in their order."""
    new = [list(line) for line in lines]
    for mark, line in zip(marks, numbers, strict=True):
        text = squeezed("".join(word.text for word in line)).translate(_LIKE_ONE)
        if text.isascii() and text.isdigit() and 0 < int(text) <= _MOST:
            word = new[mark.line][mark.word]
            confidence = min(one.confidence for one in line)
            new[mark.line][mark.word] = replace(
                word, text=chr(_FIRST + int(text) - 1), confidence=confidence, fragments=()
            )
    return list(new)


def together(lines: Sequence[Line]) -> list[Line]:
    """`lines`, with each ring and what follows it without a blank as one word."""
    new: list[Line] = []
    for line in lines:
        words: list[Word] = []
        for word in line:
            if words and words[-1].goes_on:
                words[-1] = whole([*characters_of(words[-1]), *characters_of(word)])
            else:
                words.append(word)
        new.append(words)
    return new


@dataclass(frozen=True, slots=True)
class _Ring:
    """A ring and what is inside, in pixels of the page."""

    left: int
    top: int
    stroke: Mask
    inside: Mask

    @property
    def right(self) -> int:
        return self.left + int(self.stroke.shape[1])

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def height(self) -> int:
        return int(self.stroke.shape[0])

    def is_followed(self, ink: Mask, gap: float) -> bool:
        """Whether anything stands at its right at less than this gap."""
        return bool(ink[self.top : self.bottom, self.right : self.right + math.ceil(gap)].any())


def _ring(word: Word, ink: Mask) -> _Ring | None:
    """The ring that this word begins with."""
    left, top, _, bottom = map(int, word.box)
    high = bottom - top
    if not 0 < high <= _MOST_PIXELS:
        return None
    start, above = max(0, left - 2), max(0, top - high // 4)
    part = ink[above : bottom + high // 4, start : start + round(_MOST_HEIGHT * high)]
    if not (inked := np.flatnonzero(part.any(axis=0))).size:
        return None
    first = int(inked[0])
    stroke = _connected(part, (int(np.flatnonzero(part[:, first])[0]), first))
    down, across = np.flatnonzero(stroke.any(axis=1)), np.flatnonzero(stroke.any(axis=0))
    rows, columns = slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1)
    stroke = stroke[rows, columns]
    height, width = stroke.shape
    if height < _LEAST_HEIGHT * high or abs(width - height) > _ROUND * height:
        return None
    inside = part[rows, columns] & _enclosed(stroke)
    if not _LEAST_INSIDE * height <= np.count_nonzero(inside.any(axis=1)) <= _MOST_INSIDE * height:
        return None
    return _Ring(start + int(across[0]), above + int(down[0]), stroke, inside)


def _connected(ink: Mask, seed: tuple[int, int]) -> Mask:
    """The ink that hangs together with this pixel, also by corners, as far as it is near enough along its strokes."""
    found = np.zeros_like(ink)
    found[seed] = True
    size = 0
    for _ in range(_LONGEST * max(ink.shape)):
        if (larger := int(found.sum())) == size:
            break
        found, size = grown(found) & ink, larger
    return found


def _enclosed(stroke: Mask) -> Mask:
    """What has a stroke on all four sides, and is none."""
    sides = np.ones_like(stroke)
    for axis in (0, 1):
        sides &= np.logical_or.accumulate(stroke, axis=axis)
        sides &= np.flip(np.logical_or.accumulate(np.flip(stroke, axis), axis=axis), axis)
    return sides & ~stroke


def _number(page: Picture, ring: _Ring) -> Picture:
    inside = np.flatnonzero(ring.inside.any(axis=1))
    pixels = page.pixels[ring.top : ring.bottom, ring.left : ring.right]
    alone = np.where(grown(grown(ring.inside)) & ~grown(ring.stroke), pixels, np.uint8(255))
    return Picture(alone).enlarged(max(1, round(_READ_HEIGHT / (inside[-1] + 1 - inside[0]))))


def _parted(word: Word, ring: _Ring, *, goes_on: bool) -> list[Word]:
    """The ring, and the rest of the word."""
    characters = characters_of(word)
    count = max(1, sum((one.box[0] + one.box[2]) / 2 < ring.right for one in characters))
    box = (ring.left, ring.top, ring.right, ring.bottom)
    mark = replace(whole(characters[:count]), box=box, goes_on=goes_on)
    return [mark, whole(characters[count:])] if count < len(characters) else [mark]
