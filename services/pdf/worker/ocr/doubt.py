"""Doubtful words of a Korean page: what of them is sure, and which slips of the picture are to be read once more.

Tesseract gives a word to one of its models. Where Hangul follows Latin letters without a blank ("server에"), half of it
is nonsense then: "serverol", or "56200에". The fragments of the Korean reading tell the halves apart: Hangul that is
there has a confidence of .9, nonsense in the place of Latin letters mostly less than .5.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from services.pdf.worker.ocr.numeric import Mask, np
from services.pdf.worker.ocr.picture import Box
from services.pdf.worker.ocr.surer import around, has_hangul, is_beside, is_hangul
from services.pdf.worker.ocr.words import Line, Word, characters_of, confidence_of, whole

_DOUBTFUL = 0.85
"""Confidence of a word; of those above it nearly all are right."""

_SURE = 0.8
"""Confidence of a fragment of Hangul."""

_PLAIN = re.compile("[\uac00-\ud7a3.,:;!?()'\"-]+")
"""A word of Hangul alone. The surer of two readings of it is taken already."""

_SIGNS = frozenset(".,:;!?()")
"""They are as sure as the Hangul beside them, of whose fragment they are."""

_UNREAD = 0.6
"""How much of a word, in heights of its line, may lie beside what the Korean reading has of it."""

_NEAR = 0.3
"""How far, in heights of its line, a cut may be moved to where there is no ink."""

_MOST_SLIPS = 300
"""On one page, and doubts without any. What is beyond them stays as doubtful as it is."""

_MOST_PAIRS = 1_000_000
"""Lines of one reading times lines of the other, as in `surer.py`."""

Place = tuple[int, int]
"""The number of a line, and of a word on it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a doubtful stretch."""

    box: Box
    sure: Line
    """The words that it consists of; none where it is to be read."""

    is_apart: bool
    """Whether a blank is before it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Words of one line, side by side, and the pieces of what may be there instead, from left to right."""

    line: int
    first: int
    last: int
    """The first word, and the one after the last."""

    pieces: Sequence[Piece]

    @property
    def slips(self) -> list[Box]:
        """Where there is something to be read."""
        return [piece.box for piece in self.pieces if not piece.sure]


def doubts_of(lines: Sequence[Line], korean: Sequence[Line], ink: Mask, known: AbstractSet[Place]) -> list[Doubt]:
    """The doubtful words of the lines that have Hangul, without those that are `known` to be something else.

    `korean` is the Korean reading of these lines.
    """
    found: list[Doubt] = []
    count = 0
    if len(lines) * len(korean) > _MOST_PAIRS:
        return found
    boxes = [around(other) for other in korean]
    for index, line in enumerate(lines):
        if not any(map(is_hangul, line)):
            continue
        place = around(line)
        beside = [word for other, box in zip(korean, boxes, strict=True) if is_beside(place, box) for word in other]
        for first, last in _doubtful(line, [(index, at) in known for at in range(len(line))]):
            doubt = Doubt(index, first, last, _pieces(around(line[first:last]), beside, ink))
            count += max(1, len(doubt.slips))
            if count > _MOST_SLIPS:
                return found
            found.append(doubt)
    return found


def settled(lines: Sequence[Line], doubts: Sequence[Doubt], slips: Sequence[Line]) -> list[Line]:
    """`lines`, with what is surer in the place of doubtful words.

    `slips` is what those of all doubts say, in their order. Where one says nothing, the words stay as they are.
    """
    new, rest = [list(line) for line in lines], iter(slips)
    read = [[piece.sure or next(rest) for piece in doubt.pieces] for doubt in doubts]
    # From the right to the left, since the words of a line may become more or fewer.
    for doubt, pieces in reversed(list(zip(doubts, read, strict=True))):
        words = _joined(doubt.pieces, pieces) if all(pieces) else []
        line = new[doubt.line]
        if words and confidence_of(words) > confidence_of(line[doubt.first : doubt.last]):
            line[doubt.first : doubt.last] = words
    return list(new)


def _doubtful(line: Line, known: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The runs of words that have other letters than Hangul, and little confidence."""
    start = 0
    doubts = (
        word.confidence < _DOUBTFUL and not _PLAIN.fullmatch(word.text) and not is_known
        for word, is_known in zip(line, known, strict=True)
    )
    for doubtful, run in groupby(doubts):
        end = start + len(list(run))
        if doubtful:
            yield start, end
        start = end


def _pieces(box: Box, korean: Sequence[Word], ink: Mask) -> list[Piece]:
    """What there is in this box by the Korean reading beside it: what that is sure of, and slips between."""
    left, top, right, bottom = box
    unread = _UNREAD * (bottom - top)
    pieces: list[Piece] = []
    at, waits, is_apart = left, False, False
    for sure, run in groupby(_marked(box, korean), lambda one: one.is_sure):
        characters = list(run)
        if not sure:
            waits, is_apart = True, characters[0].begins
            continue
        begins = _cut(ink, box, characters[0].word.box[0])
        if waits or begins - at > unread:
            pieces.append(Piece((at, top, max(begins, at + 1), bottom), (), is_apart))
        pieces.append(Piece(box, _words(characters), characters[0].begins))
        at, waits, is_apart = _cut(ink, box, characters[-1].word.box[2]), False, False
    if waits or right - at > unread or not pieces:
        pieces.append(Piece((at, top, max(right, at + 1), bottom), (), is_apart))
    return pieces


class _Character(NamedTuple):
    """One of the Korean reading."""

    word: Word
    begins: bool
    """Whether a word begins with it."""

    is_sure: bool


def _marked(box: Box, korean: Sequence[Word]) -> list[_Character]:
    """The characters of these words that are in the box."""
    found = []
    inside = (word for word in korean if word.box[0] <= box[2] and word.box[2] >= box[0])
    for word in sorted(inside, key=lambda word: word.box[0]):
        characters = characters_of(word)
        sure = [has_hangul(one.text) and one.confidence >= _SURE for one in characters]
        beside = zip([False, *sure], [*sure[1:], False], strict=False)
        for index, (one, neighbours) in enumerate(zip(characters, beside, strict=True)):
            if box[0] <= (one.box[0] + one.box[2]) / 2 <= box[2]:
                is_sure = sure[index] or (one.text in _SIGNS and one.confidence >= _SURE and any(neighbours))
                found.append(_Character(one, not index, is_sure))
    return found


def _words(characters: Sequence[_Character]) -> Line:
    words: list[list[Word]] = [[]]
    for one in characters:
        if one.begins and words[-1]:
            words.append([])
        words[-1].append(one.word)
    return [whole(word) for word in words]


def _joined(pieces: Sequence[Piece], read: Sequence[Line]) -> Line:
    """The words of these pieces, those that no blank parts as one."""
    words: list[Word] = []
    for piece, line in zip(pieces, read, strict=True):
        if words and not piece.is_apart:
            words[-1:] = [whole([*characters_of(words[-1]), *characters_of(line[0])])]
            words += line[1:]
        else:
            words += line
    return words


def _cut(ink: Mask, box: Box, at: float) -> float:
    """The place nearest to `at` where there is no ink; `at` if there is none near."""
    _, top, _, bottom = map(int, box)
    first = max(0, round(at - _NEAR * (bottom - top)))
    free = first + np.flatnonzero(~ink[top:bottom, first : round(at + _NEAR * (bottom - top)) + 1].any(axis=0))
    return float(free[np.abs(free - at).argmin()]) if len(free) else at
