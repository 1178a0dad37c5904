"""The blocks of pages with their tables and pictures in place, for views that follow a document's structure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.tables.table import Cell, Part, Table
from services.pdf.worker.words import Reading

_MOST_COMPARED = 1_000_000
"""Pictures and words. On a page with more, no picture is a block: they are the pieces of a drawing, or of a ground."""


class Structure(NamedTuple):
    """Of some pages."""

    blocks: list[Block]
    """In reading order; see `blocks_of`."""

    tables: Mapping[int, Sequence[Table]]
    """By page, what each block's `table` is the index of. One that goes on over pages or columns is there for each
    part."""

    ends: LineEnds
    """How the lines of these pages end: what to join more of them with."""

    def table_of(self, block: Block) -> Table | None:
        """The table that a block is, or is a part of; None if it is none."""
        return None if block.table is None else self.tables[block.page][block.table]

    def rows_of(self, block: Block) -> Sequence[Sequence[Cell]]:
        """The rows of its table that a block has; none if it is no table."""
        table = self.table_of(block)
        if table is None:
            return []
        parts = [Part(table.page, table.box, 0), *table.continues]
        number = next(at for at, part in enumerate(parts) if (part.page, part.box) == (block.page, block.box))
        end = parts[number + 1].row if number + 1 < len(parts) else len(table.rows)
        return table.rows[parts[number].row : end]


def structure_of(
    readings: Mapping[int, Reading],
    pictures: Mapping[int, Sequence[Box]] | None = None,
    cut: Callable[[Table], Sequence[Table]] = lambda table: [table],
) -> Structure:
    """The structure of pages, by their numbers from 1.

    `pictures` are those that are blocks, by page; by default those that stand beside the text of a page. `cut` may make
    several of a table that was found.
    """
    boxes: defaultdict[int, list[Box]] = defaultdict(list)
    tables: defaultdict[int, list[Table]] = defaultdict(list)
    for table in chain.from_iterable(map(cut, find_tables(readings))):
        for page, box in ((table.page, table.box), *((part.page, part.box) for part in table.continues)):
            boxes[page].append(box)
            tables[page].append(table)
    if pictures is None:
        pictures = {page: _pictures(reading) for page, reading in readings.items()}
    ends = LineEnds(readings.values())
    return Structure(blocks_of(readings, boxes, pictures, ends), tables, ends)


def _pictures(reading: Reading) -> list[Box]:
    """The pictures of a page that stand beside its text: not the scan under it, nor a ground on which it is written."""
    boxes = list(boxes_in(reading.pictures))
    if not boxes:
        return []
    middles = [
        Box(*word.box).middle for line in reading.lines if not line.hidden for word in reading.words(line) if word.box
    ]
    if len(boxes) * len(middles) > _MOST_COMPARED:
        return []
    return [box for box in boxes if not any(map(box.holds, middles))]
