"""Whether pieces of text can be seen: a page is drawn with them and without, and the two pictures are compared.

So it does not matter why a piece is not seen, and no rule of transparency, blending or masks is told a second time.
"""

import math
import operator
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import in_c, mupdf
from services.pdf.worker.page_trace import find_texts
from services.pdf.worker.pieces import Piece
from services.pdf.worker.sheet import Sheet

_SECONDS = 2.0
"""The most that all pictures of a page may take."""

_PIXELS = 1_000_000
"""Of each picture."""

_EM = 24.0
"""Pixels of an em in the pictures, where they are not too large for it."""

_SCALES = (1.0, 4.0)
_STEP = 12
"""How much of 255 one colour of one pixel must differ, to be seen."""

_EDGE = 0.15
"""The share of a letter's box at each edge that is not looked at: its neighbours reach into it."""

_SPREAD = 3.0
_SMALL = 50_000.0
"""Pieces are drawn in one picture of no more than so many times their area, or square points: each costs a start."""

_PAINTING = ("fill_path", "stroke_path", "fill_shade", "fill_image", "fill_image_mask")
_OTHERS = (
    *("clip_path", "clip_stroke_path", "clip_text", "clip_stroke_text", "clip_image_mask", "pop_clip"),
    *("begin_mask", "end_mask", "begin_group", "end_group", "end_tile"),
    *("render_flags", "set_default_colorspaces"),
)
_RGB = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)


class SlowPageError(Exception):
    """The page takes too long to draw."""


def unseen(sheet: Sheet, pieces: Sequence[Piece]) -> list[list[bool]]:
    """Of each letter of each piece, whether nobody sees it. Blanks are not seen; a letter that draws nothing is.

    Only the neighbourhoods of the pieces are drawn. Raises SlowPageError, CrowdedPageError, and as `Sheet.draw` does.
    """
    end = time.monotonic() + _SECONDS
    found: list[list[bool]] = [[] for _ in pieces]
    for group in _neighbours([sheet.box.common(piece.box) for piece in pieces]):
        area = group.area
        near = [pieces[index] for index in group.members]
        texts = find_texts(sheet, area, near)
        left = frozenset[int]().union(*texts)
        scale = min(max(_EM / max(min(piece.look.em for piece in near), 1.0), _SCALES[0]), _SCALES[1])
        scale = min(scale, math.sqrt(_PIXELS / max(area.area, 1.0)))
        whole, rest = (_Picture(sheet, area, scale, each, end) for each in (frozenset[int](), left))
        for index, orders in zip(group.members, texts, strict=True):
            piece = pieces[index]
            found[index] = [
                letter.isspace() or (bool(orders) and not whole.differs(rest, box))
                for letter, box in zip(piece.text, piece.boxes, strict=True)
            ]
    return found


@dataclass(slots=True)
class _Group:
    """Pieces that are drawn together."""

    area: Box
    members: list[int]
    """Their places in the list."""

    wanted: float
    """The sum of their areas."""


def _neighbours(boxes: Sequence[Box]) -> list[_Group]:
    """Groups of boxes, each of boxes one after another in the order of drawing, which mostly are neighbours."""
    groups: list[_Group] = []
    for index, box in enumerate(boxes):
        if groups:
            last = groups[-1]
            area, wanted = last.area.around(box), last.wanted + box.area
            if area.area <= max(_SPREAD * wanted, _SMALL):
                last.area, last.wanted = area, wanted
                last.members.append(index)
                continue
        groups.append(_Group(box, [index], box.area))
    return groups


class _Picture:
    """A part of a page in red, green and blue, one byte each."""

    def __init__(self, sheet: Sheet, area: Box, scale: float, left: Container[int], end: float) -> None:
        frame = mupdf.fz_irect_from_rect(mupdf.FzRect(*(scale * edge for edge in area)))
        pixels = mupdf.fz_new_pixmap_with_bbox(_RGB, frame, mupdf.FzSeparations(), 0)
        mupdf.fz_clear_pixmap_with_value(pixels, 255)
        canvas = mupdf.fz_new_draw_device(mupdf.FzMatrix(), pixels)
        device = _Without(canvas, left, end)
        sheet.draw(device, area, scale, device.cookie)
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
    """A device that passes on everything but some texts, told by the order in which they are drawn."""

    def __init__(self, canvas: Any, left: Container[int], end: float) -> None:
        super().__init__()
        self._canvas = canvas
        self._left = left
        self._order = 0
        self._end = end
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
        if self._order not in self._left:
            draw(self._canvas.m_internal, text, *how)
        self._count()

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


_CALLS = {name: getattr(in_c, f"ll_fz_{name}") for name in (*_PAINTING, *_OTHERS)} | {
    "end_mask": in_c.ll_fz_end_mask_tr  # the other does not take the mask's transfer function
}


def _passing(name: str) -> Callable[..., Any]:
    return lambda self, _ctx, *arguments: self.pass_on(name, arguments)


for _name in _CALLS:
    setattr(_Without, _name, _passing(_name))
