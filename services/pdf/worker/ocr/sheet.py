"""The parts of a page, one under the other on one sheet, so that one run of Tesseract reads them all in order."""

from bisect import bisect_right
from dataclasses import dataclass

from services.pdf.worker.ocr.numeric import Grey, np
from services.pdf.worker.ocr.picture import MAX_PIXELS, MAX_SIDE, Box, Picture

_MARGIN = 16
"""Pixels of white around each part; Tesseract loses letters at an edge."""

_BETWEEN_INCHES = 0.25


@dataclass(frozen=True, slots=True)
class Sheet:
    """Parts of a picture and where each begins on the sheet."""

    pixels: Grey
    tops: list[int]
    parts: list[Picture]

    def given_box(self, box: Box) -> Box:
        """A box on the sheet as one of the picture that was given."""
        index = self.part_of(box)
        left, above = _MARGIN, self.tops[index]
        return self.parts[index].given_box((box[0] - left, box[1] - above, box[2] - left, box[3] - above))

    def part_of(self, box: Box) -> int:
        """The number of the part that a box on the sheet lies in."""
        return max(0, bisect_right(self.tops, (box[1] + box[3]) / 2) - 1)


def room_for(parts: list[Picture], dpi: int) -> int:
    """How many of these parts, from the first, go on a sheet within the limits of `picture.py`."""
    gap, height, width = round(_BETWEEN_INCHES * dpi), 2 * _MARGIN, 0
    for count, part in enumerate(parts):
        height, width = height + part.height + gap, max(width, part.width + 2 * _MARGIN)
        if height > MAX_SIDE or height * width > MAX_PIXELS:
            return count
    return len(parts)


def laid_out(parts: list[Picture], dpi: int) -> Sheet:
    """The sheet with these parts; at least one."""
    gap = round(_BETWEEN_INCHES * dpi)
    tops, top = [], _MARGIN
    for part in parts:
        tops.append(top)
        top += part.height + gap
    width = max(part.width for part in parts) + 2 * _MARGIN
    pixels = np.full((top - gap + _MARGIN, width), 255, np.uint8)
    for part, at in zip(parts, tops, strict=True):
        pixels[at : at + part.height, _MARGIN : _MARGIN + part.width] = part.pixels
    return Sheet(pixels, tops, parts)
