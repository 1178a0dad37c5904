"""Numbers that follow from another change: of articles and items by counting, of references by what they refer to.

A number of its own is derived where it follows the one before it by the rule of counting on both sides, and where
something of its kind was inserted, deleted or moved. A reference is derived where the unit that it names has exactly
that new number. Everything else is a change of its own: a real change told as derived would be the worst fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.pdf.worker.diff.changes import Change
from services.pdf.worker.diff.flow import Flow, Numbered
from services.pdf.worker.diff.numbers import Value, follows, references
from services.pdf.worker.diff.units import Unit
from services.pdf.worker.layout.numbering import STRUCTURE, Kind

_Scope: TypeAlias = tuple[str, Kind, tuple[str, ...]]
"""A side, what is counted there, and in what; headings are counted in the whole document."""

_OTHER_TEXT = ("법", "법률", "령", "」", "』", "Act", "Code", "Regulation", "Directive")
"""Ends of words after which a reference is one to another document."""


@dataclass(slots=True)
class Warned:
    """A reference that should have followed and did not."""

    unit: Unit
    text: str
    now: str
    """What the unit that it named is called now."""


class Renumbering:
    """What became of the numbers of one pair of documents."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._regular = {id(unit) for units in (flow.left.units, flow.right.units) for unit in _regular(units)}
        self._roots = list(_roots(flow))
        self._roots.sort(key=lambda root: root[0].place)
        self._now: dict[tuple[str, Value], tuple[Value, Change | None]] = {}

    def settle(self) -> list[Change]:
        """Gives derived changes their cause; all changes of numbers are returned."""
        own = [each for each in self._flow.numbered if each.is_own]
        for each in own:
            each.change.cause = self._cause_of_own(each)
        caused = {id(each.right): each.change.cause or each.change for each in own}
        titled = {
            change.right.span[0]: change
            for change in self._flow.changes
            if change.kind == "title" and change.right and change.right.span
        }
        for pair in self._flow.pairs:
            unit, other = self._flow.left.units[pair.left], self._flow.right.units[pair.right]
            if unit.label and other.label and (unit.kind == "heading" or unit.label[0] in STRUCTURE):
                kind = "section" if unit.label[0] in {"decimal", "number"} else unit.label[0]
                cause = (
                    caused.get(id(other))
                    or self._nearest(_scopes(unit, other), (other.start,))
                    or titled.get(other.start)
                )
                self._now.setdefault((kind, unit.label[1]), (other.label[1], cause))
        for each in self._flow.numbered:
            if not each.is_own:
                each.change.cause = self._cause_of_reference(each)
        return [each.change for each in self._flow.numbered]

    def stale(self) -> Iterator[Warned]:
        """References that name a unit by a number that it no longer has."""
        for pair in self._flow.pairs:
            unit, other = self._flow.left.units[pair.left], self._flow.right.units[pair.right]
            if unit.kind == "heading" or not any("#" in word for word in unit.words):
                continue
            said = [token.text for token in self._flow.left.text.tokens(unit.body, unit.stop)]
            here = [token.text for token in self._flow.right.text.tokens(other.body, other.stop)]
            theirs = {(here[index], named[0].value) for index, named in references(here)}
            for index, named in references(said):
                first = named[0]
                now = self._now.get((first.kind, first.value))
                is_other = index > 0 and said[index - 1].endswith(_OTHER_TEXT)
                if now and now[0] != first.value and (said[index], first.value) in theirs and not is_other:
                    word = said[index]
                    name = (
                        f"{said[index - 1]} {word[: first.stop]}"
                        if word[0].isdigit() and index
                        else word[: first.stop + 1]
                    )
                    number = "의".join(map(str, now[0])) if "제" in word else ".".join(map(str, now[0]))
                    yield Warned(other, name, name.replace(word[first.start : first.stop], number))

    def _cause_of_own(self, each: Numbered) -> Change | None:
        if each.change.inside is not None:
            return each.change.inside
        if any(unit.label and id(unit) not in self._regular for unit in (each.left, each.right)):
            return None
        return self._nearest(_scopes(each.left, each.right), each.change.place)

    def _nearest(self, scopes: Sequence[_Scope], place: Sequence[float]) -> Change | None:
        """The last change before a place that adds to, takes from or reorders what is counted there; else the next."""
        found = [change for change, counted in self._roots if not counted.isdisjoint(scopes)]
        before = [change for change in found if change.place[0] <= place[0]]
        return before[-1] if before else found[0] if found else None

    def _cause_of_reference(self, each: Numbered) -> Change | None:
        mine, theirs = (list(_named(text)) for text in each.words)
        if len(mine) != len(theirs) or not mine:
            return None
        cause = None
        for (kind, value), (other, number) in zip(mine, theirs, strict=True):
            if value == number and kind == other:
                continue
            now = self._now.get((kind, value)) or (None if kind else self._any(value, number))
            if kind != other or now is None or now[0] != number or now[1] is None:
                return None
            cause = now[1]
        return cause

    def _any(self, value: Value, number: Value) -> tuple[Value, Change | None] | None:
        """What a number became whose kind the word before it says."""
        for (_, known), now in self._now.items():
            if known == value and now[0] == number:
                return now
        return None


def _named(word: str) -> Iterator[tuple[str, Value]]:
    """The places that a word names; a bare number is that of any kind."""
    found = [(each.kind, each.value) for _, named in references([word]) for each in named]
    if not found:
        found = [("", each.value) for _, named in references(["Article", word]) for each in named]
    yield from found


def _scopes(unit: Unit, other: Unit) -> list[_Scope]:
    return [_scope(side, each) for side, each in (("left", unit), ("right", other)) if each.label]


def _scope(side: str, unit: Unit) -> _Scope:
    kind = unit.label[0] if unit.label else "bullet"
    return side, kind, () if unit.kind == "heading" or kind in STRUCTURE else unit.address.path[:-1]


def _roots(flow: Flow) -> Iterator[tuple[Change, set[_Scope]]]:
    """The changes that change what is counted, and where they do."""
    for change in flow.changes:
        if change.op in {"insert", "delete", "move"}:
            counted = {
                _scope(name, unit)
                for name, side, body in (("left", change.left, flow.left), ("right", change.right, flow.right))
                if side and side.span
                for unit in body.units_in(*side.span)
                if unit.label
            }
            if counted:
                yield change, counted


def _regular(units: Sequence[Unit]) -> Iterator[Unit]:
    """The units whose numbers follow those before them, or are the first."""
    last: dict[_Scope, Value] = {}
    for unit in units:
        if unit.label:
            scope = _scope("", unit)
            value, before = unit.label[1], last.get(scope)
            if value == (1,) or (value and before and follows(before, value)):
                yield unit
            last[scope] = value
