"""Tables as passages: a passage a row, with tabs between the cells."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from services.pdf.worker.boxes import Box
from services.pdf.worker.chunks.passages import DocumentText, Passage, Word, spaced
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.tables.table import Cell, Table

_MOST_COMPARED = 1_000_000
"""Words and cells of one part of a table. Beyond it, its words stand as they were read, line by line."""


def rows_of(table: Table, blocks: Sequence[Block], document: DocumentText) -> list[Passage]:
    """The rows of a table, of which `blocks` are the parts that the layout found, in order.

    Every word of the table's parts is in one of them, but for heads that are repeated.
    """
    passages: list[Passage] = []
    bounds = [0, *(part.row for part in table.continues), len(table.rows)]
    for index, block in enumerate(blocks):
        words = [word for run in block.runs for word in document.words(block.page, run)]
        rows = table.rows[bounds[index] : bounds[index + 1]]
        passages += _rows(rows, words, block, is_first=index == 0)
    return [passage for passage in passages if passage.text]


def _rows(rows: Sequence[Sequence[Cell]], words: Sequence[Word], block: Block, *, is_first: bool) -> Iterator[Passage]:
    found = _placed([cell for row in rows for cell in row], words)
    if found is None:
        yield spaced(words, block)
        return
    for row in rows:
        yield _joined([found.get(id(cell), []) for cell in row], block)
    taken = {word.offset for each in found.values() for word in each}
    top = min((cell.box.y0 for row in rows for cell in row), default=0.0)
    left = [word for word in words if word.offset not in taken]
    yield spaced([word for word in left if is_first or word.box.middle[1] > top], block)


def _placed(cells: Sequence[Cell], words: Sequence[Word]) -> Mapping[int, list[Word]] | None:
    """The words of each cell, by the cell's id, in the order of the words; None if finding them takes too long."""
    bands: dict[tuple[float, float], tuple[list[float], list[int]]] = {}
    heights = {(cell.box.y0, cell.box.y1) for cell in cells}
    if len(heights) * len(words) > _MOST_COMPARED:
        return None
    middles = [word.box.middle for word in words]
    for y0, y1 in heights:
        inside = sorted((x, index) for index, (x, y) in enumerate(middles) if y0 <= y <= y1)
        bands[y0, y1] = [x for x, _ in inside], [index for _, index in inside]
    taken: set[int] = set()
    found: defaultdict[int, list[Word]] = defaultdict(list)
    for cell in cells:
        for index in _between(bands[cell.box.y0, cell.box.y1], cell.box):
            if index not in taken:
                taken.add(index)
                found[id(cell)].append(words[index])
    return found


def _between(band: tuple[Sequence[float], Sequence[int]], box: Box) -> list[int]:
    places, indices = band
    return sorted(indices[bisect_left(places, box.x0) : bisect_left(places, box.x1)])


def _joined(cells: Sequence[Sequence[Word]], block: Block) -> Passage:
    """A row: its cells, each as words with blanks between them, with tabs between the cells."""
    text, marks = "", []
    for at, words in enumerate(cells):
        cell = spaced(words, block)
        text += "\t" if at else ""
        marks += [mark._replace(start=mark.start + len(text)) for mark in cell.marks]
        text += cell.text
    return Passage(text if marks else "", marks)
