"""How far a page lies askew, and along which of its sides its lines run.

Projected along its lines, ink gives a profile of sharp steps; along any other direction a flat one. So the sharpest
profile tells the direction (W. Postl, "Detection of linear oblique structures and skew scan in digitized documents",
1986), coarsely first and then finely.
"""

import math
from dataclasses import dataclass

from PIL import Image

from services.pdf.worker.ocr.ink import ink_of
from services.pdf.worker.ocr.numeric import Grey, Points, np

_LOOKED_AT = 1200
"""Pixels of the longer side of the copy that is looked at."""

_MOST_DEGREES = 6.0
_LEAST_DEGREES = 0.25
"""Less is left alone: turning blurs a picture a little."""

_CLEARLY = 1.5
"""How much sharper the profile along the height must be, since most pages are upright."""


@dataclass(frozen=True, slots=True)
class Lie:
    """How a page lies."""

    sideways: bool
    """Whether its lines run along its height. A guess: columns of Hangul one under the other look like lines too."""

    degrees: tuple[float, float]
    """By how much it must be rotated, counterclockwise, as it is and once it has been turned by a quarter. 0 where that
    is not worth it."""


def lie_of(pixels: Grey) -> Lie:
    """How the page in this picture lies."""
    ink = ink_of(_small(pixels))
    if ink is None:
        return Lie(sideways=False, degrees=(0, 0))
    down, across = np.nonzero(ink)
    along, sharp_along = _sharpest(across, down)
    aside, sharp_aside = _sharpest(down, ink.shape[1] - 1 - across)
    return Lie(sideways=sharp_aside > _CLEARLY * sharp_along, degrees=(along, aside))


def _small(pixels: Grey) -> Grey:
    factor = max(1, math.ceil(max(pixels.shape) / _LOOKED_AT))
    return np.asarray(Image.fromarray(pixels).reduce(factor)) if factor > 1 else pixels


def _sharpest(across: Points, down: Points) -> tuple[float, float]:
    """The angle in degrees with the sharpest profile of these points, and how sharp that is."""

    def sharpness(degrees: float) -> float:
        turn = math.radians(degrees)
        rows = down * math.cos(turn) - across * math.sin(turn)
        profile = np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64)
        return float(np.square(np.diff(profile)).sum())

    angle = 0.0
    for reach, step in ((_MOST_DEGREES, 0.5), (0.4, 0.1), (0.08, 0.02)):
        count = round(reach / step)
        angle = max((angle + step * index for index in range(-count, count + 1)), key=sharpness)
    return (angle if abs(angle) >= _LEAST_DEGREES else 0.0), sharpness(angle)
