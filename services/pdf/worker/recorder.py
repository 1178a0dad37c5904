"""A device that follows how a page is drawn: its shapes, and what PyMuPDF's trace does not tell of its text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.pieces import Look, Piece, letter
from services.pdf.worker.sheet import EVERYWHERE, edges

MOST_LETTERS = 50_000
MOST_DRAWN = 10_000
"""A page with more letters, or more texts and shapes, is not examined: it would take seconds."""

_UNIT = mupdf.FzRect(mupdf.FzRect.Fixed_UNIT)  # by names: the binding forgets what only an expression holds
_PARAMETERS = mupdf.FzColorParams()
_RGB = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)


@dataclass(slots=True)
class Shape:
    """A filled path, a picture or a gradient."""

    order: int
    kind: str
    """"fill", "picture" or "shade"."""

    box: Box
    color: tuple[float, ...] = ()
    """Of a fill: red, green and blue, from 0 to 1."""

    pixels: int = 0
    """Of a picture: its own."""


class Recorder(mupdf.FzDevice2):  # type: ignore[misc]  # the binding has no types
    """A device that keeps shapes, what each text is bounded by, and texts that only bound what follows."""

    def __init__(self, *, pictures_only: bool = False) -> None:
        """With `pictures_only`, other shapes and text, and so what is numbered, are passed over in C."""
        super().__init__()
        self.shapes: list[Shape] = []
        self.cookie = mupdf.FzCookie()
        self.is_crowded = False
        self._letters = 0
        self._texts: dict[int, list[Look]] = {}
        """By their order: the look of each span."""

        self.clips: list[tuple[Piece, bool]] = []
        """Texts used as a clip, and whether anything was drawn through them."""

        self._order = 0
        self._opacities = [1.0]
        self._masks = 0
        self._bounds: list[tuple[Box, int | None, bool]] = [(EVERYWHERE, None, False)]
        """What the clip leaves, the text that is the clip, and whether it is a mask."""

        for name in _BOUNDING if pictures_only else _ALL:
            getattr(self, f"use_virtual_{name}")()

    def look(self, order: int, span: int) -> Look:
        """The look of one of a text's spans, from 0."""
        looks = self._texts.get(order, [])
        return looks[span] if span < len(looks) else Look(EVERYWHERE, math.inf, 1.0, is_masked=False)

    def fill_path(self, _ctx: Any, path: Any, _even_odd: int, ctm: Any, space: Any, color: Any, *_: Any) -> None:
        """A filled path."""
        found = (0.0, 0.0, 0.0)
        if space:
            rgb = mupdf.ll_fz_convert_color(space, color, _RGB.m_internal, None, _PARAMETERS.internal())
            found = tuple(rgb[:3])
        self._add("fill", mupdf.ll_fz_bound_path(path, None, ctm), found)

    def stroke_path(self, *_: Any) -> None:
        """Lines hide nothing, unless they are as wide as a letter; then what they hide is not found."""
        self._count()
        self._paint()

    def fill_shade(self, _ctx: Any, shade: Any, ctm: Any, *_: Any) -> None:
        """A gradient."""
        self._add("shade", mupdf.ll_fz_bound_shade(shade, ctm))

    def fill_image(self, _ctx: Any, image: Any, ctm: Any, *_: Any) -> None:
        """A picture."""
        self._add("picture", mupdf.ll_fz_transform_rect(_UNIT.internal(), ctm), pixels=image.w * image.h)

    def fill_image_mask(self, _ctx: Any, image: Any, ctm: Any, *_: Any) -> None:
        """A picture in one colour."""
        self._add("picture", mupdf.ll_fz_transform_rect(_UNIT.internal(), ctm), pixels=image.w * image.h)

    def fill_text(self, _ctx: Any, text: Any, ctm: Any, *_: Any) -> None:
        """Text that is filled, as most is."""
        self._text(text, ctm)
        self._paint()

    def stroke_text(self, _ctx: Any, text: Any, _stroke: Any, ctm: Any, *_: Any) -> None:
        """Text of which the outlines are drawn."""
        self._text(text, ctm)
        self._paint()

    def ignore_text(self, _ctx: Any, text: Any, ctm: Any) -> None:
        """Text that is not drawn."""
        self._text(text, ctm)

    def clip_text(self, _ctx: Any, text: Any, ctm: Any, _scissor: Any) -> None:
        """Text that bounds what is drawn next."""
        within = self._bounds[-1][0]
        piece = Piece(self._order, "clip", (0.0, 0.0, 0.0), 1.0, Look(within, math.inf, 1.0, is_masked=False))
        for span, matrix in _spans(text, ctm):
            height = math.hypot(matrix.c, matrix.d)
            for index in range(min(span.len, MOST_LETTERS - self._letters)):
                item = mupdf.FzTextSpan(span).items(index)
                at = mupdf.ll_fz_transform_point_xy(item.x, item.y, ctm)
                piece.text += letter(item.ucs)
                piece.origins.append((at.x, at.y))
                piece.boxes.append(Box(at.x, at.y - height, at.x + height, at.y))
            self._letters += span.len
        self.clips.append((piece, False))
        self._bounds.append((within, len(self.clips) - 1, False))

    def clip_stroke_text(self, _ctx: Any, text: Any, _stroke: Any, ctm: Any, scissor: Any) -> None:
        """The same by outlines."""
        self.clip_text(_ctx, text, ctm, scissor)

    def clip_path(self, _ctx: Any, path: Any, _even_odd: int, ctm: Any, _scissor: Any) -> None:
        """A path that bounds what is drawn next."""
        self._bound(mupdf.ll_fz_bound_path(path, None, ctm))

    def clip_stroke_path(self, *_: Any) -> None:
        """The same by outlines."""
        self._bounds.append((*self._bounds[-1][:2], False))

    def clip_image_mask(self, _ctx: Any, _image: Any, ctm: Any, _scissor: Any) -> None:
        """The same by a picture."""
        self._bound(mupdf.ll_fz_transform_rect(_UNIT.internal(), ctm))

    def begin_group(self, _ctx: Any, _area: Any, _space: Any, _isolated: int, _knockout: int, *how: Any) -> None:
        """What follows is drawn by itself, and then together."""
        self._opacities.append(self._opacities[-1] * how[1])

    def end_group(self, *_: Any) -> None:
        """The end of that."""
        if len(self._opacities) > 1:
            self._opacities.pop()

    def end_mask(self, *_: Any) -> None:
        """A mask is complete, and what is drawn next is drawn through it."""
        self._masks += 1
        self._bounds.append((*self._bounds[-1][:2], True))

    def pop_clip(self, *_: Any) -> None:
        """The end of the latest bound."""
        if len(self._bounds) > 1:
            self._masks -= self._bounds.pop()[2]

    def _count(self) -> None:
        self._order += 1
        if self._order > MOST_DRAWN or self._letters > MOST_LETTERS:
            self.is_crowded = True
            self.cookie.m_internal.abort = 1

    def _bound(self, rect: Any) -> None:
        within, clip, _ = self._bounds[-1]
        self._bounds.append((within.common(edges(rect)), clip, False))

    def _add(self, kind: str, rect: Any, color: tuple[float, ...] = (), pixels: int = 0) -> None:
        self.shapes.append(Shape(self._order, kind, self._bounds[-1][0].common(edges(rect)), color, pixels))
        self._count()
        self._paint()

    def _paint(self) -> None:
        clip = self._bounds[-1][1]
        if clip is not None:
            self.clips[clip] = (self.clips[clip][0], True)

    def _text(self, text: Any, ctm: Any) -> None:
        looks = []
        for span, matrix in _spans(text, ctm):
            em = min(math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d))
            looks.append(Look(self._bounds[-1][0], em, self._opacities[-1], is_masked=self._masks > 0))
            self._letters += span.len
        self._texts[self._order] = looks
        self._count()


_ALL = tuple(name for name in vars(Recorder) if not name.startswith("_") and name != "look")
_BOUNDING = tuple(name for name in _ALL if name.startswith(("clip", "end_mask", "pop_clip", "fill_image")))


def _spans(text: Any, ctm: Any) -> Iterator[tuple[Any, Any]]:
    """The spans of a text, each with the matrix that leads from its em to points."""
    span = text.head
    while span:
        if span.len:
            yield span, mupdf.ll_fz_concat(span.trm, ctm)
        span = span.next
