"""The recipe: from the picture of a page to its words. docs/decisions/0024-how-a-picture-is-read.md says why so."""

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from services.base.errors import PapermeshError
from services.pdf.worker.ocr import tesseract
from services.pdf.worker.ocr.doubt import doubts_of, settled
from services.pdf.worker.ocr.ink import ink_of, on_paper
from services.pdf.worker.ocr.marks import marks_of, numbered, together
from services.pdf.worker.ocr.noise import without_noise
from services.pdf.worker.ocr.numeric import Grey
from services.pdf.worker.ocr.orientation import right_way_up
from services.pdf.worker.ocr.picture import Box, Picture, parse
from services.pdf.worker.ocr.rows import height_of, rows_of
from services.pdf.worker.ocr.sheet import Sheet, laid_out, room_for
from services.pdf.worker.ocr.surer import around, is_hangul, surer, surer_lines
from services.pdf.worker.ocr.trained_data import Models, models_for
from services.pdf.worker.ocr.words import Line, Word, confidence_of, lines_of

SECONDS = 50.0
"""A page takes five; a caller who waits for it allows 60."""

_SMALL = 15
"""Pixels of a row of text; lower ones are doubled."""

_SOME_HANGUL = 0.02
"""Its share of the letters of a first look."""

_SURE_LATIN = 0.7
"""Confidence of a page read as Latin script; below it the first look may have missed that it is Korean."""

_SURE_LINE = 0.6
"""The same of a line. Korean read as Latin script has .3."""


def recognise(
    picture: bytes, dpi: int, languages: Sequence[str], data: str, seconds: float = SECONDS
) -> dict[str, Any]:
    """The words on the picture of a page, by lines in reading order.

    Args:
        picture: A binary PGM of 8 bits.
        dpi: Its pixels an inch.
        languages: Names of Tesseract's trained data, at least one; Korean's has a recipe of its own.
        data: The folder of trained data; "" for Tesseract's own.
        seconds: By the clock; how long it may take.

    Returns:
        {"version", "dpi", "width", "height", "languages", "lines": [{"words": [{"text", "x0", "y0", "x1", "y1",
        "confidence"}]}]}. Boxes are in pixels of the picture as it was given, however it had to be turned. A word is
        what blanks set apart, in Korean an eojeol; its confidence is from 0 to 1.

    Raises PapermeshError: TOO_LARGE for a picture over the limits of `picture.py`, BAD_ARG for what is no such picture
    and for a language without data, ENGINE_FAIL when Tesseract fails or is not done in time.
    """
    page = parse(picture)
    models = models_for(languages, data)
    found = _Reader(dpi, models, time.monotonic() + seconds).read(page)
    return {
        "version": 1,
        "dpi": dpi,
        "width": page.width,
        "height": page.height,
        "languages": list(languages),
        "lines": [{"words": [_as_json(word, page) for word in line]} for line in found],
    }


class _Reader:
    """Reads one page."""

    def __init__(self, dpi: int, models: Models, ends: float) -> None:
        self._dpi = dpi
        self._models = models
        self._ends = ends

    def read(self, page: Picture) -> list[Line]:
        """The lines, their boxes in pixels of the page as it was given."""
        pixels = on_paper(without_noise(page.pixels))
        laid = None if pixels is None else right_way_up(page.with_pixels(pixels), self._dpi, self._glance)
        if laid is None:
            return []
        if laid.look.hangul >= _SOME_HANGUL:
            return self._as_korean(laid.sheet)
        latin = [_moved(line, laid.page.given_box) for line in self._as_latin(laid.page.pixels)]
        if not self._models.mixed or _mean(latin) >= _SURE_LATIN:
            return latin
        return max(latin, self._as_korean(laid.sheet), key=_mean)

    def _glance(self, sample: Grey) -> list[Line]:
        return self._run(sample, self._models.glance, tesseract.ONE_BLOCK)

    def _as_latin(self, pixels: Grey) -> list[Line]:
        lines = self._run(pixels, self._models.all, tesseract.AUTOMATIC)
        sure = [line for line in lines if confidence_of(line) >= _SURE_LINE]
        if self._models.mixed and len(sure) < len(lines):
            # They may be the Korean of a page that has little of it.
            with contextlib.suppress(PapermeshError):
                rest = self._run(_without(pixels, sure), self._models.mixed, tesseract.AUTOMATIC)
                lines = surer_lines(lines, rest)
        return lines

    def _as_korean(self, sheet: Sheet) -> list[Line]:
        ink = ink_of(sheet.pixels)
        times = 2 if ink is not None and height_of(rows_of(ink)) < _SMALL else 1
        large = Picture(sheet.pixels).enlarged(times)
        lines = self._run(large.pixels, self._models.mixed, tesseract.ONE_COLUMN, times)
        if self._models.korean != self._models.mixed:
            # If only a later reading fails, those before it are still right.
            with contextlib.suppress(PapermeshError):
                rest = _without(large.pixels, [line for line in lines if not any(map(is_hangul, line))])
                korean = self._run(rest, self._models.korean, tesseract.ONE_COLUMN, times)
                lines = surer(lines, korean)
                lines = self._settled(large, lines, korean, times)
        return [_moved(line, lambda box: sheet.given_box(large.given_box(box))) for line in lines]

    def _settled(self, page: Picture, lines: list[Line], korean: list[Line], times: int) -> list[Line]:
        """The lines, with their doubtful words and the numbers in rings read once more."""
        ink = ink_of(page.pixels)
        if ink is None:
            return lines
        lines, marks = marks_of(lines, page, ink)
        doubts = doubts_of(lines, korean, ink, {(mark.line, mark.word) for mark in marks})
        slips = [page.cropped(*_outward(slip)) for doubt in doubts for slip in doubt.slips]
        read = self._slips([*(mark.number for mark in marks), *slips], times)
        return together(settled(numbered(lines, marks, read[: len(marks)]), doubts, read[len(marks) :]))

    def _slips(self, slips: list[Picture], times: int) -> list[Line]:
        """What each of these pieces of a line says; nothing for those that have no room on one sheet."""
        read: list[list[Word]] = [[] for _ in slips]
        if fitting := slips[: room_for(slips, self._dpi * times)]:
            sheet = laid_out(fitting, self._dpi * times)
            for line in self._run(sheet.pixels, self._models.all, tesseract.ONE_BLOCK, times):
                read[sheet.part_of(around(line))] += line
        return list(read)

    def _run(self, pixels: Grey, models: Sequence[str], segmentation: int, times: int = 1) -> list[Line]:
        dpi = self._dpi * times
        output = tesseract.run(
            Picture(pixels).as_pgm(), models, self._models.folder, dpi=dpi, segmentation=segmentation, ends=self._ends
        )
        return lines_of(output)


def _without(pixels: Grey, lines: Sequence[Line]) -> Grey:
    """The picture with these lines painted white."""
    painted = pixels.copy()
    for line in lines:
        for word in line:
            left, top, right, bottom = map(int, word.box)
            painted[top : bottom + 1, left : right + 1] = 255
    return painted


def _outward(box: Box) -> tuple[int, int, int, int]:
    """The pixels that hold this box."""
    return math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])


def _moved(line: Line, place: Callable[[Box], Box]) -> Line:
    return [replace(word, box=place(word.box), fragments=()) for word in line]


def _mean(lines: list[Line]) -> float:
    """The mean confidence of all characters."""
    return confidence_of([word for line in lines for word in line]) if lines else 0.0


def _as_json(word: Word, page: Picture) -> dict[str, Any]:
    left, top, right, bottom = word.box
    return {
        "text": word.text,
        "x0": max(0, math.floor(left)),
        "y0": max(0, math.floor(top)),
        "x1": min(page.width, math.ceil(right)),
        "y1": min(page.height, math.ceil(bottom)),
        "confidence": round(word.confidence, 3),
    }
