"""A first look: a few rows of a sheet, read quickly, tell which way up it is and whether it is Korean."""

import re
from dataclasses import dataclass

from services.pdf.worker.letters import HANGUL
from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.rows import height_of, rows_of
from services.pdf.worker.ocr.words import Line, confidence_of

_ROWS = 5
_USUAL = (0.6, 1.7)
"""Of the height of most rows; others are headings, pictures, or what is left of a rule."""

_WIDTH_INCHES = 4.0
_BETWEEN_INCHES = 0.1
_LEAST_LETTERS = 12

_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True, slots=True)
class Look:
    """What a few rows say."""

    confidence: float
    """The mean over their characters, 0 to 1; 0 when they have too few."""

    hangul: float
    """The share of Hangul among their letters, 0 to 1."""


def sample_of(pixels: Grey, dpi: int) -> Grey | None:
    """Rows of text from all over the sheet, one under the other; None where there are none."""
    ink = ink_of(pixels)
    if ink is None or not (rows := rows_of(ink)):
        return None
    low, high = (share * height_of(rows) for share in _USUAL)
    usual = [(top, bottom) for top, bottom in rows if low <= bottom - top <= high]
    by_ink = sorted(usual, key=lambda row: -int(ink[row[0] : row[1]].sum()))
    full = sorted(by_ink[: max(_ROWS, len(usual) * 2 // 3)])
    count = min(_ROWS, len(full))
    chosen = [full[round(index * (len(full) - 1) / max(1, count - 1))] for index in range(count)]
    gap, width = round(_BETWEEN_INCHES * dpi), min(pixels.shape[1], round(_WIDTH_INCHES * dpi))
    strips = []
    for top, bottom in chosen:
        around = max(2, (bottom - top) // 6)
        strip = pixels[max(0, top - around) : bottom + around]
        left = int(np.flatnonzero(ink[top:bottom].any(axis=0))[0])
        left = max(0, min(left - gap, pixels.shape[1] - width))
        strips += [np.full((gap, width), 255, np.uint8), strip[:, left : left + width]]
    return np.pad(np.concatenate([*strips, strips[0]]), ((0, 0), (gap, gap)), constant_values=255)


def look_at(lines: list[Line]) -> Look:
    """What these lines of a sample say."""
    text = "".join(word.text for line in lines for word in line)
    hangul, latin = len(HANGUL.findall(text)), len(_LATIN.findall(text))
    if hangul + latin < _LEAST_LETTERS:
        return Look(0.0, hangul / max(1, hangul + latin))
    everything = [word for line in lines for word in line]
    return Look(confidence_of(everything), hangul / (hangul + latin))
