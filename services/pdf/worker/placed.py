"""The letters of a page's text layer at their places, and whether one sees them."""

from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.look import MOST_CHARACTERS, Look
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_lines import is_straight

_SEEN = mupdf.FZ_STEXT_FILLED | mupdf.FZ_STEXT_STROKED


class PlacedLetter(NamedTuple):
    """A letter of a line that runs across or down."""

    text: str
    box: Box
    visible: bool


def placed_letters(look: Look) -> list[PlacedLetter] | None:
    """Those of a page, white space aside; None if there are too many for that."""
    if len(look.text) > MOST_CHARACTERS:
        return None
    return [
        PlacedLetter(each["c"], Box(*each["bbox"]), bool(span["char_flags"] & _SEEN and span["alpha"]))
        for block in look.blocks
        for line in block["lines"]
        if is_straight(line["dir"])
        for span in line["spans"]
        for each in span["chars"]
        if not each["c"].isspace()
    ]
