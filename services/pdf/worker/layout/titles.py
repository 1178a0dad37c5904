"""The blocks of a document that have a title, and how deep it stands: headings, and articles that begin with theirs."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.pdf.worker.layout.blocks import MAX_LEVEL, Block
from services.pdf.worker.layout.numbering import STRUCTURE, Kind, read, title_end
from services.pdf.worker.strings import fold

_ABOVE_ARTICLES: frozenset[Kind | None] = frozenset([None, *STRUCTURE]) - {"article"}


MAX_TITLE = 200
"""Characters of a title in a path, at most."""


class Title(NamedTuple):
    """Of what follows it."""

    text: str
    level: int
    """From 1 to `MAX_LEVEL`."""


def with_titles(blocks: Iterable[Block]) -> Iterator[tuple[Block, Title | None]]:
    """Each block, in order, with the title that it is or begins with: "제3조(정의) 이 규정에서 …" begins with one."""
    above = 0  # the level of the last heading under which articles stand
    for block in blocks:
        number = read(block.marker) if block.marker else None
        title = None
        if block.type == "heading":
            title = Title(block.text, block.level)
            if (number.kind if number else None) in _ABOVE_ARTICLES:
                above = block.level
        elif block.type == "text" and number is not None and number.kind == "article":
            end = title_end(block.text)
            if end > number.end:
                title = Title(block.text[:end], min(above + 1, MAX_LEVEL))
        yield block, title


def above(title: Title, titles: Iterable[Title]) -> list[Title]:
    """Those of the titles before it that it stands under."""
    return [each for each in titles if each.level < title.level]


def path_of(titles: Iterable[Title]) -> tuple[str, ...]:
    """The titles as something below them cites them, outermost first."""
    return tuple(fold(title.text)[:MAX_TITLE] for title in titles)
