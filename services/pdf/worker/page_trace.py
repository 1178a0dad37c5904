"""What a page draws, in order: pieces of text and the shapes among them.

MuPDF numbers what it draws; PyMuPDF's trace of the text and the device here count alike, so that it is known what came
before and what after.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.pdf.worker.mupdf import mupdf, pymupdf

Box: TypeAlias = tuple[float, float, float, float]
"""Left, upper, right and lower edge in points, from the top left of the page as it is shown."""

Point: TypeAlias = tuple[float, float]
MOST_LETTERS = 50_000
MOST_DRAWN = 10_000
"""A page with more letters, or more texts and shapes, is not examined: it would take seconds."""

_UNIT = mupdf.FzRect(mupdf.FzRect.Fixed_UNIT)  # by names: the binding forgets what only an expression holds
_PARAMETERS = mupdf.FzColorParams()
_RGB = mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB)
_EVERYWHERE: Box = (-math.inf, -math.inf, math.inf, math.inf)
_SAME_LINE = 0.3
"""How far, in sizes, a letter may be off the line of the one before it."""

_APART = 2.0
"""How far, in sizes, it may be from the one before it along the line."""


class Sheet:
    """A page that can be drawn."""

    def __init__(self, loaded: Any) -> None:
        """`loaded` is a mupdf.FzPage."""
        self._loaded = loaded
        self.box: Box = edges(mupdf.fz_bound_page(loaded))
        """What is shown of it, as a reader sees it."""

    def draw(self, device: Any, scale: float = 1.0, cookie: Any = None) -> None:
        """Draws it on a device and closes that; a mupdf.FzCookie can end it before. Raises mupdf.FzErrorBase."""
        mupdf.fz_run_page(self._loaded, device, mupdf.fz_scale(scale, scale), cookie or mupdf.FzCookie())
        mupdf.fz_close_device(device)


class CrowdedPageError(Exception):
    """The page has more letters or shapes than are examined."""


@dataclass(slots=True)
class Piece:
    """Letters of one line, drawn at one go in one look."""

    order: int
    way: str
    """"fill", "stroke", "none" (neither), or "clip" if it bounds what is drawn next and nothing more."""

    color: tuple[float, ...]
    """Red, green and blue, from 0 to 1."""

    opacity: float
    em: float
    """Width or height of an em in points, whichever is less."""

    within: Box
    """What the clip leaves of the page."""

    is_masked: bool = False
    """Drawn through a soft mask."""

    first: int = 0
    """Which letter of those drawn at that go is its first, from 0."""

    text: str = ""
    origins: list[Point] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """Around all letters."""
        left, upper, right, lower = zip(*self.boxes, strict=True)
        return min(left), min(upper), max(right), max(lower)

    @property
    def places(self) -> list[tuple[Point, str]]:
        """The letters and where they stand."""
        return list(zip(self.origins, self.text, strict=True))

    @property
    def centers(self) -> list[Point]:
        """The middle of each letter."""
        return [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in self.boxes]


@dataclass(frozen=True, slots=True)
class _Look:
    """How a span of text is drawn, beside what PyMuPDF's trace tells."""

    within: Box
    em: float
    opacity: float
    """Of the groups that it is part of."""

    is_masked: bool


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


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a page draws."""

    pieces: list[Piece]
    shapes: list[Shape]


def trace(sheet: Sheet) -> Drawing:
    """Follows how a page is drawn. Raises CrowdedPageError, and mupdf.FzErrorBase if MuPDF cannot draw it."""
    recorder = _Recorder()
    sheet.draw(recorder, cookie=recorder.cookie)
    if recorder.is_crowded:
        raise CrowdedPageError
    spans: list[dict[str, Any]] = []
    sheet.draw(pymupdf.extra.JM_new_texttrace_device(spans))
    pieces: list[Piece] = []
    seen: dict[int, tuple[int, int]] = {}
    for span in spans:
        order = span["seqno"]
        index, first = seen.get(order, (0, 0))
        if span["chars"]:
            pieces += _pieces(span, first, recorder.look(order, index))
            seen[order] = index + 1, first + len(span["chars"])
    pieces += (clip for clip, is_painted in recorder.clips if not is_painted and clip.origins)
    return Drawing(pieces, recorder.shapes)


def edges(rect: Any) -> Box:
    """The edges of a rectangle of MuPDF's."""
    return rect.x0, rect.y0, rect.x1, rect.y1


def contains(box: Box, point: Point) -> bool:
    """Whether the point is in the box."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def overlap(one: Box, other: Box) -> Box:
    """What two boxes share; left of its right edge, or below its lower one, if that is nothing."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


_WAYS = {0: "fill", 1: "stroke", 3: "none"}


def _pieces(span: dict[str, Any], first: int, look: _Look) -> Iterator[Piece]:
    """A span of the trace, cut where a line ends or a wide gap is."""
    size = span["size"]
    along_x, along_y = span["dir"]
    piece: Piece | None = None
    along = across = 0.0
    for index, (code, _glyph, origin, box) in enumerate(span["chars"], start=first):
        x, y = origin
        place, off = x * along_x + y * along_y, y * along_x - x * along_y
        if piece is None or abs(off - across) > _SAME_LINE * size or abs(place - along) > _APART * size:
            if piece is not None:
                yield piece
            way = _WAYS.get(span["type"], "fill")
            opacity = span["opacity"] * look.opacity
            piece = Piece(span["seqno"], way, span["color"], opacity, look.em, look.within, look.is_masked, index)
        along, across = place, off
        piece.text += _letter(code)
        piece.origins.append(origin)
        piece.boxes.append(box)
    if piece is not None:
        yield piece


def _letter(code: int) -> str:
    return chr(code) if 0 < code <= sys.maxunicode else "\ufffd"


class _Recorder(mupdf.FzDevice2):  # type: ignore[misc]  # the binding has no types
    """A device that keeps shapes, what each text is bounded by, and texts that only bound what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[Shape] = []
        self.cookie = mupdf.FzCookie()
        self.is_crowded = False
        self._letters = 0
        self._texts: dict[int, list[_Look]] = {}
        """By their order: the look of each span."""

        self.clips: list[tuple[Piece, bool]] = []
        """Texts used as a clip, and whether anything was drawn through them."""

        self._order = 0
        self._opacities = [1.0]
        self._masks = 0
        self._bounds: list[tuple[Box, int | None, bool]] = [(_EVERYWHERE, None, False)]
        """What the clip leaves, the text that is the clip, and whether it is a mask."""

        for name in _DRAWN:
            getattr(self, f"use_virtual_{name}")()

    def look(self, order: int, span: int) -> _Look:
        """The look of one of a text's spans, from 0."""
        looks = self._texts.get(order, [])
        return looks[span] if span < len(looks) else _Look(_EVERYWHERE, math.inf, 1.0, is_masked=False)

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
        piece = Piece(self._order, "clip", (0.0, 0.0, 0.0), 1.0, math.inf, within)
        for span, matrix in _spans(text, ctm):
            height = math.hypot(matrix.c, matrix.d)
            for index in range(min(span.len, MOST_LETTERS - self._letters)):
                item = mupdf.FzTextSpan(span).items(index)
                at = mupdf.ll_fz_transform_point_xy(item.x, item.y, ctm)
                piece.text += _letter(item.ucs)
                piece.origins.append((at.x, at.y))
                piece.boxes.append((at.x, at.y - height, at.x + height, at.y))
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
        self._bounds.append((overlap(within, edges(rect)), clip, False))

    def _add(self, kind: str, rect: Any, color: tuple[float, ...] = (), pixels: int = 0) -> None:
        self.shapes.append(Shape(self._order, kind, overlap(self._bounds[-1][0], edges(rect)), color, pixels))
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
            looks.append(_Look(self._bounds[-1][0], em, self._opacities[-1], is_masked=self._masks > 0))
            self._letters += span.len
        self._texts[self._order] = looks
        self._count()


_DRAWN = tuple(name for name in vars(_Recorder) if not name.startswith("_") and name != "look")


def _spans(text: Any, ctm: Any) -> Iterator[tuple[Any, Any]]:
    """The spans of a text, each with the matrix that leads from its em to points."""
    span = text.head
    while span:
        if span.len:
            yield span, mupdf.ll_fz_concat(span.trm, ctm)
        span = span.next
