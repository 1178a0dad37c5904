"""The body as units that are aligned: headings and sentences, each with the address of where it stands."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.pdf.worker.diff.atoms import Joint, Text, Token
from services.pdf.worker.diff.document import Part
from services.pdf.worker.diff.numbers import Label, Value, follows, label_of, masked
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.layout.numbering import RANKS, STRUCTURE, Kind, title_end

_ENDS = re.compile(r"[.!?。\uff1f\uff01][\"'\u201d\u2019)\]」』]*$")
_SQUEEZED = str.maketrans("", "", "-\u2010\u00ad")
_CUT_NUMBER = re.compile(r"제\d{0,4}")
_REST_OF_NUMBER = re.compile(r"\d{0,4}(?:편|장|절|관|조|항|호)")
_DOUBTFUL: frozenset[Kind] = frozenset(["hangul", "number", "decimal", "article"])
"""Kinds of numbers that the end of a sentence may look like."""

_MOST_DEEP = 12


class Address(NamedTuple):
    """Where something stands."""

    names: tuple[str, ...] = ()
    """The numbers from its article on: ("제13조", "②", "1.")."""

    path: tuple[str, ...] = ()
    """The headings above it and its own numbers: ("제3장 운영", "제13조(연차휴가)", "②")."""

    @property
    def text(self) -> str:
        """As people say it."""
        return " ".join(self.names)


@dataclass(slots=True)
class Unit:
    """A heading or a sentence."""

    start: int
    """The first of its atoms in the body; `stop` is after the last."""

    body: int
    """The first after its own number."""

    stop: int
    kind: str
    """The type of its block."""

    words: list[str]
    """Without its own number and in lower case, with a sign for each number of a place."""

    key: str
    """The same without blanks and hyphens."""

    address: Address
    label: tuple[Kind, Value] | None = None
    """Its own number, if it begins with one."""

    paragraph: int = 0
    """Which paragraph it is of, from 0."""


@dataclass(slots=True)
class Body:
    """The body of a document."""

    text: Text = field(default_factory=Text)
    units: list[Unit] = field(default_factory=list)
    places: dict[int, Address] = field(default_factory=dict)
    """Of tables and pictures the article in which they stand, by their index among the parts."""

    points: dict[int, int] = field(default_factory=dict)
    """Of the same, how many atoms of the body stand before them."""

    def units_in(self, start: int, stop: int) -> list[Unit]:
        """The units that begin among these atoms."""
        return self.units[bisect_left(self.units, start, key=_start) : bisect_left(self.units, stop, key=_start)]

    def indices_in(self, start: int, stop: int) -> range:
        """The indices of the units that have some of these atoms."""
        return range(max(bisect_right(self.units, start, key=_start) - 1, 0), bisect_left(self.units, stop, key=_start))

    def unit_of(self, atom: int) -> Unit:
        """The unit that an atom is part of."""
        return self.units[max(bisect_right(self.units, atom, key=_start) - 1, 0)]


def _start(unit: Unit) -> int:
    return unit.start


def body_of(parts: Sequence[Part], apart: Collection[int], ends: LineEnds) -> Body:
    """The body of a document without the tables and pictures that are compared `apart`, named by their indices."""
    body = Body()
    text = body.text
    groups: list[tuple[int, Part]] = []
    marks: list[tuple[int, int]] = []
    labels = _Labels()
    for index, part in enumerate(parts):
        if index in apart or not part.atoms:
            marks.append((index, len(text.atoms)))
            continue
        counts = labels.count(part)
        if counts or not _goes_on(groups[-1][1] if groups else None, part, text):
            text.end()
            groups.append((len(text.atoms), part))
        text.add(part.atoms)
    text.end()
    glue(text, ends)
    where = _Where()
    for number, (start, part) in enumerate(groups):
        while marks and marks[0][1] <= start:
            index, before = marks.pop(0)
            body.places[index], body.points[index] = where.article, before
        stop = groups[number + 1][0] if number + 1 < len(groups) else len(text.atoms)
        for piece in _sentences(text.tokens(start, stop), is_heading=part.kind == "heading"):
            body.units.append(_unit(text, piece, part, where, number))
    for index, before in marks:
        body.places[index], body.points[index] = where.article, before
    return body


def _goes_on(before: Part | None, part: Part, text: Text) -> bool:
    """Whether a part without a number is the rest of the one before: of a sentence that has not ended."""
    if before is None or {before.kind, part.kind} - {"text", "list"}:
        return False
    return not _ENDS.search(text.atoms[-1].text)


class _Labels:
    """The numbers of items as they come, to tell them from the end of a sentence that looks like one."""

    def __init__(self) -> None:
        self._last: dict[Kind, Value] = {}

    def count(self, part: Part) -> bool:
        """Whether a part begins with a number of its own: "다." is none where no "나." is before it."""
        label = label_of([atom.text for atom in part.atoms[:2]])
        if label is None:
            return False
        last = self._last.get(label.kind)
        if label.kind in _DOUBTFUL and label.value != (1,) and not (last and follows(last, label.value)):
            return part.kind == "heading"
        self._last[label.kind] = label.value
        return True


def glue(text: Text, ends: LineEnds) -> None:
    """Tells which atoms are taken to be parts of one word, by what both documents have inside their lines."""
    for index in range(len(text.atoms) - 1):
        joint = text.joints[index]
        if joint & Joint.NOTHING and joint != Joint.ANY:
            last, first = text.atoms[index].text, text.atoms[index + 1].text
            is_number = _CUT_NUMBER.fullmatch(last) and _REST_OF_NUMBER.match(first)
            same_line = text.atoms[index].line == text.atoms[index + 1].line
            text.glued[index] = not same_line and (bool(is_number) or " " not in ends.join([last, first]))


def squeezed(words: Sequence[str]) -> str:
    """Without blanks and hyphens."""
    return "".join(words).translate(_SQUEEZED)


def _unit(text: Text, piece: Sequence[Token], part: Part, where: "_Where", paragraph: int) -> Unit:
    said = [token.text for token in piece]
    found = label_of(said)
    start = piece[0].start
    is_first = paragraph != where.paragraph
    body = start
    if found is not None and _counts(found, said, part, is_first=is_first or text.starts_line(start)):
        if found.kind not in STRUCTURE and 0 < found.words < len(piece):
            body = piece[found.words].start
        where.enter(found, said, part)
    else:
        found = None
        if part.kind == "heading":
            where.enter_title(" ".join(said), part.level)
        elif is_first:
            where.leave()
    where.paragraph = paragraph
    words = [word.casefold() for word in masked([token.text for token in piece if token.start >= body])]
    label = (found.kind, found.value) if found else None
    return Unit(start, body, piece[-1].stop, part.kind, words, squeezed(words), where.address, label, paragraph)


def _counts(label: Label, said: Sequence[str], part: Part, *, is_first: bool) -> bool:
    """Whether the number at the start of a unit is its own, and not one that its sentence begins with."""
    if part.kind == "heading":
        return True
    if label.kind in STRUCTURE:
        return is_first and label.marker.startswith("제") and title_end(" ".join(said)) > len(label.marker)
    return is_first and label.kind != "bullet"


def _sentences(tokens: Sequence[Token], *, is_heading: bool) -> list[list[Token]]:
    """Tokens cut after the ends of sentences, and before a number at the start of a line that follows one."""
    found: list[list[Token]] = [[]]
    for token in tokens:
        now = found[-1]
        if now and not is_heading and _ENDS.search(now[-1].text) and not _is_label(now):
            found.append([])
        found[-1].append(token)
    return found


def _is_label(tokens: Sequence[Token]) -> bool:
    """Whether these tokens are nothing but a number: "1." ends no sentence."""
    found = label_of([token.text for token in tokens])
    return found is not None and found.words == len(tokens)


class _Where:
    """Where in a document the next unit stands."""

    def __init__(self) -> None:
        self.paragraph = -1
        """The last one that a unit was of."""

        self._headings: list[tuple[float, str, str]] = []
        self._items: list[tuple[Kind, str]] = []

    @property
    def article(self) -> Address:
        """The innermost heading."""
        return self._made([])

    @property
    def address(self) -> Address:
        """With the numbers of items."""
        return self._made([marker for _, marker in self._items])

    def _made(self, items: Sequence[str]) -> Address:
        names = [self._headings[-1][1]] if self._headings and self._headings[-1][1] else []
        return Address((*names, *items), (*(title for _, _, title in self._headings), *items))

    def enter(self, label: Label, said: Sequence[str], part: Part) -> None:
        """A numbered unit begins."""
        kind = label.kind
        if kind in STRUCTURE or part.kind == "heading":
            rank = float(RANKS[kind]) if kind in STRUCTURE else RANKS["article"] + 0.1 * max(part.level, 1)
            self._enter(rank, label.marker.rstrip(".:"), " ".join(said))
            return
        known = next((index for index, (other, _) in enumerate(self._items) if other == kind), None)
        if known is not None:
            del self._items[known:]
        if len(self._items) < _MOST_DEEP:
            self._items.append((kind, label.marker))

    def enter_title(self, title: str, level: int) -> None:
        """A heading without a number begins."""
        self._enter(RANKS["article"] + 0.1 * max(level, 1) + 0.05, title[:80], title)

    def leave(self) -> None:
        """A paragraph without a number begins: it stands in no item."""
        self._items.clear()

    def _enter(self, rank: float, name: str, title: str) -> None:
        while self._headings and self._headings[-1][0] >= rank:
            self._headings.pop()
        self._headings.append((rank, name, title[:200]))
        self._items.clear()
