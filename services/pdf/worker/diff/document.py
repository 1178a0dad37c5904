"""A document sorted out for comparison: its body, and what is compared on its own beside it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import NamedTuple, TypeAlias

from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.atoms import Atom, PageAtoms
from services.pdf.worker.layout.blocks import Block, Run
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.tables.table import Table
from services.pdf.worker.words import Reading

_LEADERS = re.compile(r"(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){4,}\s*\S{0,8}$")
_CONTENTS = re.compile(r"(?:목\s*차|차\s*례|(?:table of )?contents)", re.IGNORECASE)
_NOTE = re.compile(r"(?:\d{1,3}[).]?|[*†‡§¶※]{1,3})\s*\S")
_MARKED = re.compile(r"\d{1,3}[).]$|[*†‡§¶※]{1,3}")
"""What a note begins with."""

_LEAST_RUNNING = 3
"""Pages that a running line as large as the body stands on, at least; the ends of two sentences may be alike."""

_AS_LARGE = 0.97
"""Times the body's size: running lines are mostly smaller."""

_LEAST_ENTRIES = 3
"""Entries on a page that make a table of contents of it."""


Rows: TypeAlias = list[list[list[Atom]]]
"""The words of a table, by row and cell."""

_Holders: TypeAlias = dict[tuple[int, int], tuple[Table, bool]]
"""For each page and number of a table's box on it the table, and whether that is where it begins."""


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


def sort_out(readings: Mapping[int, Reading], pictures: Mapping[int, Sequence[Picture]]) -> Document:
    """What there is to compare on these pages."""
    boxes: defaultdict[int, list[Box]] = defaultdict(list)
    holders: _Holders = {}
    for table in find_tables(readings):
        for page, box, is_first in [(table.page, table.box, True), *((p.page, p.box, False) for p in table.continues)]:
            holders[page, len(boxes[page])] = table, is_first
            boxes[page].append(box)
    blocks = blocks_of(readings, boxes, {page: [each.box for each in found] for page, found in pictures.items()})
    atoms = {page: PageAtoms(page, reading) for page, reading in readings.items()}
    sorting = _Sorting(atoms, holders, _inside(blocks, atoms, holders), pictures)
    contents = _contents(blocks)
    body_size = _body_size(blocks)
    strays = _strays(blocks, body_size)
    for block in blocks:
        if id(block) in strays:
            sorting.add(block, strays[id(block)], body_size)
        elif block.type in {"header", "footer"}:
            sorting.add_entry(block, sorting.document.running)
        elif id(block) in contents:
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
    holders: _Holders
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
        small = [atom for atom in words if not atom.style or atom.style.size < _AS_LARGE * body_size]
        rest = [atom for atom in words if atom.style and atom.style.size >= _AS_LARGE * body_size]
        self.document.notes.append(Part("note", block.page, block.box, small))
        if rest:
            self.document.parts.append(Part("text", block.page, block.box, rest))

    def add(self, block: Block, kind: str, body_size: float) -> None:
        """A part of the body without notes printed over it, or a note that stands where running lines do."""
        part = Part(kind, block.page, block.box, _of_runs(block.runs, self.atoms[block.page]), block.level)
        if kind in {"text", "list"}:
            over, part.atoms = _notes_over(part.atoms, _AS_LARGE * body_size)
            if over:
                self.document.notes.append(Part("note", block.page, block.box, over))
        if block.table is not None:
            table, is_first = self.holders[block.page, block.table]
            part.cells = self.inside[id(table)]
            if part.cells is not None:
                if not is_first:
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


def _notes_over(atoms: Sequence[Atom], limit: float) -> tuple[list[Atom], list[Atom]]:
    """Whole lines of a paragraph that are notes, where a page is too full and they lie over it; and the rest of it.

    They are smaller than `limit`, in points, and begin with a mark; the paragraph is not.
    """
    lines = [list(line) for _, line in groupby(atoms, key=lambda atom: atom.line)]
    small = [all(atom.style and atom.style.size < limit for atom in line) for line in lines]
    is_note = [less and _MARKED.match(line[0].text) is not None for less, line in zip(small, lines, strict=True)]
    if not any(is_note) or all(small):
        return [], [*atoms]
    over = [atom for line, note in zip(lines, is_note, strict=True) if note for atom in line]
    return over, [atom for line, note in zip(lines, is_note, strict=True) if not note for atom in line]


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
    blocks: Iterable[Block],
    atoms: Mapping[int, Mapping[int, Sequence[Atom]]],
    holders: _Holders,
) -> dict[int, Rows | None]:
    """For each table, by its identity, the words of its cells; None where some of its words are in no cell."""
    words: defaultdict[int, list[Atom]] = defaultdict(list)
    tables: dict[int, Table] = {}
    for block in blocks:
        if block.table is not None:
            table, _ = holders[block.page, block.table]
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
