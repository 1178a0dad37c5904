"""The headings of a document without an outline: those of its layout, and the titles of articles within their text."""

from collections.abc import Mapping

from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.layout.titles import Title, with_titles
from services.pdf.worker.outline_items import Entry
from services.pdf.worker.strings import fold
from services.pdf.worker.words import Reading


def find_headings(readings: Mapping[int, Reading]) -> list[Entry]:
    """The headings in the order of the document, on at most 6 levels, each with its box; none on a contents page."""
    return [_entry(block, title) for block, title in with_titles(blocks_of(readings)) if title is not None]


def _entry(block: Block, title: Title) -> Entry:
    return {"level": title.level, "title": fold(title.text), "page": block.page, "bbox": block.box.rectangle}
