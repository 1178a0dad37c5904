"""Whether pieces of text can be seen: a page is drawn with them and without, and the two pictures are compared.

So it does not matter why a piece is not seen, and no rule of transparency, blending or masks is told a second time.
"""

import math
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from services.pdf.worker.mupdf import in_c, mupdf
from services.pdf.worker.page_trace import Box, Piece, Sheet, overlap

_SECONDS = 1.0
"""The most that each of the two pictures may take."""

_PIXELS = 1_000_000
"""Of each picture."""

_EM = 24.0
"""Pixels of an em in the pictures, where they are not too large for it."""

_SCALES = (1.0, 4.0)
_STEP = 12
"""How much of 255 one colour of one pixel must differ, to be seen."""

_EDGE = 0.15
"""The share of a letter's box at each edge that is not looked at: its neighbours reach into it."""

_MARKS = 0.1
"""The share of its letters that may be seen of a piece that is hidden: a corner that sticks out, or a letter beside."""

_PAINTING = ("fill_path", "stroke_path", "fill_shade", "fill_image", "fill_image_mask")
_OTHERS = (
    *("clip_path", "clip_stroke_path", "clip_text", "clip_stroke_text", "clip_image_mask", "pop_clip"),
    *("begin_mask", "end_mask", "begin_group", "end_group", "end_tile"),
    *("render_flags", "set_default_colorspaces"),
)
_RGB = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)

_Left: TypeAlias = Mapping[int, set[int]]
"""Which letters are left out of each text, by the order in which it is drawn."""


class SlowPageError(Exception):
    """The page takes too long to draw."""


def unseen(sheet: Sheet, pieces: Sequence[Piece]) -> list[bool]:
    """Of each piece, whether nobody sees it.

    Raises SlowPageError, and mupdf.FzErrorBase if MuPDF cannot draw the page.
    """
    boxes = [overlap(sheet.box, piece.box) for piece in pieces]
    around = (
        *(min(box[side] for box in boxes) for side in (0, 1)),
        *(max(box[side] for box in boxes) for side in (2, 3)),
    )
    area = max(around[2] - around[0], 1.0) * max(around[3] - around[1], 1.0)
    wanted = min(max(_EM / min(piece.em for piece in pieces), _SCALES[0]), _SCALES[1])
    scale = min(wanted, math.sqrt(_PIXELS / area))
    frame = mupdf.fz_irect_from_rect(mupdf.FzRect(*(scale * edge for edge in around)))
    left: dict[int, set[int]] = {}
    for piece in pieces:
        left.setdefault(piece.order, set()).update(range(piece.first, piece.first + len(piece.boxes)))
    whole, rest = (_Picture(sheet, scale, frame, each) for each in ({}, left))
    return [_is_unseen(piece, whole, rest) for piece in pieces]


def _is_unseen(piece: Piece, whole: "_Picture", rest: "_Picture") -> bool:
    inked = [box for letter, box in zip(piece.text, piece.boxes, strict=True) if not letter.isspace()]
    seen = sum(whole.differs(rest, box) for box in inked)
    return seen <= _MARKS * len(inked)


class _Picture:
    """A part of a page in red, green and blue, one byte each."""

    def __init__(self, sheet: Sheet, scale: float, frame: Any, left: _Left) -> None:
        pixels = mupdf.fz_new_pixmap_with_bbox(_RGB, frame, mupdf.FzSeparations(), 0)
        mupdf.fz_clear_pixmap_with_value(pixels, 255)
        canvas = mupdf.fz_new_draw_device(mupdf.FzMatrix(), pixels)
        device = _Without(canvas, left)
        sheet.draw(device, scale, device.cookie)
        if device.cookie.m_internal.abort:
            raise SlowPageError
        mupdf.fz_close_device(canvas)
        self.content = bytes(mupdf.ll_fz_pixmap_samples_memoryview(pixels.m_internal))
        self._scale = scale
        self._left, self._upper = pixels.x(), pixels.y()
        self._width, self._height = pixels.w(), pixels.h()

    def differs(self, other: "_Picture", box: Box) -> bool:
        """Whether a letter's box looks otherwise in another picture of the same part."""
        x0, y0, x1, y1 = (edge * self._scale for edge in box)
        margin_x, margin_y = _EDGE * (x1 - x0), _EDGE * (y1 - y0)
        left, right = _inside(x0 + margin_x - self._left, x1 - margin_x - self._left, self._width)
        upper, lower = _inside(y0 + margin_y - self._upper, y1 - margin_y - self._upper, self._height)
        for row in range(upper, lower):
            start = 3 * (row * self._width + left)
            end = start + 3 * (right - left)
            one, two = self.content[start:end], other.content[start:end]
            if one != two and max(map(abs, map(operator.sub, one, two))) >= _STEP:
                return True
        return False


def _inside(start: float, end: float, most: int) -> tuple[int, int]:
    """The pixels that a stretch touches, at least one, as far as there are so many."""
    first = min(max(math.floor(start), 0), most)
    return first, min(max(math.ceil(end), first + 1), most)


class _Without(mupdf.FzDevice2):  # type: ignore[misc]  # the binding has no types
    """A device that passes on everything but some letters."""

    def __init__(self, canvas: Any, left: _Left) -> None:
        super().__init__()
        self._canvas = canvas
        self._left = left
        self._order = 0
        self._end = time.monotonic() + _SECONDS
        self.cookie = mupdf.FzCookie()
        for name in (*_PAINTING, *_OTHERS, "fill_text", "stroke_text", "ignore_text", "begin_tile"):
            getattr(self, f"use_virtual_{name}")()

    def fill_text(self, _ctx: Any, text: Any, *how: Any) -> None:
        """Text that is filled."""
        self._text(in_c.ll_fz_fill_text, text, how)

    def stroke_text(self, _ctx: Any, text: Any, *how: Any) -> None:
        """Text of which the outlines are drawn."""
        self._text(in_c.ll_fz_stroke_text, text, how)

    def ignore_text(self, *_: Any) -> None:
        """Text that is not drawn."""
        self._count()

    def _text(self, draw: Callable[..., None], text: Any, how: Sequence[Any]) -> None:
        left = self._left.get(self._order)
        self._count()
        if left is None:
            draw(self._canvas.m_internal, text, *how)
            return
        kept = _without(text, left)
        if kept is not None:
            draw(self._canvas.m_internal, kept.m_internal, *how)

    def _count(self) -> None:
        self._order += 1
        if time.monotonic() > self._end:
            self.cookie.m_internal.abort = 1

    def begin_tile(self, _ctx: Any, *how: Any) -> int:
        """A pattern. Without its number, so that MuPDF draws it each time, and what it draws is counted each time."""
        *place, _number, _document = how
        tile: int = in_c.ll_fz_begin_tile_tid(self._canvas.m_internal, *place, 0, 0)
        return tile

    def pass_on(self, name: str, arguments: Sequence[Any]) -> Any:
        """Anything else."""
        if name in _PAINTING:
            self._count()
        return _CALLS[name](self._canvas.m_internal, *arguments)


_CALLS = {name: getattr(in_c, f"ll_fz_{name}") for name in (*_PAINTING, *_OTHERS)}


def _passing(name: str) -> Callable[..., Any]:
    return lambda self, _ctx, *arguments: self.pass_on(name, arguments)


for _name in _CALLS:
    setattr(_Without, _name, _passing(_name))


def _without(text: Any, left: set[int]) -> Any:
    """A mupdf.FzText with the other letters; None if there are none."""
    kept = None
    index = -1
    span = text.head
    while span:
        letters = mupdf.FzTextSpan(span)
        matrix = mupdf.FzMatrix(span.trm)
        for number in range(span.len):
            index += 1
            if index in left:
                continue
            letter = letters.items(number)
            matrix.e, matrix.f = letter.x, letter.y
            kept = kept or mupdf.FzText()
            mupdf.ll_fz_show_glyph(
                *(kept.m_internal, span.font, matrix.internal(), letter.gid, letter.ucs),
                *(span.wmode, span.bidi_level, span.markup_dir, span.language),
            )
        span = span.next
    return kept
