"""What is compared: the pieces of words as they stand on pages, and what may stand between two of them.

Where a line ends, nobody can see whether a blank was meant; where it ends in a hyphen, nobody can see whether that is
part of the word. So a line's end allows several joints, and two texts are equal where one joint is possible in both.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.words import Reading, Style

_UNSPACED = re.compile("[가-힣\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
"""Letters in whose words a line may end without a mark."""

_HYPHENS = "-\u2010\u00ad"
_JOINTS = "/\u2013\u2014"
_WORD = re.compile(r"\S+")
_BOLD = 16
_BOLD_NAME = re.compile(r"bold|black|heavy", re.IGNORECASE)


class Joint:
    """What may stand between two pieces, as bits of a number."""

    BLANK = 1
    NOTHING = 2
    HYPHEN = 4
    """Beside these, where words were taken away or a paragraph ends, anything may stand."""

    ANY = 7


class Atom(NamedTuple):
    """What stands between two blanks of one line."""

    text: str
    page: int
    """From 1."""

    line: int
    """Index of its line among those of the reading."""

    box: Box
    """Of the whole page where no place is known."""

    start: int
    """Of its first character in the page's text as PDF_TEXT has it, in code points; `stop` is after the last."""

    stop: int
    style: Style | None
    confidence: float
    """From 0 to 1."""

    is_recognised: bool
    """Whether it was read from a picture."""

    @property
    def place(self) -> tuple[int, int]:
        """By which it is known among all atoms of its document: its page and its first character."""
        return self.page, self.start

    @property
    def is_bold(self) -> bool:
        """By the flag of its font or by the font's name."""
        return self.style is not None and bool(self.style.flags & _BOLD or _BOLD_NAME.search(self.style.font))


class PageAtoms(dict[int, list[Atom]]):
    """The atoms of a page by line: those of the lines that a reader sees."""

    def __init__(self, page: int, reading: Reading) -> None:
        super().__init__()
        offset = 0
        for index, line in enumerate(reading.lines):
            if not line.hidden:
                self[index] = list(_atoms(page, index, reading, offset))
                offset += len(line.text) + 1


def _atoms(page: int, index: int, reading: Reading, offset: int) -> Iterator[Atom]:
    line = reading.lines[index]
    whole = Box(0.0, 0.0, reading.width, reading.height)
    for found, word in zip(_WORD.finditer(line.text), reading.words(line), strict=True):
        box = Box(*word.box) if word.box else whole
        places = offset + found.start(), offset + found.end()
        yield Atom(word.text, page, index, box, *places, word.style, word.confidence, line.source == "ocr")


@dataclass(slots=True)
class Token:
    """A word as it is compared: one atom, or several that belong together."""

    start: int
    """The first of its atoms in its text; `stop` is after the last."""

    stop: int
    text: str
    """Line ends and hyphenation undone."""


@dataclass
class Text:
    """Atoms in reading order, with what may stand after each."""

    atoms: list[Atom] = field(default_factory=list)
    joints: list[int] = field(default_factory=list)
    """After each atom; see `Joint`."""

    glued: list[bool] = field(default_factory=list)
    """After each atom, whether it is taken to be one word with the next."""

    @classmethod
    def of(cls, *parts: Sequence[Atom]) -> "Text":
        """Of paragraphs of atoms."""
        text = cls()
        for part in parts:
            text.add(part)
            text.end()
        return text

    def add(self, atoms: Sequence[Atom]) -> None:
        """Adds atoms that follow each other."""
        for atom in atoms:
            if len(self.joints) < len(self.atoms):
                self.joints.append(joint_of(self.atoms[-1], atom))
            self.atoms.append(atom)
            self.glued.append(False)

    def end(self) -> None:
        """A paragraph ends: anything may stand before the next atom."""
        if len(self.joints) < len(self.atoms):
            self.joints.append(Joint.ANY)

    def starts_line(self, index: int) -> bool:
        """Whether an atom is the first of its line."""
        before, atom = self.atoms[index - 1], self.atoms[index]
        return index == 0 or (before.page, before.line) != (atom.page, atom.line)

    def bare(self, index: int) -> str:
        """An atom without the hyphen that may only be there because its line ends."""
        text = self.atoms[index].text
        return text[:-1] if self.joints[index] & Joint.HYPHEN and self.joints[index] != Joint.ANY else text

    def token(self, start: int, stop: int) -> Token:
        """Atoms as one word."""
        parts = [self.bare(index) for index in range(start, stop - 1)]
        return Token(start, stop, "".join([*parts, self.atoms[stop - 1].text]))

    def tokens(self, start: int, stop: int, glued: Sequence[bool] | None = None) -> list[Token]:
        """The words of some atoms; `glued` tells after which of all atoms words go on, if not those known to."""
        known = self.glued if glued is None else glued
        found = []
        first = start
        for index in range(start, stop):
            if index + 1 == stop or not known[index]:
                found.append(self.token(first, index + 1))
                first = index + 1
        return found

    def say(self, start: int, stop: int) -> str:
        """The words of some atoms, with a blank between them."""
        return " ".join(token.text for token in self.tokens(start, stop))

    @cached_property
    def body_size(self) -> float:
        """Points: the size of most of its letters; 0 where none is known."""
        letters: dict[float, int] = {}
        for atom in self.atoms:
            if atom.style:
                letters[atom.style.size] = letters.get(atom.style.size, 0) + len(atom.text)
        return max(letters, key=letters.__getitem__, default=0.0)


def joint_of(before: Atom, after: Atom) -> int:
    """What may stand between two atoms that follow each other."""
    last, first = before.text, after.text
    may_break = _UNSPACED.match(last[-1]) or _UNSPACED.match(first[0])
    if (before.page, before.line) == (after.page, after.line):
        is_doubtful = before.is_recognised and after.is_recognised and may_break
        return Joint.BLANK | Joint.NOTHING if is_doubtful else Joint.BLANK
    if last[-1] in _HYPHENS and len(last) > 1 and last[-2].isalnum() and first[0].isalnum():
        return Joint.HYPHEN | Joint.NOTHING
    if may_break or (last[-1] in _JOINTS and len(last) > 1):
        return Joint.BLANK | Joint.NOTHING
    return Joint.BLANK
