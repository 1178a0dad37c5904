"""A block of a page: what a reader sees as one heading, paragraph, list item, table, caption, picture or note."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from services.pdf.worker.boxes import Box

Type: TypeAlias = Literal[
    "heading",
    "text",
    "list",
    "table",
    "caption",
    "image",
    "footnote",
    "header",
    "footer",
]
"""What a block is. A list item is a block of its own. Headers and footers are running lines: no part of the body."""

MAX_LEVEL = 6
"""The deepest level of a heading."""


class Run(NamedTuple):
    """Neighbouring words of one line of a reading."""

    line: int
    """Index of the line in `Reading.lines`."""

    start: int
    """The first of its words, from 0."""

    stop: int
    """The word after the last."""

    box: Box
    """Around these words."""


@dataclass(slots=True)
class Block:
    """Blocks come in reading order, page by page."""

    page: int
    """From 1. A paragraph that goes on over a page is a block on each; see `continues`."""

    type: Type
    box: Box
    """Around all of it, in points from the top left of the page as a reader sees it."""

    runs: list[Run]
    """Its words in reading order, one run for each piece of a line; of an image those of its labels, if the model found
    it, else none."""

    text: str = ""
    """Its lines joined: words cut at a line's end are whole, and a line's end is a blank where it stands for one.

    The lines of a table and of a program end with line feeds.
    """

    level: int = 0
    """Of a heading, from 1 to `MAX_LEVEL`; else 0."""

    depth: int = 0
    """Of a list item, from 1, the outermost; else 0."""

    marker: str = ""
    """What a list item or a heading begins with, as it stands there: "①", "1.", "제3조", "•"; "" for none."""

    font: str = ""
    """Of most of its characters, without the mark of a subset; `size`, `bold` and `italic` likewise."""

    size: float = 0.0
    """Points."""

    bold: bool = False
    italic: bool = False
    confidence: float = 1.0
    """From 0 to 1: how sure the type is, times how sure its words are."""

    continues: bool = False
    """Whether it goes on with the body block before it, over the end of a column or a page."""

    is_note: bool = False
    """Whether it stands in the margin, beside the body: no text of the body goes on in it."""

    table: int | None = None
    """Of a table: its index among the page's tables as they were given."""

    @property
    def lines(self) -> list[int]:
        """The indices of the reading's lines that it has words of, each once, in order."""
        return list(dict.fromkeys(run.line for run in self.runs))
