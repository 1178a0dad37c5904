"""Text that a page has and nobody who looks at it sees."""

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.hidden_signs import LEAST_EM, LEAST_OPACITY, PICTURES, is_close
from services.pdf.worker.page_trace import (
    Box,
    CrowdedPageError,
    Drawing,
    Piece,
    Point,
    Shape,
    Sheet,
    contains,
    overlap,
    trace,
)
from services.pdf.worker.rows import Rows
from services.pdf.worker.visibility import SlowPageError, unseen

_MOSTLY = 0.9
"""The share of a piece's letters that shapes must cover, for it to be doubted."""

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

_WHITE = (1.0, 1.0, 1.0)


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
    seen: frozenset[tuple[Point, str]] = frozenset()
    """The other letters and their places: a hidden one may have the same."""

    is_unchecked: bool = False
    """The page has too much on it: some of its text may be hidden and was not found."""

    sheet: Box = (0.0, 0.0, 0.0, 0.0)
    """The page itself."""


def examine(sheet: Sheet) -> Findings:
    """The hidden text of a page, what is off the page or cut off by a clip included.

    Raises mupdf.FzErrorBase if MuPDF cannot draw the page.
    """
    try:
        drawing = trace(sheet)
        pieces = [piece for piece in drawing.pieces if piece.text.strip()]
        reasons = _certain(pieces, drawing, sheet.box)
        doubts = dict(
            _doubts(pieces, drawing, reasons.keys(), keep_under_pictures=_pictures(drawing, sheet.box) >= PICTURES)
        )
    except CrowdedPageError:
        return Findings(is_unchecked=True, sheet=sheet.box)
    is_unchecked = False
    if doubts and sum(shape.pixels for shape in drawing.shapes) > _MOST_PIXELS:
        is_unchecked = True
    elif doubts:
        try:
            found = unseen(sheet, [pieces[index] for index in doubts])
            reasons |= {
                index: reason for (index, reason), is_unseen in zip(doubts.items(), found, strict=True) if is_unseen
            }
        except SlowPageError:
            is_unchecked = True
    if not reasons:
        return Findings(is_unchecked=is_unchecked, sheet=sheet.box)
    seen = frozenset(
        place
        for index, piece in enumerate(pieces)
        if index not in reasons and piece.way != "clip"
        for place in piece.places
    )
    # Letters may be drawn again where they are seen, as an outline or as a whole.
    hidden = [
        Hidden(pieces[index], reasons[index]) for index in sorted(reasons) if not seen.issuperset(pieces[index].places)
    ]
    return Findings(hidden, seen, is_unchecked, sheet.box)


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
        self._boxes = [each.piece.box for each in findings.hidden[:_MOST_BOXES]]
        self._was_seen = True

    def is_seen(self, letter: Mapping[str, Any]) -> bool:
        """What MuPDF put in, a blank or the rest of a ligature, goes with the letter before it."""
        origin, (x0, y0, x1, y1) = letter["origin"], letter["bbox"]
        if origin in self._hidden:
            self._was_seen = (origin, letter["c"]) in self._findings.seen
        elif not letter["synthetic"] and x0 < x1:
            # What a file says instead of its glyphs has places of its own.
            center = ((x0 + x1) / 2, (y0 + y1) / 2)
            self._was_seen = origin in self._shown or not any(contains(box, center) for box in self._boxes)
        return self._was_seen


def _certain(pieces: Sequence[Piece], drawing: Drawing, sheet: Box) -> dict[int, str]:
    """The pieces, by their places in the list, that are hidden whatever else the page draws, and why."""
    pictures = [shape.box for shape in drawing.shapes if shape.kind == "picture"]
    is_scan = _pictures(drawing, sheet) >= _SCAN
    reasons = {index: _reason(piece, sheet) for index, piece in enumerate(pieces)}
    return {
        index: reason
        for index, reason in reasons.items()
        if reason and not (reason in _RECOGNISED and is_scan and _is_in(pieces[index], pictures))
    }


def _pictures(drawing: Drawing, sheet: Box) -> float:
    """The share of the page that pictures cover; more than 1 if they overlap."""
    pictures = (overlap(shape.box, sheet) for shape in drawing.shapes if shape.kind == "picture")
    return sum(map(_area, pictures)) / max(_area(sheet), 1.0)


def _reason(piece: Piece, sheet: Box) -> str:
    """Why a piece is hidden whatever else the page draws; "" if it may be seen."""
    if not _meet(piece.box, sheet):
        return "off_page"
    if piece.way == "clip" or not _meet(piece.box, piece.within):
        return "clipped"
    if piece.way == "none":
        return "invisible"
    if piece.opacity < LEAST_OPACITY:
        return "transparent"
    return "tiny" if piece.em < LEAST_EM else ""


def _doubts(
    pieces: Sequence[Piece], drawing: Drawing, certain: Container[int], *, keep_under_pictures: bool
) -> Iterator[tuple[int, str]]:
    """The other pieces that what the page draws may hide, and how. Raises CrowdedPageError."""
    shapes: Rows[Shape] = Rows()
    for shape in drawing.shapes:
        shapes.add(shape.box, shape)
    compared = 0
    for index, piece in enumerate(pieces):
        if index in certain or not all(map(math.isfinite, piece.box)):
            continue
        near = shapes.near(piece.box)
        compared += len(near) * len(piece.boxes)
        if compared > _MOST_COMPARED:
            raise CrowdedPageError
        over = [
            box
            for box, shape in near
            if shape.order > piece.order and not (keep_under_pictures and shape.kind == "picture")
        ]
        under = [shape for _, shape in near if shape.order < piece.order and _is_in(piece, [shape.box])]
        if _is_in(piece, over):
            yield index, "covered"
        elif not any(contains(piece.within, center) for center in piece.centers):
            yield index, "clipped"  # but for an edge
        elif piece.is_masked:
            yield index, "transparent"
        elif all(shape.kind == "fill" for shape in under) and any(
            is_close(piece.color, color) for color in (_WHITE, *(shape.color for shape in under))
        ):  # over a picture it is too doubtful
            yield index, "same_color"


def _is_in(piece: Piece, boxes: Sequence[Box]) -> bool:
    """Whether nearly all letters of a piece have their middle in one of the boxes."""
    centers = piece.centers
    inside = sum(any(contains(box, center) for box in boxes) for center in centers)
    return inside >= _MOSTLY * len(centers)


def _meet(one: Box, other: Box) -> bool:
    left, upper, right, lower = overlap(one, other)
    return left <= right and upper <= lower  # text without any size has its place too


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
