"""Which way up a page lies: it is turned by quarters and straightened until a first look can read some rows of it.

Tesseract's own detection takes longer than such a look, and tells nothing of what the page says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.pdf.worker.ocr.columns import parts_of
from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.look import Look, look_at, sample_of
from services.pdf.worker.ocr.numeric import Grey
from services.pdf.worker.ocr.picture import Picture
from services.pdf.worker.ocr.ruling import ruling_of, without
from services.pdf.worker.ocr.sheet import Sheet, laid_out
from services.pdf.worker.ocr.skew import lie_of
from services.pdf.worker.ocr.words import Line

_SURE = 0.55
"""Confidence of a look at rows that are the right way up; upside down and sideways it is below .4."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A page that was turned somehow, its parts, and what a first look at them says."""

    page: Picture
    """Straight, without ruling lines."""

    sheet: Sheet
    look: Look


def right_way_up(page: Picture, dpi: int, glance: Callable[[Grey], list[Line]]) -> Laid | None:
    """The page turned so that a look at it is sure, or surest of four; None without rows of text.

    `glance` reads a few rows.
    """
    lie = lie_of(page.pixels)
    best = as_given = None
    for quarters in (1, 3, 0, 2) if lie.sideways else (0, 2, 1, 3):
        laid = _laid(page.turned(quarters).rotated(lie.degrees[quarters % 2]), dpi, glance)
        if laid is None:
            continue
        if not quarters:
            as_given = laid
        if best is None or laid.look.confidence > best.look.confidence:
            best = laid
        if best.look.confidence >= _SURE:
            break
    # A few letters say nothing of how they lie.
    return best if best is None or best.look.confidence else as_given or best


def _laid(page: Picture, dpi: int, glance: Callable[[Grey], list[Line]]) -> Laid | None:
    ink = ink_of(page.pixels)
    parts = [] if ink is None else parts_of(ink, dpi)
    if ink is None or not parts:
        return None
    unruled = page.with_pixels(without(page.pixels, ruling_of(ink, dpi)))
    sheet = laid_out([unruled.cropped(*part) for part in parts], dpi)
    sample = sample_of(sheet.pixels, dpi)
    return None if sample is None else Laid(unruled, sheet, look_at(glance(sample)))
