"""Which pages must be read from their picture, because their text layer lacks what they show."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document
from services.pdf.worker.drawing import shows_letters
from services.pdf.worker.page_pictures import (
    Area,
    covered_areas,
    find_pictures,
    may_have_inline_pictures,
    may_have_pictures,
)
from services.pdf.worker.page_text import PlacedLetter, read_places
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


def wanted(document: Document, page: int, mode: str, text: str) -> Want | None:
    """Whether page `page` (from 1) must be read from its picture, and why.

    Args:
        document: The document.
        page: Page number, from 1.
        mode: "auto", "force", or "never": then only a page that has no text wants it.
        text: Its text layer as `page_text.read_as_mapped` gives it.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    if mode == FORCE:
        return Want("forced")
    if not text.strip():
        return Want("no_text") if _shows_something(document, page) else None
    if mode == NEVER:
        return None
    if is_unmapped(text):
        return Want("unmapped")
    if not _may_be_scanned(document, page, len(text)):
        return None
    return _want_of_pictures(document, page, text)


def is_scanned(document: Document, page: int, characters: int) -> bool:
    """Whether page `page` (from 1) is a picture of text, as far as can be told without reading it.

    Either it has no text, and pictures on a tenth of it; or pictures cover two fifths of it, with no more upon them
    than a stamp or what a program recognised. `characters` is how many its text layer has.

    Raises mupdf.FzErrorBase when the page cannot be parsed.
    """
    if characters and not _may_be_scanned(document, page, characters):
        return False
    areas = _areas(document, page)
    if not characters:
        return _share(areas) >= _SCAN_SHARE
    if _share(areas) < _SCANNED_SHARE:
        return False
    placed = read_places(document, page)
    if placed is None:
        return False
    letters = placed.letters
    scans = [area for area in areas if _is_recognised(area, letters) or not _is_under_text(area, letters)]
    return _share(scans) >= _SCANNED_SHARE


def _may_be_scanned(document: Document, page: int, characters: int) -> bool:
    """A quick look, which rules out most pages of text."""
    if may_have_pictures(document, page):
        return True
    return characters < _FEW and may_have_inline_pictures(document, page)


def _shows_something(document: Document, page: int) -> bool:
    return _share(_areas(document, page)) >= _SCAN_SHARE or shows_letters(document, page)


def _want_of_pictures(document: Document, page: int, text: str) -> Want | None:
    areas = _areas(document, page)
    if _share(areas) <= _PICTURE_SHARE:
        return None
    placed = read_places(document, page)
    if placed is None:
        return None
    unread, recognised = [], False
    for area in areas:
        if _is_recognised(area, placed.letters):
            recognised = True
        elif not _is_under_text(area, placed.letters):
            unread.append(area)
    if recognised and is_implausible(text):
        return Want("unmapped")
    if _share(unread) <= _PICTURE_SHARE:
        return None
    return Want("picture", [area.box for area in unread])


def _areas(document: Document, page: int) -> list[Area]:
    sheet, pictures = find_pictures(document, page)
    return covered_areas([picture.box for picture in pictures], sheet)


def _share(areas: Sequence[Area]) -> float:
    return sum(area.share for area in areas)


def _is_recognised(area: Area, letters: Sequence[PlacedLetter]) -> bool:
    return sum(not letter.visible and area.box.holds(letter.box.middle) for letter in letters) >= _LAYER


def _is_under_text(area: Area, letters: Sequence[PlacedLetter]) -> bool:
    seen = sum(letter.box.area for letter in letters if letter.visible and area.box.holds(letter.box.middle))
    return seen >= _STAMP * area.box.area
