"""A picture whose pixels know where in the page's own picture they came from, whatever was done to it since."""

import math
import re
from dataclasses import dataclass

from PIL import Image

from services.base.errors import bad_arg, too_large
from services.pdf.worker.ocr.numeric import Grey, np

MAX_SIDE = 30_000
"""Pixels; Tesseract itself takes 32,767."""

MAX_PIXELS = 40_000_000
"""A page of A2 at 300 dpi has 35 million. Some steps need four bytes for each."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

Affine = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): the point (x, y) is at (ax + by + c, dx + ey + f) of the page's own picture."""

_PGM = re.compile(rb"P5\s+(\d{1,9})\s+(\d{1,9})\s+255\s")
_WHITE = 255


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels, and how they lie in the picture that was given."""

    pixels: Grey
    origin: Affine = (1, 0, 0, 0, 1, 0)

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    def with_pixels(self, pixels: Grey) -> "Picture":
        """Other pixels at the same places."""
        return Picture(pixels, self.origin)

    def turned(self, quarters: int) -> "Picture":
        """Turned counterclockwise by `quarters` of 90 degrees."""
        if not quarters:
            return self
        width, height = self.width, self.height
        step: Affine = (
            (1, 0, 0, 0, 1, 0),
            (0, -1, width, 1, 0, 0),
            (-1, 0, width, 0, -1, height),
            (0, 1, 0, -1, 0, height),
        )[quarters % 4]
        return Picture(np.ascontiguousarray(np.rot90(self.pixels, quarters)), _after(self.origin, step))

    def rotated(self, degrees: float) -> "Picture":
        """Rotated counterclockwise about its middle, on white, with room for its corners."""
        if not degrees:
            return self
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        aside, above = (math.ceil(abs(sin) * side / 2) for side in (self.height, self.width))
        padded = self.cropped(-aside, -above, self.width + aside, self.height + above)
        image = Image.fromarray(padded.pixels).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=_WHITE)
        x, y = padded.width / 2, padded.height / 2
        step = (cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)
        return Picture(np.asarray(image), _after(padded.origin, step))

    def cropped(self, left: int, top: int, right: int, bottom: int) -> "Picture":
        """The part between these edges; white where they reach beyond this picture."""
        inside = self.pixels[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        beyond = (
            (max(0, -top), max(0, bottom - self.height)),
            (max(0, -left), max(0, right - self.width)),
        )
        pixels = np.pad(inside, beyond, constant_values=_WHITE)
        return Picture(pixels, _after(self.origin, (1, 0, left, 0, 1, top)))

    def enlarged(self, times: int) -> "Picture":
        """`times` as wide and as high."""
        if times == 1:
            return self
        size = (self.width * times, self.height * times)
        image = Image.fromarray(self.pixels).resize(size, Image.Resampling.BICUBIC)
        return Picture(np.asarray(image), _after(self.origin, (1 / times, 0, 0, 0, 1 / times, 0)))

    def given_box(self, box: Box) -> Box:
        """The smallest upright box of the page's own picture that holds this one."""
        a, b, c, d, e, f = self.origin
        corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
        across = [a * x + b * y + c for x, y in corners]
        down = [d * x + e * y + f for x, y in corners]
        return min(across), min(down), max(across), max(down)

    def as_pgm(self) -> bytes:
        """The picture as a file."""
        return b"P5 %d %d 255\n" % (self.width, self.height) + self.pixels.tobytes()


def parse(content: bytes) -> Picture:
    """The picture of a binary PGM file of 8 bits.

    Raises a PapermeshError: TOO_LARGE over the limits above, BAD_ARG for anything else.
    """
    header = _PGM.match(content)
    if header is None:
        raise bad_arg("The picture is not a binary PGM of 8 bits.")
    width, height = int(header[1]), int(header[2])
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise too_large(
            f"The picture has {width} by {height} pixels; the limits are {MAX_SIDE} a side and {MAX_PIXELS} in all.",
            limit_pixels=MAX_PIXELS,
        )
    if not width or not height or len(content) - header.end() != width * height:
        raise bad_arg("The picture has not as many pixels as it says.")
    return Picture(np.frombuffer(content, np.uint8, offset=header.end()).reshape(height, width))


def _after(first: Affine, second: Affine) -> Affine:
    """`first` of what `second` gives."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return (a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f)
