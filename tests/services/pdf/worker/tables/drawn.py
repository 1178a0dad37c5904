"""Readings of pages that are drawn in the test, by coordinates from the top left."""

from collections.abc import Sequence
from typing import Any

from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Line, Reading, Style, in_units

WIDTH, HEIGHT = 595.0, 842.0
SIZE = 10.0
STYLES = [Style("Sans", SIZE, 0, 0), Style("Sans-Bold", SIZE, 16, 0)]
LETTER = 5.0
"""Points that each letter is wide."""

XS = [60.0, 180.0, 300.0, 420.0]
TEXTS = [["Name", "Kind", "Amount"], ["Paper", "A4", "738,117"], ["Pens", "blue", "1,200"], ["Ink", "black", "90"]]
OPEN = [["Name", "Kind", "Amount"], ["Paper", "A4", "738,117"], ["Pens", "blue", "1,200"], ["Ink", "black", "90"]]


class Page:
    """A page to draw on."""

    def __init__(self) -> None:
        self.reading = Reading(WIDTH, HEIGHT, 0, STYLES, [])

    def write(self, x: float, y: float, text: str, *, bold: bool = False) -> None:
        """A line whose letters reach from y to 10 points below."""
        boxes: list[int] = []
        at = x
        for word in text.split():
            boxes += in_units([at, y, at + LETTER * len(word), y + SIZE])
            at += LETTER * (len(word) + 0.5)
        self.reading.lines.append(
            Line(text, len(self.reading.lines), boxes=boxes, styles=[int(bold)] * len(text.split()))
        )

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.reading.rules += in_units([x0, y0, x1, y1])

    def grid(self, xs: Sequence[float], ys: Sequence[float], texts: Sequence[Sequence[str]] = ()) -> None:
        """All lines of a table, and a line of text in each cell."""
        for y in ys:
            self.rule(xs[0], y, xs[-1], y)
        for x in xs:
            self.rule(x, ys[0], x, ys[-1])
        self.fill(xs, ys, texts)

    def fill(self, xs: Sequence[float], ys: Sequence[float], texts: Sequence[Sequence[str]]) -> None:
        """A line of text at the place of each cell."""
        for y, row in zip(ys, texts, strict=False):
            for x, text in zip(xs, row, strict=False):
                if text:
                    self.write(x + 4, y + 4, text)

    def prose(self, top: float, lines: int, left: float = 57, width: float = 470) -> None:
        """Lines that fill the width."""
        for index in range(lines):
            self.write(left, top + 14 * index, ("lorem ipsum dolor sit amet " * 20)[: int(width / LETTER)].strip())


def rows_from(top: float, count: int, height: float = 20) -> list[float]:
    return [top + height * index for index in range(count + 1)]


def tables_of(*pages: Page) -> list[Table]:
    """The tables on these pages, numbered from 1."""
    return find_tables({number: page.reading for number, page in enumerate(pages, 1)})


def texts_of(table: Table) -> list[list[Any]]:
    """The text of each cell, at its place; None where another spans."""
    grid: list[list[Any]] = [[None] * table.columns for _ in table.rows]
    for row, cells in zip(grid, table.rows, strict=True):
        for cell in cells:
            row[cell.column] = cell.text
    return grid
