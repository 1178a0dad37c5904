"""Text that a page has and nobody who looks at it sees."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.hidden_signs import LEAST_EM, PICTURES, is_close
from services.pdf.worker.page_resources import LEAST_OPACITY
from services.pdf.worker.page_trace import Drawing, find_pictures, trace
from services.pdf.worker.pieces import Piece, Place, Point
from services.pdf.worker.recorder import Shape
from services.pdf.worker.rows import Rows
from services.pdf.worker.sheet import EVERYWHERE, CrowdedPageError, Sheet
from services.pdf.worker.visibility import SlowPageError, unseen

_MOSTLY = 0.9
"""The share of a piece's letters that must be on a picture to be its text, or unseen to hide the others too."""

_MOST_PIXELS = 40_000_000
"""Of the pictures on a page. Drawing more takes too long."""

_MOST_COMPARED = 1_000_000
"""Letters and the shapes around them."""

_MOST_BOXES = 1000
"""Of hidden pieces, in which letters are looked for that have no place of their own among the glyphs."""

_SCAN = 0.1
"""The share of a page that pictures cover if invisible text on them may be theirs, recognised by another program."""

_RECOGNISED = ("invisible", "transparent")
"""How the text of a scan is laid over its picture or under it."""

_PIECEWISE = ("covered", "clipped")
"""Some letters of a line may be hidden like this and others not. Of other reasons, a few letters may be mistaken."""

_WHITE = (1.0, 1.0, 1.0)
_NOTHING = Box(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A piece of text that nobody sees, and why."""

    piece: Piece
    reason: str
    """As `papermesh.pdf.v1.HiddenText` has it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found on a page."""

    hidden: Sequence[Hidden] = ()
    seen: frozenset[Place] = frozenset()
    """The other letters of the area and their places: a hidden one may have the same."""

    is_unchecked: bool = False
    """The page has too much on it: some of its text may be hidden and was not found."""

    sheet: Box = _NOTHING
    """The page itself."""

    area: Box = _NOTHING
    """What was examined of it."""


def examine(sheet: Sheet, area: Box = EVERYWHERE) -> Findings:
    """The hidden text of a page, what is off the page or cut off by a clip included; or that of an area of it.

    The page is unchecked where what it draws takes too much memory: it can still be read without.
    Raises mupdf.FzErrorBase if MuPDF cannot draw the page.
    """
    try:
        drawing = trace(sheet, area)
        pictures = [shape for shape in drawing.shapes if shape.kind == "picture"]
        if pictures and area != EVERYWHERE:
            pictures = find_pictures(sheet)  # whose text it is depends on all of them
        hidden, doubts = _judge(drawing, area, [shape.box for shape in pictures], sheet.box)
    except (CrowdedPageError, MemoryError):
        return Findings(is_unchecked=True, sheet=sheet.box)
    is_unchecked = False
    if doubts and sum(shape.pixels for shape in pictures) > _MOST_PIXELS:
        is_unchecked = True
    elif doubts:
        try:
            hidden += _proved(doubts, unseen(sheet, [doubt.piece for doubt in doubts]))
        except (CrowdedPageError, SlowPageError, MemoryError):
            is_unchecked = True
    if not hidden:
        return Findings(is_unchecked=is_unchecked, sheet=sheet.box, area=area)
    left_out: defaultdict[int, set[int]] = defaultdict(set)
    for each in hidden:
        if each.piece.way != "clip":  # those have no number of their own
            left_out[each.piece.order].update(each.piece.numbers)
    seen = frozenset(
        place
        for piece in drawing.pieces
        if piece.way != "clip"
        for number, place in zip(piece.numbers, piece.places, strict=True)
        if number not in left_out[piece.order]
    )
    # Letters may be drawn again where they are seen, as an outline or as a whole.
    hidden = [each for each in hidden if not seen.issuperset(each.piece.places)]
    hidden.sort(key=lambda each: (each.piece.order, each.piece.first))
    return Findings(hidden, seen, is_unchecked, sheet.box, area)


def without_hidden(blocks: Iterable[Mapping[str, Any]], findings: Findings) -> list[dict[str, Any]]:
    """The blocks of PyMuPDF's `get_text("rawdict")` without hidden letters, and without lines that are empty then."""
    is_seen = _Sight(findings).is_seen
    kept = []
    for block in blocks:
        lines = []
        for line in block["lines"]:
            spans = [{**span, "chars": list(filter(is_seen, span["chars"]))} for span in line["spans"]]
            if any(span["chars"] for span in spans):
                lines.append({**line, "spans": [span for span in spans if span["chars"]]})
        if lines:
            kept.append({**block, "lines": lines})
    return kept


class _Sight:
    """Tells of letters that MuPDF found, one after another, whether they are seen."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._hidden = {origin for each in findings.hidden for origin in each.piece.origins}
        self._shown = {origin for origin, _ in findings.seen}
        self._boxes = [findings.area.common(each.piece.box) for each in findings.hidden[:_MOST_BOXES]]
        self._was_seen = True

    def is_seen(self, letter: Mapping[str, Any]) -> bool:
        """What MuPDF put in, a blank or the rest of a ligature, goes with the letter before it."""
        origin, (x0, y0, x1, y1) = letter["origin"], letter["bbox"]
        if origin in self._hidden:
            self._was_seen = (origin, letter["c"]) in self._findings.seen
        elif not letter["synthetic"] and x0 < x1:
            # What a file says instead of its glyphs has places of its own.
            middle = Box(x0, y0, x1, y1).middle
            self._was_seen = origin in self._shown or not any(box.holds(middle) for box in self._boxes)
        return self._was_seen


def _judge(drawing: Drawing, area: Box, pictures: Sequence[Box], sheet: Box) -> tuple[list[Hidden], list[Hidden]]:
    """What is hidden whatever else the page draws, and what that may hide, in an area. Raises CrowdedPageError."""
    share = sum(picture.common(sheet).area for picture in pictures) / max(sheet.area, 1.0)
    hidden: list[Hidden] = []
    rest: list[Piece] = []
    for piece in drawing.pieces:
        if not piece.text.strip() or not _meet(piece.box, area):
            continue
        reason = _reason(piece, sheet)
        if reason and not (reason in _RECOGNISED and share >= _SCAN and _is_on(piece, pictures)):
            hidden.append(Hidden(piece, reason))
        else:
            rest.append(piece)
    doubts = _Doubts(drawing.shapes, keep_under_pictures=share >= PICTURES)
    return hidden, [doubt for piece in rest for doubt in doubts.about(piece)]


def _reason(piece: Piece, sheet: Box) -> str:
    """Why a piece is hidden whatever else the page draws; "" if it may be seen."""
    if not _meet(piece.box, sheet):
        return "off_page"
    if piece.way == "clip" or not _meet(piece.box, piece.look.within):
        return "clipped"
    if piece.way == "none":
        return "invisible"
    if piece.opacity < LEAST_OPACITY:
        return "transparent"
    return "tiny" if piece.look.em < LEAST_EM else ""


class _Doubts:
    """What the shapes of a page may hide, and how."""

    def __init__(self, shapes: Sequence[Shape], *, keep_under_pictures: bool) -> None:
        self._shapes: Rows[Shape] = Rows()
        for shape in shapes:
            self._shapes.add(shape.box, shape)
        self._keep_under_pictures = keep_under_pictures
        self._compared = 0

    def about(self, piece: Piece) -> Iterator[Hidden]:
        """The parts of a piece that may be hidden, each for one reason. Raises CrowdedPageError."""
        if not all(map(math.isfinite, piece.box)):
            return
        near = [shape for _, shape in self._shapes.near(piece.box)]
        self._compared += len(near) * len(piece.boxes)
        if self._compared > _MOST_COMPARED:
            raise CrowdedPageError
        over = [shape.box for shape in near if shape.order > piece.order and self._may_cover(shape)]
        under = [shape for shape in near if shape.order < piece.order]
        if not (over or piece.look.is_masked or _is_cut(piece) or _is_close_to_any(piece, under)):
            return
        reasons: list[str] = []
        for letter, box in zip(piece.text, piece.boxes, strict=True):
            is_blank = letter.isspace() and reasons
            reasons.append(reasons[-1] if is_blank else _doubt(piece, box.middle, over, under))
        start = 0
        for reason, letters in groupby(reasons):
            end = start + len(list(letters))
            if reason and piece.text[start:end].strip():
                yield Hidden(_trimmed(piece, start, end), reason)
            start = end

    def _may_cover(self, shape: Shape) -> bool:
        return not (self._keep_under_pictures and shape.kind == "picture")


def _is_cut(piece: Piece) -> bool:
    """Whether the clip may cut some of it off."""
    box, within = piece.box, piece.look.within
    return not (within.x0 <= box.x0 and within.y0 <= box.y0 and box.x1 <= within.x1 and box.y1 <= within.y1)


def _is_close_to_any(piece: Piece, grounds: Iterable[Shape]) -> bool:
    """Whether its colour is nearly that of paper or of one of some shapes."""
    return is_close(piece.color, _WHITE) or any(
        shape.kind == "fill" and is_close(piece.color, shape.color) for shape in grounds
    )


def _doubt(piece: Piece, middle: Point, over: Iterable[Box], under: Iterable[Shape]) -> str:
    """How a letter may be hidden; "" if there is no doubt that it is seen."""
    if any(box.holds(middle) for box in over):
        return "covered"
    if not piece.look.within.holds(middle):
        return "clipped"  # but for an edge
    if piece.look.is_masked:
        return "transparent"
    grounds = [shape for shape in under if shape.box.holds(middle)]
    if all(shape.kind == "fill" for shape in grounds) and any(
        is_close(piece.color, color) for color in (_WHITE, *(shape.color for shape in grounds))
    ):  # over a picture it is too doubtful
        return "same_color"
    return ""


def _proved(doubts: Sequence[Hidden], unseen_letters: Sequence[Sequence[bool]]) -> Iterator[Hidden]:
    """The doubts that are none, as a whole if next to all letters are unseen, else the letters that are covered."""
    for doubt, hidden in zip(doubts, unseen_letters, strict=True):
        piece = doubt.piece
        inked = [is_hidden for letter, is_hidden in zip(piece.text, hidden, strict=True) if not letter.isspace()]
        if sum(inked) >= _MOSTLY * len(inked):
            yield doubt
        elif doubt.reason in _PIECEWISE:
            start = 0
            for is_hidden, letters in groupby(hidden):
                end = start + len(list(letters))
                if is_hidden and any(map(str.isalnum, piece.text[start:end])):  # marks may be too small to be noticed
                    yield Hidden(_trimmed(piece, start, end), doubt.reason)
                start = end


def _trimmed(piece: Piece, start: int, end: int) -> Piece:
    """A part of a piece without the blanks at its ends."""
    text = piece.text[start:end]
    return piece.part(start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip()))


def _is_on(piece: Piece, boxes: Sequence[Box]) -> bool:
    """Whether nearly all letters of a piece have their middle in one of the boxes."""
    inside = sum(any(box.holds(letter.middle) for box in boxes) for letter in piece.boxes)
    return inside >= _MOSTLY * len(piece.boxes)


def _meet(one: Box, other: Box) -> bool:
    left, upper, right, lower = one.common(other)
    return left <= right and upper <= lower  # text without any size has its place too
