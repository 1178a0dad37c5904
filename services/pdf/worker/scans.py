"""Which pages must be read from their picture, because their text layer lacks what they show."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.drawing import shows_letters
from services.pdf.worker.look import Look
from services.pdf.worker.page_pictures import (
    Area,
    covered_areas,
    may_have_inline_pictures,
    may_have_pictures,
)
from services.pdf.worker.placed import PlacedLetter, placed_letters
from services.pdf.worker.rotten import is_implausible, is_unmapped

AUTO, NEVER, FORCE = "auto", "never", "force"

Reason = Literal["no_text", "picture", "unmapped", "forced"]

_SCAN_SHARE = 0.1
"""Share of a page without text that pictures cover if it is a scan, at least: a page with only a logo is not one."""

_PICTURE_SHARE = 0.3
"""The same for a page with text, of pictures whose text the layer lacks."""

_SCANNED_SHARE = 0.4
"""Share of a page with text that pictures cover if the page is called scanned."""

_FEW = 400
"""A page with fewer letters is looked at in any case: its picture may be an inline one."""

_STAMP = 0.03
"""Share of a picture under the boxes of the letters upon it. A page of text has .15 and more, a stamp .005."""

_LAYER = 10
"""Letters that nobody sees upon a picture, if it has been recognised before, at least."""


class Want(NamedTuple):
    """A page that must be read from its picture."""

    reason: Reason
    """"no_text": no letters, but a picture or outlines of some; "picture": its pictures show more than its text layer
    has; "unmapped": its letters have no meaning; "forced": the caller wants it."""

    areas: Sequence[Box] = ()
    """What to read; all of the page if there are none."""


class Verdict(NamedTuple):
    """What is to be thought of a page."""

    want: Want | None
    """Why it should be read from its picture; None if it should not."""

    is_scan: bool
    """Whether it is a picture of text, as far as can be told without reading it.

    Either it has no text, and pictures on a tenth of it; or pictures cover two fifths of it, with no more upon them
    than a stamp or what a program recognised.
    """


def judge(look: Look, text: str) -> Verdict:
    """Whether a page must be read from its picture, and why. `text` is its layer's, as `reading.Layer.mapped` has it.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    if not text.strip():
        share = _share(_areas(look))
        shows = share >= _SCAN_SHARE or shows_letters(look.document, look.page)
        return Verdict(Want("no_text") if shows else None, share >= _SCAN_SHARE)
    if not _may_be_scanned(look, len(text)):
        return Verdict(Want("unmapped") if is_unmapped(text) else None, is_scan=False)
    areas = _areas(look)
    letters = placed_letters(look) if _share(areas) > _PICTURE_SHARE else None
    if letters is None:
        return Verdict(Want("unmapped") if is_unmapped(text) else None, is_scan=False)
    unread, recognised = [], []
    for area in areas:
        if _is_recognised(area, letters):
            recognised.append(area)
        elif not _is_under_text(area, letters):
            unread.append(area)
    is_scan = _share(unread + recognised) >= _SCANNED_SHARE
    if is_unmapped(text) or (recognised and is_implausible(text)):
        return Verdict(Want("unmapped"), is_scan)
    if _share(unread) > _PICTURE_SHARE:
        return Verdict(Want("picture", [area.box for area in unread]), is_scan)
    return Verdict(None, is_scan)


def _may_be_scanned(look: Look, characters: int) -> bool:
    """A quick look, which rules out most pages of text."""
    if may_have_pictures(look.document, look.page):
        return True
    return characters < _FEW and may_have_inline_pictures(look.document, look.page)


def _areas(look: Look) -> list[Area]:
    return covered_areas(look.pictures, look.sheet)


def _share(areas: Sequence[Area]) -> float:
    return sum(area.share for area in areas)


def _is_recognised(area: Area, letters: Sequence[PlacedLetter]) -> bool:
    return sum(not letter.visible and area.box.holds(letter.box.middle) for letter in letters) >= _LAYER


def _is_under_text(area: Area, letters: Sequence[PlacedLetter]) -> bool:
    seen = sum(letter.box.area for letter in letters if letter.visible and area.box.holds(letter.box.middle))
    return seen >= _STAMP * area.box.area
