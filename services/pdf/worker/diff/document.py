"""A document sorted out for comparison: its body, and what is compared on its own beside it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.diff.atoms import Atom, PageAtoms
from services.pdf.worker.layout.blocks import Block, Run
from services.pdf.worker.layout.structure import Structure, structure_of
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading

_LEADERS = re.compile(r"(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){4,}\s*\S{0,8}$")
_CONTENTS = re.compile(r"(?:목\s*차|차\s*례|(?:table of )?contents)", re.IGNORECASE)
_NOTE = re.compile(r"(?:\d{1,3}[).]?|[*†‡§¶※]{1,3})\s*\S")
_LEAST_RUNNING = 3
"""Pages that a running line as large as the body stands on, at least; the ends of two sentences may be alike."""

_AS_LARGE = 0.97
"""Times the body's size: running lines are mostly smaller."""

_LEAST_ENTRIES = 3
"""Entries on a page that make a table of contents of it."""


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


@dataclass(slots=True)
class Document:
    """What is compared of one document."""

    parts: list[Part] = field(default_factory=list)
    notes: list[Part] = field(default_factory=list)
    contents: list[Entry] = field(default_factory=list)
    running: list[Entry] = field(default_factory=list)


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
    structure = structure_of(readings, {page: [each.box for each in found] for page, found in pictures.items()})
    blocks = structure.blocks
    atoms = {page: PageAtoms(page, reading) for page, reading in readings.items()}
    sorting = _Sorting(atoms, structure, _inside(structure, atoms), pictures)
    contents = _contents(blocks)
    body_size = _body_size(blocks)
    strays = _strays(blocks, body_size)
    for block in blocks:
        if id(block) in strays:
            sorting.add(block, strays[id(block)])
        elif block.type in {"header", "footer"}:
            sorting.document.running.append(sorting.entry(block))
        elif id(block) in contents:
            sorting.document.contents.append(sorting.entry(block))
        elif block.type == "footnote":
            sorting.add_note(block, body_size)
        else:
            sorting.add(block, block.type)
    return sorting.document


@dataclass(slots=True)
class _Sorting:
    """A document on its way to be sorted out."""

    atoms: Mapping[int, Mapping[int, Sequence[Atom]]]
    structure: Structure
    inside: Mapping[int, Rows | None]
    pictures: Mapping[int, Sequence[Picture]]
    document: Document = field(default_factory=Document)

    def entry(self, block: Block) -> Entry:
        """A block as a line of its own."""
        return Entry(_of_runs(block.runs, self.atoms[block.page]), block.text)

    def add_note(self, block: Block, body_size: float) -> None:
        """A note, without words of the body that stand beside it and were read with it."""
        words = _of_runs(block.runs, self.atoms[block.page])
        small = [atom for atom in words if not atom.style or atom.style.size < _AS_LARGE * body_size]
        rest = [atom for atom in words if atom.style and atom.style.size >= _AS_LARGE * body_size]
        self.document.notes.append(Part("note", block.page, block.box, small))
        if rest:
            self.document.parts.append(Part("text", block.page, block.box, rest))

    def add(self, block: Block, kind: str) -> None:
        """A part of the body, or a note that stands where running lines do."""
        part = Part(kind, block.page, block.box, _of_runs(block.runs, self.atoms[block.page]), block.level)
        if (table := self.structure.table_of(block)) is not None:
            part.cells = self.inside[id(table)]
            if part.cells is not None:
                if (block.page, block.box) != (table.page, table.box):  # the whole table is where it begins
                    return
                part.atoms = [atom for row in part.cells for cell in row for atom in cell]
        elif kind == "image":
            part.digest = next((each.digest for each in self.pictures[block.page] if each.box == block.box), "")
        (self.document.notes if kind == "note" else self.document.parts).append(part)


def _strays(blocks: Sequence[Block], body_size: float) -> dict[int, str]:
    """Blocks that only stand where running lines do, by identity: notes, and lines of the body.

    A running line has its wording on several pages and not in the body, or other letters, or says what a heading says.
    """
    headings = {_wording(block.text) for block in blocks if block.type == "heading"}
    body = {_wording(block.text) for block in blocks if block.type in {"text", "list"}}
    running = [block for block in blocks if block.type in {"header", "footer"}]
    count = Counter(_wording(block.text) for block in running)
    pages = len({block.page for block in blocks})
    found = {}
    for block in running:
        wording = _wording(block.text)
        is_often = count[wording] >= min(_LEAST_RUNNING, pages) > 1
        if not wording or wording in headings or (is_often and wording not in body):
            continue
        if block.type == "footer" and block.size < body_size and _NOTE.match(block.text):
            found[id(block)] = "note"
        elif block.size >= _AS_LARGE * body_size:
            found[id(block)] = "text"
    return found


def _body_size(blocks: Iterable[Block]) -> float:
    letters: Counter[float] = Counter()
    for block in blocks:
        letters[block.size] += len(block.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _wording(text: str) -> str:
    """Its letters alone."""
    return "".join(letter for letter in text if letter.isalpha())


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


def _contents(blocks: Sequence[Block]) -> set[int]:
    """The blocks of tables of contents, by identity."""
    pages: defaultdict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.type not in {"header", "footer", "footnote", "table", "image"}:
            pages[block.page].append(block)
    found: set[int] = set()
    last = -1
    for page, body in pages.items():
        leading = [index for index, block in enumerate(body) if _LEADERS.search(block.text)]
        if not leading or (len(leading) < _LEAST_ENTRIES and last != page - 1):
            continue
        title = next((index for index, block in enumerate(body) if _CONTENTS.fullmatch(block.text.strip())), None)
        start = 0 if last == page - 1 else leading[0] if title is None else title
        found.update(id(block) for block in body[start : leading[-1] + 1])
        last = page
    return found
