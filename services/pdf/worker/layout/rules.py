"""The blocks of a document by rules: order by place, kinds by look, number and what other pages have alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Block, Type
from services.pdf.worker.layout.composing import block_of, block_of_kind, solid_of, without_place
from services.pdf.worker.layout.kinds import Kinded, goes_on, kinds_of
from services.pdf.worker.layout.levels import set_depths, set_levels
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.order import Column, Row, columns_of, outer_rows_of, rows_of
from services.pdf.worker.layout.paragraphs import Paragraph, paragraphs_of
from services.pdf.worker.layout.pieces import (
    Direction,
    Look,
    Piece,
    in_frame,
    is_right_to_left,
    letters_of,
    pieces_of,
)
from services.pdf.worker.layout.running import ROWS_NEEDED, Sheet, find_running
from services.pdf.worker.layout.typography import Typography, half_points, measure
from services.pdf.worker.words import Reading

_NO_LOOK = Look("", 0.0, bold=False, italic=False)
_UPRIGHT: Direction = (1, 0)


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
    carry_on(kinded)
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
    for look, count in letters_of(chain.from_iterable(page.pieces for page in pages)).items():
        letters[half_points(look.size)] += count
    body_size = letters.most_common(1)[0][0] if letters else 0.0
    sheets = {}
    for page in pages:
        _, top, _, bottom = page.frame
        sheets[page.number] = Sheet(outer_rows_of(page.pieces, ROWS_NEEDED), top, bottom, body_size)
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


def carry_on(kinded: Mapping[int, Sequence[Kinded]]) -> None:
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
    heads = [block_of(page.number, [row], kind, ends, sure) for row, kind, sure in page.running if kind == "header"]
    feet = [block_of(page.number, [row], kind, ends, sure) for row, kind, sure in page.running if kind == "footer"]
    found = heads
    for each in body:
        solid = each.paragraph.first.solid
        if solid >= 0:
            found.append(_solid(page, solid))
            continue
        found.append(block_of_kind(page.number, each, ends))
    return found + _others(page, ends) + feet[::-1]


def _others(page: _Page, ends: LineEnds) -> list[Block]:
    """What runs in another direction than the page's text, and what has no place."""
    found = []
    for pieces in page.others.values():
        for column in columns_of(pieces):
            found += [block_of(page.number, [row], "text", ends, 0.5) for row in column.rows]
    return found + without_place(page.number, page.reading, page.left)


def _solid(page: _Page, index: int) -> Block:
    kind, box = page.solids[index]
    block = solid_of(page.number, rows_of(page.inside[index], right_to_left=page.right_to_left), kind, box)
    block.table = index if kind == "table" else None
    return block
