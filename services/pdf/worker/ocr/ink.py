"""What is ink on a picture, and what is paper."""

from PIL import Image

from services.pdf.worker.ocr.numeric import Grey, Mask, np

_LEAST_CONTRAST = 32
"""Steps of grey between the mean of the ink and the mean of the paper. Below it there is only one of them."""

_SPECK = 0.02
"""Share of a square's pixels."""

_SQUARE = 8
_COVERED = 0.9
"""Share of the squares; a page full of text has ink in a quarter of them."""

_NEGATIVE = 0.6
"""Share of a page's pixels; more of them than this are not ink but what it stands on."""


def ink_of(pixels: Grey) -> Mask | None:
    """Where the ink is, by Otsu's threshold; None on a picture of one tone.

    N. Otsu, "A threshold selection method from gray-level histograms", 1979.
    """
    counts = np.array(Image.fromarray(pixels).histogram(), np.float64)
    grey = np.arange(256)
    dark, mass = np.cumsum(counts), np.cumsum(counts * grey)
    light, rest = dark[-1] - dark, mass[-1] - mass
    parted = (dark > 0) & (light > 0)
    if not parted.any():
        return None
    between = np.full(256, -1.0)
    below, above = mass[parted] / dark[parted], rest[parted] / light[parted]
    between[parted] = dark[parted] * light[parted] * (above - below) ** 2
    threshold = int(between.argmax())
    if rest[threshold] / light[threshold] - mass[threshold] / dark[threshold] < _LEAST_CONTRAST:
        return None
    ink: Mask = pixels <= threshold
    return ink


def squares_of(ink: Mask, side: int) -> Mask:
    """The ink in squares of `side` pixels: those that have more of it than a speck."""
    rows, columns = (-(-length // side) for length in ink.shape)
    padded = np.pad(ink, ((0, rows * side - ink.shape[0]), (0, columns * side - ink.shape[1])))
    squares: Mask = padded.reshape(rows, side, columns, side).mean(axis=(1, 3)) > _SPECK
    return squares


def on_paper(pixels: Grey) -> Grey | None:
    """The picture with its ink dark; None where there is no text to be found: no ink, or no paper between it.

    A page that is white on black is turned into its negative. To read what noise or a photograph covers all over would
    cost a minute and give nothing.
    """
    ink = ink_of(pixels)
    if ink is None:
        return None
    if ink.mean() > _NEGATIVE:
        pixels, ink = 255 - pixels, ~ink
    return None if squares_of(ink, _SQUARE).mean() > _COVERED else pixels
