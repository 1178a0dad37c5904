"""What most text of a document looks like: what stands out, or is small print, is so beside it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from services.pdf.worker.layout.order import Column, Row
from services.pdf.worker.layout.pieces import letters_of

_USUAL_SIZE = 10.0
_LARGEST_PITCH = 2.4
"""Times the size of letters; lines farther apart are none of one paragraph."""

_USUAL_PITCH = 1.3
_QUANTILE = 0.3
_LINES_TO_KNOW = 4


@dataclass(frozen=True, slots=True)
class Typography:
    """Of a document."""

    body_size: float
    """Points, of most letters."""

    body_bold: bool
    body_font: str
    """The family that most letters have: its name up to a weight or a style."""

    pitches: dict[float, float]
    """By the size of letters, to half a point, how far apart the lines of a paragraph are: from middle to middle."""

    def pitch(self, size: float) -> float:
        """How far apart lines with letters of this size are."""
        return self.pitches.get(half_points(size), size * _USUAL_PITCH)


def family(font: str) -> str:
    """A font's name without its weight and style: "NanumGothic" of "NanumGothic-Bold"."""
    return re.split("[-,]", font, maxsplit=1)[0]


def half_points(size: float) -> float:
    """A size to half a point."""
    return round(size * 2) / 2


def pitch_of(row: Row, following: Row) -> float:
    """From the middle of a row to that of the next."""
    return following.middle - row.middle


def measure(columns: Iterable[Column]) -> Typography:
    """The typography of all columns of a document."""
    letters: Counter[float] = Counter()
    bold: Counter[bool] = Counter()
    fonts: Counter[str] = Counter()
    steps: defaultdict[float, list[float]] = defaultdict(list)
    for column in columns:
        pieces = (piece for row in column.rows for piece in row.pieces if piece.solid < 0)
        for look, count in letters_of(pieces).items():
            letters[half_points(look.size)] += count
            bold[look.bold] += count
            fonts[family(look.font)] += count
        for row, following in pairwise(column.rows):
            size = half_points(row.look.size)
            step = pitch_of(row, following)
            if size == half_points(following.look.size) and 0.7 * size < step < _LARGEST_PITCH * size:
                steps[size].append(step)
    size = letters.most_common(1)[0][0] if letters else _USUAL_SIZE
    pitches = {
        size: sorted(found)[int(len(found) * _QUANTILE)]
        for size, found in steps.items()
        if len(found) >= _LINES_TO_KNOW
    }
    font = fonts.most_common(1)[0][0] if fonts else ""
    return Typography(size, bold[True] > bold[False], font, pitches)
