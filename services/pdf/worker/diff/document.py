"""A document sorted out for comparison: its body, and what is compared on its own beside it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeAlias

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.diff.atoms import Atom, PageAtoms
from services.pdf.worker.diff.joined_tables import one_by_one
from services.pdf.worker.diff.roles import AS_LARGE, body_size_of, contents_of, notes_over, strays_of
from services.pdf.worker.layout.blocks import Block, Run
from services.pdf.worker.layout.structure import Structure, structure_of
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading

Rows: TypeAlias = list[list[list[Atom]]]
"""The words of a table, by row and cell."""


class Picture(NamedTuple):
    """A picture on a page. `digest` is that of its decoded pixels; "" where nobody looked at them."""

    box: Box
    digest: str


@dataclass(slots=True)
class Part:
    """What stands in the body at one place: a paragraph, a table or a picture."""

    kind: str
    """A block's type: "heading", "text", "list", "caption", "table" or "image"."""

    page: int
    box: Box
    atoms: list[Atom]
    level: int = 0
    """Of a heading."""

    cells: Rows | None = None
    """Of a table: rows of cells; None where its words could not be told from others by its cells."""

    digest: str = ""
    """Of a picture."""


@dataclass(slots=True)
class Entry:
    """A line of its own: a note, an entry of the contents, a running line."""

    atoms: list[Atom]
    text: str

    @property
    def page(self) -> int:
        """From 1."""
        return self.atoms[0].page


@dataclass(slots=True)
class Document:
    """What is compared of one document."""

    parts: list[Part] = field(default_factory=list)
    notes: list[Part] = field(default_factory=list)
    contents: list[Entry] = field(default_factory=list)
    running: list[Entry] = field(default_factory=list)

    @property
    def every(self) -> Iterator[Atom]:
        """All words that are compared."""
        for part in chain(self.parts, self.notes):
            yield from part.atoms
        for entry in chain(self.contents, self.running):
            yield from entry.atoms


def beside_text(
    pictures: Mapping[int, Sequence[Picture]], readings: Mapping[int, Reading]
) -> Mapping[int, Sequence[Picture]]:
    """The pictures without those that recognised words stand on: they are the paper, and their words are compared."""
    return {page: _beside_text(each, readings[page]) if page in readings else each for page, each in pictures.items()}


def _beside_text(pictures: Sequence[Picture], reading: Reading) -> Sequence[Picture]:
    recognised = [box for line in reading.lines if line.source == "ocr" for box in boxes_in(line.boxes)]
    return [each for each in pictures if not any(each.box.holds(box.middle) for box in recognised)]


def sort_out(readings: Mapping[int, Reading], pictures: Mapping[int, Sequence[Picture]]) -> Document:
    """What there is to compare on these pages."""
    boxes = {page: [each.box for each in found] for page, found in pictures.items()}
    structure = structure_of(readings, boxes, one_by_one)
    blocks = structure.blocks
    atoms = {page: PageAtoms(page, reading) for page, reading in readings.items()}
    sorting = _Sorting(atoms, structure, _inside(structure, atoms), pictures)
    entries = contents_of(blocks)
    body_size = body_size_of(blocks)
    strays = strays_of(blocks, body_size)
    for block in blocks:
        if id(block) in strays:
            sorting.add(block, strays[id(block)], body_size)
        elif block.type in {"header", "footer"}:
            sorting.add_entry(block, sorting.document.running)
        elif id(block) in entries:
            sorting.add_entry(block, sorting.document.contents)
        elif block.type == "footnote":
            sorting.add_note(block, body_size)
        else:
            sorting.add(block, block.type, body_size)
    sorting.add_rest()
    return sorting.document


@dataclass(slots=True)
class _Sorting:
    """A document on its way to be sorted out."""

    atoms: Mapping[int, Mapping[int, Sequence[Atom]]]
    structure: Structure
    inside: Mapping[int, Rows | None]
    pictures: Mapping[int, Sequence[Picture]]
    document: Document = field(default_factory=Document)

    def add_entry(self, block: Block, entries: list[Entry]) -> None:
        """A block as a line of its own."""
        if atoms := _of_runs(block.runs, self.atoms[block.page]):
            entries.append(Entry(atoms, block.text))

    def add_note(self, block: Block, body_size: float) -> None:
        """A note, without words of the body that stand beside it and were read with it."""
        words = _of_runs(block.runs, self.atoms[block.page])
        small = [atom for atom in words if not atom.style or atom.style.size < AS_LARGE * body_size]
        rest = [atom for atom in words if atom.style and atom.style.size >= AS_LARGE * body_size]
        self.document.notes.append(Part("note", block.page, block.box, small))
        if rest:
            self.document.parts.append(Part("text", block.page, block.box, rest))

    def add(self, block: Block, kind: str, body_size: float) -> None:
        """A part of the body without notes printed over it, or a note that stands where running lines do."""
        part = Part(kind, block.page, block.box, _of_runs(block.runs, self.atoms[block.page]), block.level)
        if kind in {"text", "list"}:
            over, part.atoms = notes_over(part.atoms, body_size)
            if over:
                self.document.notes.append(Part("note", block.page, block.box, over))
        if (table := self.structure.table_of(block)) is not None:
            part.cells = self.inside[id(table)]
            if part.cells is not None:
                if (block.page, block.box) != (table.page, table.box):  # the whole table is where it begins
                    return
                part.atoms = [atom for row in part.cells for cell in row for atom in cell]
        elif kind == "image":
            part.digest = next((each.digest for each in self.pictures[block.page] if each.box == block.box), "")
        (self.document.notes if kind == "note" else self.document.parts).append(part)

    def add_rest(self) -> None:
        """Words that are in no block, after the rest of the body: every word is compared."""
        held = {atom.place for atom in self.document.every}
        for page, lines in self.atoms.items():
            rest = [atom for line in lines.values() for atom in line if atom.place not in held]
            if rest:
                self.document.parts.append(Part("text", page, rest[0].box, rest))


def _of_runs(runs: Iterable[Run], atoms: Mapping[int, Sequence[Atom]]) -> list[Atom]:
    return [atom for run in runs for atom in atoms[run.line][run.start : run.stop]]


def _inside(
    structure: Structure,
    atoms: Mapping[int, Mapping[int, Sequence[Atom]]],
) -> dict[int, Rows | None]:
    """For each table, by its identity, the words of its cells; None where some of its words are in no cell."""
    words: defaultdict[int, list[Atom]] = defaultdict(list)
    tables: dict[int, Table] = {}
    for block in structure.blocks:
        if (table := structure.table_of(block)) is not None:
            tables[id(table)] = table
            words[id(table)] += _of_runs(block.runs, atoms[block.page])
    return {key: _cells(table, words[key]) for key, table in tables.items()}


def _cells(table: Table, words: Sequence[Atom]) -> Rows | None:
    left: defaultdict[int, list[Atom]] = defaultdict(list)
    for atom in words:
        left[atom.page].append(atom)
    starts = [(0, table.page), *((part.row, part.page) for part in table.continues)]
    rows = []
    for index, row in enumerate(table.rows):
        page = next(page for start, page in reversed(starts) if start <= index)
        cells: list[list[Atom]] = []
        for cell in row:
            own = [atom for atom in left[page] if cell.box.holds(atom.box.middle)]
            taken = set(map(id, own))
            left[page] = [atom for atom in left[page] if id(atom) not in taken]
            cells.append(own)
        rows.append(cells)
    return None if any(left.values()) else rows
