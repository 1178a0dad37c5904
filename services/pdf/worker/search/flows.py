"""The words of a document as flows: text that is read on, over the ends of lines, columns and pages.

The body is one flow. Running lines, captions, tables and what runs another way only stand between its parts, so each of
them is a flow of its own, as is what nobody sees. Footnotes go on from page to page.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, groupby

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.layout.blocks import Block, Run
from services.pdf.worker.layout.structure import structure_of
from services.pdf.worker.layout.titles import Title, above, path_of, with_titles
from services.pdf.worker.readings import Readings
from services.pdf.worker.search.folding import fold_letters
from services.pdf.worker.words import UNITS, Line, Reading

_MOST_COMPARED = 1_000_000
"""Words and cells: the words of a larger table are taken row by row."""

_BODY = frozenset(["heading", "text", "list"])


@dataclass(eq=False)
class Stretch:
    """Neighbouring words of one line."""

    page: int
    line: Line
    start: int
    """The first of its words, from 0."""

    words: list[str]
    """As they stand there, at least one."""

    at: int
    """Where it stands in the document: the number of its block, in reading order."""

    path: tuple[str, ...] = ()
    """The headings above it, outermost first."""

    goes_on: bool = False
    """Whether it is of the same paragraph as the stretch before it in its flow."""

    @cached_property
    def text(self) -> str:
        """Its words with single blanks between them."""
        return " ".join(self.words)

    @cached_property
    def box(self) -> Box | None:
        """Around all of it; None where places are not known."""
        edges = self.line.boxes[4 * self.start : 4 * (self.start + len(self.words))]
        if not edges:
            return None
        return Box(
            min(edges[::4]) / UNITS, min(edges[1::4]) / UNITS, max(edges[2::4]) / UNITS, max(edges[3::4]) / UNITS
        )

    def boxes(self, first: int, last: int) -> list[Box]:
        """Those of its words from `first` to `last`, counted from 0; none where places are not known."""
        return list(boxes_in(self.line.boxes[4 * (self.start + first) : 4 * (self.start + last + 1)]))

    @cached_property
    def starts(self) -> list[int]:
        """Where in `text` each word begins."""
        return [0, *accumulate(len(word) + 1 for word in self.words[:-1])]

    @cached_property
    def plain_ends(self) -> list[int]:
        """Where the bytes of each letter of `text` end."""
        return list(accumulate(len(letter.encode()) for letter in self.text))

    @cached_property
    def folded_ends(self) -> list[int]:
        """The same of its letters as they are compared."""
        return list(accumulate(len(fold_letters(letter).encode()) for letter in self.text))

    def word_at(self, offset: int) -> int:
        """The word, from 0, that a letter of `text` belongs to."""
        return bisect_right(self.starts, offset) - 1


@dataclass(slots=True, eq=False)
class Flow:
    """Stretches that are read one after another."""

    stretches: list[Stretch] = field(default_factory=list)


def flows_of(readings: Readings, *, include_hidden: bool) -> list[Flow]:
    """All flows of these pages; with `include_hidden` those too that nobody sees."""
    structure = structure_of(readings, pictures={})
    flows: list[Flow] = []
    open_flows: dict[tuple[str, int], Flow] = {}
    # The same for pages between which none is missing.
    neighbours = {page: page - index for index, page in enumerate(readings)}
    at = 0
    for page, blocks in groupby(_with_paths(structure.blocks), key=lambda each: each[0].page):
        along = _main_direction(readings[page])
        words = [line.text.split() for line in readings[page].lines]
        for block, path in blocks:
            at += 1
            cells = [cell.box for row in structure.rows_of(block) for cell in row]
            stretches = list(_stretches(block, readings[page], words, at, path, cells))
            if not stretches:
                continue
            kind = "body" if block.type in _BODY else block.type
            if kind not in {"body", "footnote"} or _direction(stretches[0].line) != along:
                flows.append(Flow(stretches))
                continue
            flow = open_flows.get((kind, neighbours[page]))
            if flow is None:
                flow = open_flows[kind, neighbours[page]] = Flow()
                flows.append(flow)
            stretches[0].goes_on = block.continues and bool(flow.stretches)
            flow.stretches += stretches
    if include_hidden:
        flows += _hidden(readings, at)
    return flows


def _with_paths(blocks: Iterable[Block]) -> Iterator[tuple[Block, tuple[str, ...]]]:
    """Each block with the headings above it."""
    titles: list[Title] = []
    path: tuple[str, ...] = ()
    for block, title in with_titles(blocks):
        own = path
        if title is not None:
            under = above(title, titles)
            titles = [*under, title]
            path = path_of(titles)
            own = path_of(under) if block.type == "heading" else path  # else the title of an article within its text
        yield block, () if block.type in {"header", "footer"} else own


def _stretches(  # noqa: PLR0917  # a block, and what is known of it
    block: Block,
    reading: Reading,
    words: Sequence[list[str]],
    at: int,
    path: tuple[str, ...],
    cells: Sequence[Box],
) -> Iterator[Stretch]:
    runs: Iterable[Run] = block.runs
    if cells:
        runs = _by_cells(block.runs, reading, cells)
    goes_on = False
    for run in runs:
        if run.start < run.stop:
            said = words[run.line][run.start : run.stop]
            yield Stretch(block.page, reading.lines[run.line], run.start, said, at, path, goes_on)
            goes_on = True


def _by_cells(runs: Sequence[Run], reading: Reading, cells: Sequence[Box]) -> list[Run]:
    """The words of a table cell by cell, those in no cell last."""
    if len(cells) * sum(run.stop - run.start for run in runs) > _MOST_COMPARED:
        return list(runs)
    found: defaultdict[int, list[Run]] = defaultdict(list)
    for run in runs:
        boxes = boxes_in(reading.lines[run.line].boxes[4 * run.start : 4 * run.stop])
        holders = [
            next((index for index, cell in enumerate(cells) if cell.holds(box.middle)), len(cells)) for box in boxes
        ]
        for holder, words in groupby(range(len(holders)), key=holders.__getitem__):
            first, *more = words
            start, stop = run.start + first, run.start + first + len(more) + 1
            found[holder].append(Run(run.line, start, stop, run.box))
    return [run for holder in sorted(found) for run in found[holder]]


def _hidden(readings: Readings, at: int) -> Iterator[Flow]:
    for page, reading in readings.items():
        for line in reading.lines:
            if line.hidden and line.text:
                at += 1
                yield Flow([Stretch(page, line, 0, line.text.split(), at)])


def _main_direction(reading: Reading) -> tuple[int, int]:
    """Where most of a page's text runs."""
    letters: Counter[tuple[int, int]] = Counter()
    for line in reading.lines:
        if not line.hidden:
            letters[_direction(line)] += len(line.text)
    return max(letters, key=letters.__getitem__, default=(1, 0))


def _direction(line: Line) -> tuple[int, int]:
    across, down = line.direction
    return round(across), round(down)
