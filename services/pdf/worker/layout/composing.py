"""Rows as blocks: their words, their text as a reader would write it down, and what most of their letters look like."""

from collections.abc import Iterator, Sequence

from services.pdf.worker.boxes import Box, around
from services.pdf.worker.layout.blocks import Block, Run, Type
from services.pdf.worker.layout.kinds import Kinded
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.order import Row
from services.pdf.worker.layout.paragraphs import is_of_one_width
from services.pdf.worker.layout.pieces import Piece, letters_of
from services.pdf.worker.words import Reading

_MOST_INDENT = 80
"""Blanks before a line of a program."""


def block_of(page: int, rows: Sequence[Row], kind: Type, ends: LineEnds, confidence: float) -> Block:
    """The block that these rows make, one at least; `confidence` is how sure its kind is."""
    pieces = [piece for row in rows for piece in row.pieces]
    runs = [piece.run for piece in pieces if piece.run is not None]
    box = around([run.box for run in runs])
    is_code = kind == "text" and all(map(is_of_one_width, rows))
    text = "\n".join(_indented(rows)) if is_code else ends.join([row.text for row in rows])
    block = Block(page, kind, box, runs, text)
    _set_look(block, pieces)
    block.confidence = round(confidence * block.confidence, 3)
    return block


def block_of_kind(page: int, kinded: Kinded, ends: LineEnds) -> Block:
    """The block of a paragraph whose kind, level and depth are known."""
    block = block_of(page, kinded.paragraph.rows, kinded.type, ends, kinded.confidence)
    block.level, block.depth, block.continues = kinded.level, kinded.depth, kinded.continues
    block.marker = kinded.number.marker if kinded.number is not None else ""
    block.is_note = kinded.paragraph.column.is_note
    return block


def solid_of(page: int, rows: Sequence[Row], kind: Type, box: Box) -> Block:
    """A table or a picture in this box; `rows` are what stands in it, if anything does."""
    runs = [piece.run for row in rows for piece in row.pieces if piece.run is not None]
    block = Block(page, kind, box, runs, "\n".join(row.text for row in rows))
    if rows:
        _set_look(block, [piece for row in rows for piece in row.pieces])
    return block


def without_place(page: int, reading: Reading, left: Sequence[int]) -> list[Block]:
    """The lines of a reading that have no place, or are too many, as one block, if there are any."""
    if not left:
        return []
    lines = [reading.lines[index] for index in left]
    box = Box(0.0, 0.0, reading.width, reading.height)
    runs = [Run(index, 0, len(line.text.split()), box) for index, line in zip(left, lines, strict=True)]
    return [Block(page, "text", box, runs, "\n".join(line.text.strip() for line in lines), confidence=0.3)]


def _indented(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a program, as many blanks before each as letters would have room there."""
    left = min(row.x0 for row in rows)
    for row in rows:
        first = row.pieces[0]
        advance = first.width / len(first.text)
        indent = round((row.x0 - left) / advance) if advance > 0 else 0
        yield " " * min(indent, _MOST_INDENT) + row.text


def _set_look(block: Block, pieces: Sequence[Piece]) -> None:
    letters = letters_of(pieces)
    sure = sum([piece.confidence * len(piece.text) for piece in pieces])
    look = max(letters, key=letters.__getitem__)
    block.font, block.size, block.bold, block.italic = look.font, look.size, look.bold, look.italic
    block.confidence = sure / max(sum(letters.values()), 1)
