"""Chunks of a document: by its structure first, and by size only where a section is too long."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.chunks.passages import DocumentText, Mark, Passage
from services.pdf.worker.chunks.sections import Section, sections_of
from services.pdf.worker.chunks.sizes import Size
from services.pdf.worker.words import Reading

_DEEPEST = 4
"""Of list items: those that stand deeper are parted like these."""

_FEEDS = re.compile("\n{2,}")

_HEAD_SHARES = (0.125, 0.25, 0.5)
"""Of the limit: the least of them that it fits in is what the head of a table may take in each of its chunks."""


class Place(NamedTuple):
    """A part of one line of a page."""

    page: int
    """From 1."""

    box: Box
    start: int
    """In the document's text (`DocumentText`), in code points."""

    end: int
    """After its last character."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that can be found and quoted."""

    text: str
    """Its passages, a line each; the cells of a table's row are parted by tabs."""

    path: tuple[str, ...]
    """The titles above it, and those that it has itself, outermost first."""

    places: Sequence[Place]
    """Where it stands, line by line. The document's text there, one after another, is `text`, white space aside."""


def chunks_of(readings: Mapping[int, Reading], size: Size, text: DocumentText | None = None) -> list[Chunk]:
    """The chunks of pages, none over `size`, in reading order; `text` is theirs, if somebody has it already.

    An article, what stands under a heading, and a table is a chunk each. One that is too long is cut where its
    structure says, items of lists included, then at sentences, words and letters. Running lines are in none, nor is
    hidden text.
    """
    return [
        chunk for section in sections_of(readings, text or DocumentText(readings)) for chunk in _chunks(section, size)
    ]


def _chunks(section: Section, size: Size) -> Iterator[Chunk]:
    whole = _Joined(section.passages, size)
    if whole.fits:
        yield whole.chunk(0, len(whole.text), section.path)
        return
    head = _Joined(section.head, size)
    first = head.chunk(0, len(head.text), section.path)
    share = next((share for share in _HEAD_SHARES if size.share(share).fits(f"{first.text}\n")), None)
    if not section.head or share is None:
        yield from (whole.chunk(start, end, section.path) for start, end in size.split(whole.text))
        return
    body = _Joined(section.passages[len(section.head) :], size)
    for start, end in size.share(1 - share).split(body.text):
        rest = body.chunk(start, end, section.path)
        both = Chunk(f"{first.text}\n{rest.text}", section.path, [*first.places, *rest.places])
        yield both if size.fits(both.text) else rest


class _Joined:
    """Passages as one text, in which more line feeds stand between those that belong together less."""

    def __init__(self, passages: Sequence[Passage], size: Size) -> None:
        parts: list[str] = []
        starts: list[int] = []
        at = 0
        for passage in passages:
            feeds = "\n" * (2 + _DEEPEST - min(passage.depth, _DEEPEST)) if parts else ""
            starts.append(at + len(feeds))
            parts += [feeds, passage.text]
            at = starts[-1] + len(passage.text)
        self.text = "".join(parts)
        self._size = size
        self._words = ((start, mark) for start, each in zip(starts, passages, strict=True) for mark in each.marks)
        self._next = next(self._words, None)

    @property
    def fits(self) -> bool:
        """Whether it is within the limit as a whole."""
        return self._size.fits(_FEEDS.sub("\n", self.text))

    def chunk(self, start: int, end: int, path: tuple[str, ...]) -> Chunk:
        """A part of the text; parts are asked for in order."""
        return Chunk(self._shown(start, end), path, list(_places(self._cut(start, end))))

    def _shown(self, start: int, end: int) -> str:
        """A part of the text as a reader gets it: with one line feed where there are more, unless that is longer."""
        raw = self.text[start:end]
        shown = _FEEDS.sub("\n", raw)
        return shown if self._size.fits(shown) else raw

    def _cut(self, start: int, end: int) -> Iterator[tuple[int, int, Mark]]:
        """The words between: where what is between of each begins and ends in the document's text."""
        while self._next is not None:
            base, mark = self._next
            first, last = base + mark.start, base + mark.start + mark.length
            if first >= end:
                return
            if last > start:
                yield mark.offset + max(start - first, 0), mark.offset + min(last, end) - first, mark
            if last > end:
                return  # the next part has the rest of it
            self._next = next(self._words, None)


def _places(words: Iterator[tuple[int, int, Mark]]) -> Iterator[Place]:
    """Neighbouring words of one line together."""
    run: list[Mark] = []
    first = last = 0
    for start, end, mark in words:
        if run and (mark.page, mark.line, mark.word - 1) != (run[-1].page, run[-1].line, run[-1].word):
            yield _place(run, first, last)
            run = []
        if not run:
            first = start
        run.append(mark)
        last = end
    if run:
        yield _place(run, first, last)


def _place(run: Sequence[Mark], start: int, end: int) -> Place:
    boxes = [mark.box for mark in run]
    x0, y0 = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
    x1, y1 = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    return Place(run[0].page, Box(x0, y0, x1, y1), start, end)
