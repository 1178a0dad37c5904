"""What a page draws, in order: pieces of text and the shapes among them.

MuPDF numbers what it draws; PyMuPDF's trace of the text and the device here count alike, so that it is known what came
before and what after.
"""

from dataclasses import dataclass
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.pieces import Piece, cut_span
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
    spans: list[dict[str, Any]] = []
    sheet.draw(pymupdf.extra.JM_new_texttrace_device(spans), area)
    pieces: list[Piece] = []
    seen: dict[int, tuple[int, int]] = {}
    for span in spans:
        order = span["seqno"]
        index, first = seen.get(order, (0, 0))
        if span["chars"]:
            pieces += cut_span(span, first, recorder.look(order, index))
            seen[order] = index + 1, first + len(span["chars"])
    pieces += (clip for clip, is_painted in recorder.clips if not is_painted and clip.origins)
    return Drawing(pieces, recorder.shapes)
