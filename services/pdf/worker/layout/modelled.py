"""The blocks of a document in the boxes that the layout model found: its kinds and its order, and the page's words.

The model tells boxes apart (`services.pdf.worker.layout_model`). Words come from the page's reading, and levels, depths
and what goes on over a column's end from the same rules as without it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, get_args

from services.pdf.worker.boxes import Box
from services.pdf.worker.layout.blocks import Block, Type
from services.pdf.worker.layout.composing import block_of_kind, solid_of, without_place
from services.pdf.worker.layout.kinds import Kinded
from services.pdf.worker.layout.levels import set_depths, set_levels
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.numbering import read
from services.pdf.worker.layout.order import Column, Row, columns_of, rows_of
from services.pdf.worker.layout.paragraphs import Paragraph, paragraphs_of
from services.pdf.worker.layout.pieces import Direction, Piece, is_right_to_left, pieces_of
from services.pdf.worker.layout.rules import carry_on
from services.pdf.worker.layout.typography import Typography, measure
from services.pdf.worker.words import Reading

_MARGIN = 1.0
"""Points by which words may stand out of their box."""

_SURE = 0.95
"""How sure a kind is: the model does not say."""

_LEFT_OUT = 0.5
"""The same for words that it has in no box."""

_TYPES: tuple[Type, ...] = get_args(Type)
_SOLID: frozenset[Type] = frozenset(["table", "image"])
_RUNNING: frozenset[Type] = frozenset(["header", "footer"])


@dataclass(slots=True, eq=False)
class _Boxed:
    """A box and what stands in it."""

    type: Type
    box: Box
    confidence: float = _SURE
    pieces: dict[Direction, list[Piece]] = field(default_factory=dict)

    def add(self, piece: Piece, direction: Direction) -> None:
        """Puts a piece in."""
        self.pieces.setdefault(direction, []).append(piece)

    def rows(self, *, right_to_left: bool) -> list[Row]:
        """Row by row; what runs in another direction than most of it comes last."""
        by_letters = sorted(self.pieces.values(), key=lambda each: -sum(len(piece.text) for piece in each))
        return [row for pieces in by_letters for row in rows_of(pieces, right_to_left=right_to_left)]


@dataclass(slots=True)
class _Page:
    number: int
    reading: Reading
    boxed: list[_Boxed]
    columns: Mapping[int, Column]
    """By the identity of a piece, the column that it stands in."""

    left: list[int]
    right_to_left: bool


def blocks_in(readings: Mapping[int, Reading], boxes: Mapping[int, Sequence[Sequence[Any]]]) -> list[Block]:
    """The blocks of these pages in reading order, headers first and footers last on each page.

    `boxes` has those of each page, as `layout_model.find_boxes` gives them. Every word that a reader sees is in one
    block: in the smallest box that has its middle, or in a text of its own where none has. Raises ValueError for
    anything that is no box.
    """
    pages = [_page(number, reading, boxes.get(number, ())) for number, reading in readings.items()]
    columns = {id(column): column for page in pages for column in page.columns.values()}
    typography = measure(columns.values())
    ends = LineEnds(readings.values())
    found = {page.number: list(_kinded(page, typography, ends)) for page in pages}
    body = {
        number: [each for each in of_page if isinstance(each, Kinded) and each.type not in _RUNNING]
        for number, of_page in found.items()
    }
    carry_on(body)
    flow = list(chain.from_iterable(body.values()))
    set_levels([each for each in flow if each.type == "heading"], typography)
    set_depths(flow)
    return [block for page in pages for block in _blocks(page, found[page.number], ends)]


def _page(number: int, reading: Reading, boxes: Sequence[Sequence[Any]]) -> _Page:
    by_direction, left = pieces_of(reading)
    right_to_left = is_right_to_left([piece for pieces in by_direction.values() for piece in pieces])
    boxed = [_Boxed(_type(each[4]), Box(*map(float, each[:4]))) for each in boxes]
    by_size = sorted(boxed, key=lambda each: each.box.area)
    lost: defaultdict[Direction, list[Piece]] = defaultdict(list)
    for direction, pieces in by_direction.items():
        for piece in pieces:
            holder = next((each for each in by_size if _holds(each.box, piece)), None)
            if holder is None:
                lost[direction].append(piece)
            else:
                holder.add(piece, direction)
    columns = {
        id(piece): column
        for pieces in by_direction.values()
        for column in columns_of(pieces, right_to_left=right_to_left)
        for row in column.rows
        for piece in row.pieces
    }
    return _Page(number, reading, _with_lost(boxed, lost), columns, left, right_to_left)


def _type(said: Any) -> Type:
    return next((each for each in _TYPES if each == said), "text")


def _holds(box: Box, piece: Piece) -> bool:
    if piece.run is None:
        return False
    across, down = piece.run.box.middle
    return box.x0 - _MARGIN <= across <= box.x1 + _MARGIN and box.y0 - _MARGIN <= down <= box.y1 + _MARGIN


def _with_lost(boxed: list[_Boxed], lost: Mapping[Direction, Sequence[Piece]]) -> list[_Boxed]:
    """The boxes, and rows that are in none: before the first box below them in their column, or else last."""
    before: defaultdict[int, list[_Boxed]] = defaultdict(list)
    for direction, pieces in lost.items():
        for row in rows_of(pieces):
            runs = [piece.run.box for piece in row.pieces if piece.run is not None]
            box = runs[0]
            for each in runs[1:]:
                box = box.around(each)
            before[_place(box, boxed)].append(_Boxed("text", box, _LEFT_OUT, {direction: row.pieces}))
    return [*chain.from_iterable([*before[at], each] for at, each in enumerate(boxed)), *before[len(boxed)]]


def _place(box: Box, among: Sequence[_Boxed]) -> int:
    below = (
        index
        for index, each in enumerate(among)
        if each.box.y0 >= box.middle[1] and each.box.x0 < box.x1 and box.x0 < each.box.x1
    )
    return next(below, len(among))


def _kinded(page: _Page, typography: Typography, ends: LineEnds) -> Iterator[Kinded | Block]:
    """What the boxes of a page are; tables and pictures are blocks at once."""
    for each in page.boxed:
        rows = each.rows(right_to_left=page.right_to_left)
        if each.type in _SOLID:
            block = solid_of(page.number, rows, each.type, each.box)
            block.confidence = round(_SURE * block.confidence, 3)
            yield block
        elif rows:
            column = page.columns[id(rows[0].pieces[0])]
            for part in _parts(each, rows, page, typography, ends):
                number = None if each.type in _RUNNING else read(part[0].text)
                yield Kinded(Paragraph(part, column, number), each.type, number, confidence=each.confidence)


def _parts(boxed: _Boxed, rows: list[Row], page: _Page, typography: Typography, ends: LineEnds) -> Iterator[list[Row]]:
    """The rows of a block; a box of a list may have several items."""
    if boxed.type != "list":
        yield rows
        return
    column = Column(rows, min(row.x0 for row in rows), max(row.x1 for row in rows))
    item: list[Row] = []
    for paragraph in paragraphs_of(
        column, typography, breaks_words=ends.are_anywhere, right_to_left=page.right_to_left
    ):
        if item and paragraph.number is not None:
            yield item
            item = []
        item += paragraph.rows
    yield item


def _blocks(page: _Page, found: Sequence[Kinded | Block], ends: LineEnds) -> list[Block]:
    blocks = [each if isinstance(each, Block) else block_of_kind(page.number, each, ends) for each in found]
    heads, feet = ([block for block in blocks if block.type == edge] for edge in ("header", "footer"))
    body = [block for block in blocks if block.type not in _RUNNING]
    return heads + body + without_place(page.number, page.reading, page.left) + feet
