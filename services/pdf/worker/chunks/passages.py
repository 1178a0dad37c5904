"""What is read in one go: a block's text, and where in the document each of its words stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.pdf.worker.boxes import Box, boxes_in
from services.pdf.worker.layout.blocks import Block, Run
from services.pdf.worker.words import Reading

_HYPHENS = "-\u2010\u00ad"


class Mark(NamedTuple):
    """A word of a passage, or what is left of one whose hyphen a line's end had made."""

    start: int
    """Where it begins in the passage's text."""

    length: int
    """In code points; as many stand in the document's text."""

    page: int
    line: int
    """Index of its line in `Reading.lines`."""

    word: int
    """Its number among the words of its line, from 0."""

    offset: int
    """Where it begins in the document's text."""

    box: Box


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that is read in one go."""

    text: str
    marks: Sequence[Mark]
    """Its words, in order. White space aside, they are the text."""

    depth: int = 0
    """How deep it stands in a list, from 1; 0 for what is no list item."""


class Word(NamedTuple):
    """A word where it stands."""

    text: str
    page: int
    line: int
    word: int
    """As of a mark; `page`, `line` and `offset` likewise."""

    offset: int
    box: Box

    def mark(self, start: int, length: int) -> Mark:
        """Its first `length` characters, at `start` of a passage."""
        return Mark(start, length, self.page, self.line, self.word, self.offset, self.box)


class DocumentText:
    """The text of some pages: what PDF_TEXT gives of them, one page after another, with nothing between."""

    def __init__(self, readings: Mapping[int, Reading]) -> None:
        self.starts: dict[int, int] = {}
        """Where each page's text begins, in code points."""

        self._readings = readings
        self._words: dict[tuple[int, int], list[Word]] = {}
        self._lines: dict[int, list[int]] = {}
        start = 0
        for page, reading in readings.items():
            self.starts[page] = start
            lines = self._lines[page] = []
            for line in reading.lines:
                lines.append(start)
                start += 0 if line.hidden else len(line.text) + 1

    def words(self, page: int, run: Run) -> Sequence[Word]:
        """The words of a part of a line, each with its box, or with the run's where the places are unknown."""
        key = page, run.line
        if key not in self._words:
            self._words[key] = list(self._of_line(page, run))
        return self._words[key][run.start : run.stop]

    def _of_line(self, page: int, run: Run) -> Iterator[Word]:
        line = self._readings[page].lines[run.line]
        start, at = self._lines[page][run.line], 0
        boxes = list(boxes_in(line.boxes))
        for index, word in enumerate(line.text.split()):
            at = line.text.index(word, at)
            box = boxes[index] if boxes else run.box
            yield Word(word, page, run.line, index, start + at, box)
            at += len(word)


def passage_of(block: Block, document: DocumentText) -> Passage:
    """A block as a passage, with the text that the block has."""
    words = [word for run in block.runs for word in document.words(block.page, run)]
    marks = _found(block.text, words)
    if marks is None:  # its order is not that of its words
        return spaced(words, block)
    return Passage(block.text, marks, block.depth)


def spaced(words: Iterable[Word], block: Block) -> Passage:
    """Words with blanks between them."""
    marks, start = [], 0
    parts = []
    for word in words:
        parts.append(word.text)
        marks.append(word.mark(start, len(word.text)))
        start += len(word.text) + 1
    return Passage(" ".join(parts), marks, block.depth)


def _found(text: str, words: Iterable[Word]) -> list[Mark] | None:
    """Where the words stand in the text, if it is made of them: a hyphen at a word's end may be gone."""
    marks, at = [], 0
    for word in words:
        while text[at : at + 1].isspace():
            at += 1
        length = len(word.text)
        if not text.startswith(word.text, at):
            length -= 1
            if word.text[-1] not in _HYPHENS or not text.startswith(word.text[:-1], at):
                return None
        if length:
            marks.append(word.mark(at, length))
        at += length
    return marks if not text[at:].strip() else None
