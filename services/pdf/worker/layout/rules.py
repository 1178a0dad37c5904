"""The blocks of a document by rules: order by place, kinds by look, number and what other pages have alike."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Block, Run, Type
from services.pdf.worker.layout.kinds import Kinded, goes_on, kinds_of
from services.pdf.worker.layout.levels import set_depths, set_levels
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.order import Column, Row, columns_of, rows_of
from services.pdf.worker.layout.paragraphs import Paragraph, is_of_one_width, paragraphs_of
from services.pdf.worker.layout.pieces import (
    Direction,
    Look,
    Piece,
    in_frame,
    is_right_to_left,
    pieces_of,
)
from services.pdf.worker.layout.running import Sheet, find_running
from services.pdf.worker.layout.typography import Typography, half_points, measure
from services.pdf.worker.words import Reading

_NO_LOOK = Look("", 0.0, bold=False, italic=False)
_UPRIGHT: Direction = (1, 0)

_MOST_INDENT = 80
"""Blanks before a line of a program."""


@dataclass(slots=True)
class _Page:
    """A page on its way to blocks."""

    number: int
    reading: Reading
    direction: Direction
    pieces: list[Piece]
    """In the frame of its main direction: not what stands in tables, but one for each table and picture."""

    others: dict[Direction, list[Piece]]
    left: list[int]
    """Lines that are no part of the pieces."""

    solids: list[tuple[Type, Box]]
    inside: list[list[Piece]]
    """Of each solid the pieces in it."""

    right_to_left: bool
    running: list[tuple[Row, Type, float]] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        return in_frame((0, 0, self.reading.width, self.reading.height), self.direction)


def blocks_of(
    readings: Mapping[int, Reading],
    tables: Mapping[int, Sequence[Box]] | None = None,
    pictures: Mapping[int, Sequence[Box]] | None = None,
    ends: LineEnds | None = None,
) -> list[Block]:
    """The blocks of these pages in reading order, headers first and footers last on each page.

    Pages count from 1. `tables` and `pictures` have the boxes of those of each page, `ends` how their lines end. What
    tells running lines, headings and body text apart is what the pages have in common: one page alone is judged by
    less, with less confidence.
    """
    pages = [
        _page(number, reading, (tables or {}).get(number, ()), (pictures or {}).get(number, ()))
        for number, reading in readings.items()
    ]
    _set_running_apart(pages)
    for page in pages:
        page.columns = columns_of(page.pieces, right_to_left=page.right_to_left)
    typography = measure(chain.from_iterable(page.columns for page in pages))
    ends = ends or LineEnds(readings.values())
    kinded = {page.number: _kinds(page, typography, ends, is_first=page is pages[0]) for page in pages}
    body = list(chain.from_iterable(kinded.values()))
    _carry_on(kinded)
    set_levels([each for each in body if each.type == "heading"], typography)
    set_depths(body)
    return [block for page in pages for block in _blocks(page, kinded[page.number], ends)]


def _page(number: int, reading: Reading, tables: Sequence[Box], pictures: Sequence[Box]) -> _Page:
    found, left = pieces_of(reading)
    direction = max(found, key=lambda each: sum(len(piece.text) for piece in found[each]), default=_UPRIGHT)
    if direction == (0, 0):
        direction = _UPRIGHT
    solids: list[tuple[Type, Box]] = [("table", box) for box in tables]
    solids += [("image", box) for box in pictures]
    inside: list[list[Piece]] = [[] for _ in solids]
    pieces: list[Piece] = []
    for piece in found.pop(direction, []):
        holder = _holder(piece, solids)
        (pieces if holder is None else inside[holder]).append(piece)
    for index, (_, box) in enumerate(solids):
        pieces.append(Piece(*in_frame(box, direction), "", _NO_LOOK, solid=index))
    return _Page(number, reading, direction, pieces, found, left, solids, inside, is_right_to_left(pieces))


def _holder(piece: Piece, solids: Sequence[tuple[Type, Box]]) -> int | None:
    """The table that a piece stands in."""
    if piece.run is not None:
        middle = piece.run.box.middle
        for index, (kind, box) in enumerate(solids):
            if kind == "table" and box.holds(middle):
                return index
    return None


def _set_running_apart(pages: Sequence[_Page]) -> None:
    letters: Counter[float] = Counter()
    for page in pages:
        for piece in page.pieces:
            letters[half_points(piece.size)] += len(piece.text)
    body_size = letters.most_common(1)[0][0] if letters else 0.0
    sheets = {}
    for page in pages:
        _, top, _, bottom = page.frame
        sheets[page.number] = Sheet(rows_of(page.pieces), top, bottom, body_size)
    found = find_running(sheets)
    for page in pages:
        page.running = [*found.get(page.number, [])]
        gone = {id(piece) for row, _, _ in page.running for piece in row.pieces}
        page.pieces = [piece for piece in page.pieces if id(piece) not in gone]


def _kinds(page: _Page, typography: Typography, ends: LineEnds, *, is_first: bool) -> list[Kinded]:
    paragraphs: list[Paragraph] = []
    for column in page.columns:
        paragraphs += paragraphs_of(
            column, typography, breaks_words=ends.are_anywhere, right_to_left=page.right_to_left
        )
    _, top, _, bottom = page.frame
    found = kinds_of(paragraphs, typography, (top, bottom), is_first_page=is_first)
    for each in found:
        solid = each.paragraph.first.solid
        if solid >= 0:
            each.type = page.solids[solid][0]
    return found


def _carry_on(kinded: Mapping[int, Sequence[Kinded]]) -> None:
    """Marks text that goes on in another column or on the next page; what goes on with an item is part of the list."""
    flow = [
        (page, each)
        for page, body in kinded.items()
        for each in body
        if each.type in {"heading", "text", "list"} and not each.paragraph.column.is_note
    ]
    for (page, before), (following, each) in pairwise(flow):
        if following - page > 1 or each.type != "text" or before.type == "heading":
            continue
        if before.paragraph.column is not each.paragraph.column and goes_on(before.paragraph, each.paragraph):
            each.continues = True
            each.type, each.confidence = before.type, min(each.confidence, before.confidence, 0.9)


def _blocks(page: _Page, body: Sequence[Kinded], ends: LineEnds) -> list[Block]:
    heads = [_of_rows(page, [row], kind, ends, sure) for row, kind, sure in page.running if kind == "header"]
    feet = [_of_rows(page, [row], kind, ends, sure) for row, kind, sure in page.running if kind == "footer"]
    found = heads
    for each in body:
        solid = each.paragraph.first.solid
        if solid >= 0:
            found.append(_solid(page, solid))
            continue
        block = _of_rows(page, each.paragraph.rows, each.type, ends, each.confidence)
        block.level, block.depth, block.continues = each.level, each.depth, each.continues
        block.marker = each.number.marker if each.number is not None else ""
        block.is_note = each.paragraph.column.is_note
        found.append(block)
    return found + _others(page, ends) + feet[::-1]


def _others(page: _Page, ends: LineEnds) -> list[Block]:
    """What runs in another direction than the page's text, and what has no place."""
    found = []
    for pieces in page.others.values():
        for column in columns_of(pieces):
            found += [_of_rows(page, [row], "text", ends, 0.5) for row in column.rows]
    if page.left:
        lines = [page.reading.lines[index] for index in page.left]
        box = Box(0.0, 0.0, page.reading.width, page.reading.height)
        runs = [Run(index, 0, len(line.text.split()), box) for index, line in zip(page.left, lines, strict=True)]
        text = "\n".join(line.text.strip() for line in lines)
        found.append(Block(page.number, "text", box, runs, text, confidence=0.3))
    return found


def _solid(page: _Page, index: int) -> Block:
    kind, box = page.solids[index]
    rows = rows_of(page.inside[index], right_to_left=page.right_to_left)
    runs = [piece.run for row in rows for piece in row.pieces if piece.run is not None]
    text = "\n".join(row.text for row in rows)
    block = Block(page.number, kind, box, runs, text, table=index if kind == "table" else None)
    if rows:
        _set_look(block, [piece for row in rows for piece in row.pieces])
    return block


def _of_rows(page: _Page, rows: Sequence[Row], kind: Type, ends: LineEnds, confidence: float) -> Block:
    pieces = [piece for row in rows for piece in row.pieces]
    runs = [piece.run for piece in pieces if piece.run is not None]
    box = runs[0].box
    for run in runs[1:]:
        box = box.around(run.box)
    is_code = kind == "text" and all(map(is_of_one_width, rows))
    text = "\n".join(_indented(rows)) if is_code else ends.join([row.text for row in rows])
    block = Block(page.number, kind, box, runs, text)
    _set_look(block, pieces)
    block.confidence = round(confidence * block.confidence, 3)
    return block


def _indented(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a program, as many blanks before each as letters would have room there."""
    left = min(row.x0 for row in rows)
    for row in rows:
        first = row.pieces[0]
        advance = first.width / len(first.text)
        indent = round((row.x0 - left) / advance) if advance > 0 else 0
        yield " " * min(indent, _MOST_INDENT) + row.text


def _set_look(block: Block, pieces: Sequence[Piece]) -> None:
    letters: Counter[Look] = Counter()
    sure = 0.0
    for piece in pieces:
        letters[piece.look] += len(piece.text)
        sure += piece.confidence * len(piece.text)
    look = letters.most_common(1)[0][0]
    block.font, block.size, block.bold, block.italic = look.font, look.size, look.bold, look.italic
    block.confidence = sure / max(letters.total(), 1)
