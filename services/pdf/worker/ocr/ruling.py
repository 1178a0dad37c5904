"""Ruling lines: what is straight for longer than any stroke of a letter. Tesseract reads text beside them badly."""

from services.pdf.worker.ocr.numeric import Counts, Grey, Mask, np

_LEAST_INCHES = 0.5
_MOST_INCHES_THICK = 0.03
"""A long bar that is thicker belongs to a large letter or to a picture."""


def ruling_of(ink: Mask, dpi: int) -> Mask:
    """The ruling lines among the ink, each a little wider than it is, with the blur of its edges."""
    longest, thick = round(_LEAST_INCHES * dpi), max(3, round(_MOST_INCHES_THICK * dpi))
    flat, upright = (_thin(_runs(way, longest), thick) for way in (ink, np.ascontiguousarray(ink.T)))
    return grown(flat | upright.T)


def without(pixels: Grey, lines: Mask) -> Grey:
    """The picture with these lines painted white."""
    return np.where(lines, np.uint8(255), pixels) if lines.any() else pixels


def _thin(runs: Mask, thick: int) -> Mask:
    """Those of these runs that do not lie one under the other."""
    return runs & ~_runs(runs.T, thick).T if runs.any() else runs


def _runs(ink: Mask, length: int) -> Mask:
    """The ink that lies in a run of at least `length` along its row: an opening by a line, from sums."""
    if ink.shape[1] < length:
        return np.zeros_like(ink)
    filled = _windows(ink, length) == length
    if not filled.any():
        return np.zeros_like(ink)
    around = np.pad(filled, ((0, 0), (length - 1, length - 1)))
    return _windows(around, length) > 0


def _windows(mask: Mask, length: int) -> Counts:
    """How many are set in each window of `length` along the rows, which are shorter than 32,768."""
    sums = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int16)
    np.cumsum(mask, axis=1, dtype=np.int16, out=sums[:, 1:])
    return sums[:, length:] - sums[:, :-length]


def grown(mask: Mask) -> Mask:
    """The mask and the pixels beside it."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    high = wide.copy()
    high[1:] |= wide[:-1]
    high[:-1] |= wide[1:]
    return high
