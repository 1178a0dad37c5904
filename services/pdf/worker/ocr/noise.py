"""Grain: whether a picture has so much that it hides letters, and its removal.

A median of nine pixels takes grain away, and thin strokes with it: on a clean page of 200 dpi it makes ten times the
errors. So it is taken only where there is grain.
"""

from PIL import Image, ImageFilter

from services.pdf.worker.ocr.numeric import Grey, np

_LEAST_SPREAD = 4.0
"""Standard deviation, in steps of grey, from which on grain is taken away."""


def without_noise(pixels: Grey) -> Grey:
    """The picture without grain; the same one if it has little."""
    if spread(pixels) < _LEAST_SPREAD:
        return pixels
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3)))


def spread(pixels: Grey) -> float:
    """The standard deviation of the grain, in steps of grey.

    From the median of a second difference that slopes and even edges cancel, since most of a page is paper (after
    J. Immerkær, "Fast noise variance estimation", 1996, who takes the mean).
    """
    if min(pixels.shape) < 3:  # noqa: PLR2004  # a second difference spans three
        return 0.0
    rows = pixels[:: max(1, len(pixels) // 600)].astype(np.int16)
    second = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return float(np.median(np.abs(second))) / 0.6745 / 6**0.5
