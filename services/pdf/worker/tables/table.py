"""A table as it was found: rows of cells, and where on which pages it stands."""

from dataclasses import dataclass, field

from services.pdf.worker.boxes import Box


@dataclass(slots=True)
class Cell:
    """One cell; one that spans several rows or columns stands in the first of its rows only."""

    text: str
    """Its lines, with a line feed between them; "" for an empty cell."""

    row_span: int
    """How many rows it covers, from 1."""

    column_span: int
    """How many columns it covers, from 1."""

    box: Box
    """On the page where its row stands."""

    column: int = 0
    """The first column that it covers, from 0."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a table goes on: on a later page, or in the next column of its page."""

    page: int
    """From 1."""

    box: Box
    row: int
    """Its first row, from 0, among those of the whole table; a repeated head is not counted."""


@dataclass(slots=True)
class Table:
    """A table, all parts of it joined."""

    page: int
    """Where it begins, from 1."""

    box: Box
    """Around what stands there."""

    columns: int
    """How many it has, from 2."""

    header_rows: int
    """How many of the first rows are its head; 0 where nothing tells a head from the rest."""

    rows: list[list[Cell]]
    """From top to bottom, each from left to right."""

    is_ruled: bool = True
    """Whether lines were drawn between its cells; else its cells follow from where words stand."""

    continues: list[Part] = field(default_factory=list)
    """Where it goes on; empty for a table in one piece."""

    @property
    def text(self) -> str:
        """All of its cells, with blanks between them."""
        return " ".join(cell.text for row in self.rows for cell in row if cell.text)
