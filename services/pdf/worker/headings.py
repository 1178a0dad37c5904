"""The headings of a document without an outline: those of its layout, and the titles of articles within their text."""

from collections.abc import Iterable, Iterator, Mapping

from services.pdf.worker.layout.blocks import MAX_LEVEL, Block
from services.pdf.worker.layout.numbering import STRUCTURE, Kind, read, title_end
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.outline_items import Entry, Place
from services.pdf.worker.strings import fold
from services.pdf.worker.words import Reading

_ABOVE_ARTICLES: frozenset[Kind | None] = frozenset([None, *STRUCTURE]) - {"article"}


def find_headings(readings: Mapping[int, Reading]) -> list[Entry]:
    """The headings in the order of the document, on at most 6 levels, each with its box; none on a contents page."""
    return [heading for _, heading in walk(blocks_of(readings)) if heading is not None]


def walk(blocks: Iterable[Block]) -> Iterator[tuple[Block, Entry | None]]:
    """Each block of a document, in order, with the heading that it is or begins with."""
    above = 0  # the level of the last heading under which articles stand
    for block in blocks:
        number = read(block.marker) if block.marker else None
        heading = None
        if block.type == "heading":
            heading = _entry(block, block.text, block.level)
            if (number.kind if number else None) in _ABOVE_ARTICLES:
                above = block.level
        elif block.type == "text" and number is not None and number.kind == "article":
            end = title_end(block.text)
            if end > number.end:  # "제3조(정의) 이 규정에서 …"
                heading = _entry(block, block.text[:end], min(above + 1, MAX_LEVEL))
        yield block, heading


def _entry(block: Block, title: str, level: int) -> Entry:
    edges: Place = {name: round(edge, 2) for name, edge in block.box._asdict().items()}
    return {"level": level, "title": fold(title), "page": block.page, "bbox": edges}
