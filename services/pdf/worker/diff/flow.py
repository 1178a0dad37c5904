"""The changes between two flows of words: what was inserted, deleted, modified and moved."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from services.pdf.worker.diff.alignment import Match
from services.pdf.worker.diff.changes import Change, Kind, Op, gap_at, side_of
from services.pdf.worker.diff.note_numbers import counted_on_page
from services.pdf.worker.diff.pairing import Move, Pairing, pair_units
from services.pdf.worker.diff.units import Body, Unit
from services.pdf.worker.diff.wording import Gap, Pair, compare_words

_ALIKE = 0.5
"""From 0 to 1: what is left of a gap is compared word by word if it is at least so much alike."""

_CAPPED = 0.5
"""The confidence of changes in a gap too large for its units to be paired: some may be there on both sides."""


@dataclass(slots=True)
class Numbered:
    """A number of a place that differs: that of a unit itself, or a reference in its text."""

    change: Change
    left: Unit
    right: Unit
    is_own: bool
    words: tuple[str, str] = ("", "")
    """The words that name it, left and right."""


@dataclass
class Flow:
    """Two flows of words compared."""

    left: Body
    right: Body
    kind: Kind
    pairing: Pairing = field(default_factory=Pairing)
    changes: list[Change] = field(default_factory=list)
    """All of them but those of numbers."""

    numbered: list[Numbered] = field(default_factory=list)
    pairs: list[Match] = field(default_factory=list)
    """The units that belong together, moved ones too."""

    same: list[Pair] = field(default_factory=list)
    """The words that are equal."""

    explained: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    """Atoms of both sides that are elsewhere on the other: in a table that one side has as running text."""

    _counted: tuple[Collection[int], Collection[int]] = ((), ())
    """The notes, by identity, whose numbers only count them."""

    def compare(self) -> None:
        """Finds the changes."""
        if self.kind == "note":
            self._counted = counted_on_page(self.left), counted_on_page(self.right)
        self.pairing = pair_units(self.left.units, self.right.units)
        for pair in self.pairing.same:
            self._compare_pair(pair, None)
        for move in self.pairing.moves:
            self._move(move)
        for mine, theirs in self._left_over():
            first = len(self.changes)
            self._compare_rest(mine, theirs)
            if not (self.pairing.capped[0].isdisjoint(mine) and self.pairing.capped[1].isdisjoint(theirs)):
                for change in self.changes[first:]:
                    change.confidence *= _CAPPED
        self.pairs = sorted([*self.pairing.same, *(pair for move in self.pairing.moves for pair in move.pairs)])

    def _compare_pair(self, pair: Match, move: Change | None) -> None:
        unit, other = self.left.units[pair.left], self.right.units[pair.right]
        self._compare_labels(unit, other, move)
        found = compare_words(self.left.text, self.right.text, (unit.body, unit.stop), (other.body, other.stop))
        self.same += found.same
        for gap in found.gaps:
            self.changes.append(self._changed(gap, unit, other, move))
        for left, right in found.numbers:
            change = self._changed(Gap(left.start, left.stop, right.start, right.stop), unit, other, move)
            is_own = unit.kind == other.kind == "heading" and bool(unit.label) and left.start <= unit.body + 1
            self.numbered.append(Numbered(change, unit, other, is_own, (left.text, right.text)))

    def _compare_labels(self, unit: Unit, other: Unit, move: Change | None) -> None:
        said = self.left.text.say(unit.start, unit.body), self.right.text.say(other.start, other.body)
        if said[0] != said[1] and not (id(unit) in self._counted[0] and id(other) in self._counted[1]):
            gap = Gap(unit.start, unit.body, other.start, other.body)
            self.numbered.append(Numbered(self._changed(gap, unit, other, move), unit, other, is_own=True, words=said))

    def _changed(self, gap: Gap, unit: Unit, other: Unit, move: Change | None) -> Change:
        op: Op = "modify" if gap.start < gap.stop and gap.begin < gap.end else "insert"
        if gap.begin == gap.end:
            op = "delete"
        kind: Kind = "title" if self.kind == "text" and unit.kind == other.kind == "heading" else self.kind
        change = Change(
            op,
            kind,
            side_of(self.left.text, gap.start, gap.stop) if gap.start < gap.stop else None,
            side_of(self.right.text, gap.begin, gap.end) if gap.begin < gap.end else None,
            (gap.begin, gap.start, 1),
            (unit.address, other.address),
            inside=move,
        )
        if op == "insert":
            change.gap = gap_at(self.left.text, gap.start)
        elif op == "delete":
            change.gap = gap_at(self.right.text, gap.begin)
        return change

    def _move(self, move: Move) -> None:
        first, last = move.pairs[0], move.pairs[-1]
        unit, other = self.left.units[first.left], self.right.units[first.right]
        start, stop = unit.start, self.left.units[last.left].stop
        begin, end = other.start, self.right.units[last.right].stop
        change = Change(
            "move",
            self.kind,
            side_of(self.left.text, start, stop),
            side_of(self.right.text, begin, end),
            (begin, start, 0),
            (unit.address, other.address),
        )
        self.changes.append(change)
        for pair in move.pairs:
            self._compare_pair(pair, change)

    def _left_over(self) -> Iterator[tuple[list[int], list[int]]]:
        """The units that belong to none, by where they stand: left and right, between two that stay."""
        moved = [pair for move in self.pairing.moves for pair in move.pairs]
        gone = {pair.left for pair in moved}, {pair.right for pair in moved}
        before = Match(-1, -1)
        for pair in [*self.pairing.same, Match(len(self.left.units), len(self.right.units))]:
            mine = [index for index in range(before.left + 1, pair.left) if index not in gone[0]]
            theirs = [index for index in range(before.right + 1, pair.right) if index not in gone[1]]
            if mine or theirs:
                yield mine, theirs
            before = pair

    def _compare_rest(self, mine: Sequence[int], theirs: Sequence[int]) -> None:
        runs, others = list(_runs(mine)), list(_runs(theirs))
        if len(runs) == 1 == len(others) and self._are_alike(mine, theirs):
            unit, last = self.left.units[mine[0]], self.left.units[mine[-1]]
            other, end = self.right.units[theirs[0]], self.right.units[theirs[-1]]
            found = compare_words(self.left.text, self.right.text, (unit.start, last.stop), (other.start, end.stop))
            self.same += found.same
            for gap in found.every:
                self.changes.append(
                    self._changed(gap, self.left.unit_of(gap.start), self.right.unit_of(gap.begin), None)
                )
            return
        for run in runs:
            start, stop = self.left.units[run[0]].start, self.left.units[run[-1]].stop
            place = self.place_of(start)
            change = Change(
                "delete", self._kind(self.left, run), side_of(self.left.text, start, stop), None, (place, start, 0)
            )
            change.address = self.left.units[run[0]].address, None
            change.gap = gap_at(self.right.text, place)
            self.changes.append(change)
        for run in others:
            start, stop = self.right.units[run[0]].start, self.right.units[run[-1]].stop
            change = Change(
                "insert", self._kind(self.right, run), None, side_of(self.right.text, start, stop), (start, 0, 0)
            )
            change.address = None, self.right.units[run[0]].address
            change.gap = gap_at(self.left.text, self._left_place_of(start))
            self.changes.append(change)

    def _kind(self, body: Body, run: Sequence[int]) -> Kind:
        return (
            "title" if self.kind == "text" and all(body.units[index].kind == "heading" for index in run) else self.kind
        )

    def _are_alike(self, mine: Sequence[int], theirs: Sequence[int]) -> bool:
        words = Counter(word for index in mine for word in self.left.units[index].words)
        others = Counter(word for index in theirs for word in self.right.units[index].words)
        total = words.total() + others.total()
        return bool(total) and 2 * (words & others).total() / total >= _ALIKE

    def place_of(self, atom: int) -> int:
        """Where on the right an atom of the left side would stand: after what it stands behind and stays."""
        index = bisect_left(self.pairing.same, atom, key=lambda pair: self.left.units[pair.left].start)
        return self.right.units[self.pairing.same[index - 1].right].stop if index else 0

    def _left_place_of(self, atom: int) -> int:
        index = bisect_left(self.pairing.same, atom, key=lambda pair: self.right.units[pair.right].start)
        return self.left.units[self.pairing.same[index - 1].left].stop if index else 0

    def explain(self, change: Change) -> None:
        """Takes a change back whose words the other side has elsewhere."""
        self.changes.remove(change)
        for side, atoms in zip((change.left, change.right), self.explained, strict=True):
            if side and side.span:
                atoms.update(range(*side.span))

    def marked(self) -> tuple[set[int], set[int]]:
        """The atoms of both sides that changes mark; a format changes no word."""
        found = set(self.explained[0]), set(self.explained[1])
        for change in [*self.changes, *(each.change for each in self.numbered)]:
            for side, marks in zip((change.left, change.right), found, strict=True):
                if side and side.span and change.op != "format":
                    marks.update(range(*side.span))
        return found


def _runs(indices: Sequence[int]) -> Iterator[list[int]]:
    """Indices that follow each other without a hole."""
    run: list[int] = []
    for index in indices:
        if run and index != run[-1] + 1:
            yield run
            run = []
        run.append(index)
    if run:
        yield run
