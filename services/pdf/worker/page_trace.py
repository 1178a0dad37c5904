"""What a page draws, in order: pieces of text and the shapes among them.

MuPDF numbers what it draws; PyMuPDF's trace of the text and the device here count alike, so that it is known what came
before and what after.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.pieces import Piece, Place, cut_span, letter
from services.pdf.worker.recorder import Recorder, Shape
from services.pdf.worker.sheet import EVERYWHERE, CrowdedPageError, Sheet


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a page draws."""

    pieces: list[Piece]
    shapes: list[Shape]


def trace(sheet: Sheet, area: Box = EVERYWHERE) -> Drawing:
    """Follows how a page is drawn, or what touches an area of it; numbers hold for that area.

    Raises CrowdedPageError, and as `Sheet.draw` does.
    """
    recorder = Recorder()
    sheet.draw(recorder, area, cookie=recorder.cookie)
    if recorder.is_crowded:
        raise CrowdedPageError
    pieces: list[Piece] = []
    for order, index, first, span in _spans(sheet, area):
        pieces += cut_span(span, first, recorder.look(order, index))
    pieces += (clip for clip, is_painted in recorder.clips if not is_painted and clip.origins)
    return Drawing(pieces, recorder.shapes)


def find_pictures(sheet: Sheet) -> list[Shape]:
    """All pictures that a page draws, at a fraction of the cost of following the rest; raises as `trace` does."""
    recorder = Recorder(pictures_only=True)
    sheet.draw(recorder, cookie=recorder.cookie)
    if recorder.is_crowded:
        raise CrowdedPageError
    return recorder.shapes


def find_texts(sheet: Sheet, area: Box, pieces: Sequence[Piece]) -> list[set[int]]:
    """Of each piece, in which texts it is, by their numbers in the area; raises as `Sheet.draw` does."""
    wanted = [set(piece.places) for piece in pieces]
    known = set().union(*wanted)
    found: defaultdict[int, set[Place]] = defaultdict(set)
    for order, _, _, span in _spans(sheet, area):
        places = ((origin, letter(code)) for code, _, origin, _ in span["chars"])
        found[order].update(place for place in places if place in known)
    return [{order for order, places in found.items() if places >= each} for each in wanted]


def _spans(sheet: Sheet, area: Box) -> Iterator[tuple[int, int, int, dict[str, Any]]]:
    """The spans of PyMuPDF's trace: each text's number, which of its spans, after how many letters, and the span."""
    spans: list[dict[str, Any]] = []
    sheet.draw(pymupdf.extra.JM_new_texttrace_device(spans), area)
    before: dict[int, tuple[int, int]] = {}
    for span in spans:
        order = span["seqno"]
        index, first = before.get(order, (0, 0))
        if span["chars"]:
            yield order, index, first, span
            before[order] = index + 1, first + len(span["chars"])
