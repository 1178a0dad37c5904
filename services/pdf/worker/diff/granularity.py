"""Changes of words told by sentences or by articles: those of one become one change, from the first to the last.

Moves, formats, tables, pictures, contents and running lines stay as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from services.pdf.worker.diff.changes import Change, name_all, op_of, side_of
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.units import Body, Unit

Granularity: TypeAlias = Literal["word", "sentence", "article"]

_Node: TypeAlias = tuple[int, int]
"""A side, 0 or 1, and the index of a unit."""

_Key: TypeAlias = tuple[_Node, int]
"""Where changes are told together: a sentence or an article, and the move inside which they are, by identity."""


def told_by(granularity: Granularity, changes: Sequence[Change], flows: Iterable[Flow]) -> list[Change]:
    """The changes as large as asked for, in reading order, with new ids; `flows` are those that they are of."""
    if granularity == "word":
        return [*changes]
    became: dict[int, Change] = {}
    for flow in flows:
        for group in _Grouping(flow, granularity).groups(changes):
            whole = _whole(flow, group)
            became.update((id(change), whole) for change, _ in group)
    found = list(dict.fromkeys(became.get(id(change), change) for change in changes))
    for change in found:
        if change.cause is not None:
            change.cause = became.get(id(change.cause), change.cause)
    found.sort(key=lambda change: change.place)
    name_all(found)
    return found


class _Grouping:
    """Which changes of a flow are told together."""

    def __init__(self, flow: Flow, granularity: Granularity) -> None:
        self._flow = flow
        self._bodies = flow.left, flow.right
        self._partners: dict[_Node, _Node] = {}
        for pair in flow.pairs:
            self._partners[0, pair.left] = 1, pair.right
            self._partners[1, pair.right] = 0, pair.left
        self._by_article = granularity == "article"
        self._articles = [_articles(body.units) for body in self._bodies]
        self._roots: dict[_Node, _Node] = {}

    def groups(self, changes: Iterable[Change]) -> Iterator[list[tuple[Change, set[_Node]]]]:
        """The changes of this flow by group, each with the units of which it is."""
        found = []
        for change in changes:
            if units := self._units(change):
                found.append((change, units))
                nodes = {self._node(unit) for unit in units}
                nodes |= {self._node(self._partners[node]) for node in nodes if node in self._partners}
                if change.inside is None:
                    for node in nodes:
                        self._roots[self._root(node)] = self._root(min(nodes))
        grouped: defaultdict[_Key, list[tuple[Change, set[_Node]]]] = defaultdict(list)
        for change, units in found:
            grouped[self._key(change, units)].append((change, units))
        yield from grouped.values()

    def _key(self, change: Change, units: set[_Node]) -> _Key:
        first = min(units)
        if change.inside is None:
            return self._root(self._node(first)), 0
        return (0, 0) if self._by_article else first, id(change.inside)

    def _units(self, change: Change) -> set[_Node]:
        """The units of a change's words, and those that belong together with them; none if it stays as it is."""
        if change.op in {"move", "format"} or (change.kind == "note") != (self._flow.kind == "note"):
            return set()
        sides = zip((change.left, change.right), self._bodies, strict=True)
        units = {
            (number, index)
            for number, (side, body) in enumerate(sides)
            if side and side.span
            for index in body.indices_in(*side.span)
        }
        return units | {self._partners[unit] for unit in units if unit in self._partners}

    def _node(self, unit: _Node) -> _Node:
        side, index = unit
        return (side, self._articles[side][index]) if self._by_article else unit

    def _root(self, node: _Node) -> _Node:
        while (above := self._roots.get(node, node)) != node:
            self._roots[node] = self._roots.get(above, above)
            node = above
        return node


def _articles(units: Sequence[Unit]) -> list[int]:
    """For each unit the index of the last heading, its own too; 0 before the first."""
    found = []
    last = 0
    for index, unit in enumerate(units):
        if unit.kind == "heading":
            last = index
        found.append(last)
    return found


def _whole(flow: Flow, group: Sequence[tuple[Change, set[_Node]]]) -> Change:
    """Changes as one, of all of their sentences; a change that has all of these is itself."""
    changes = [change for change, _ in group]
    units = set().union(*(units for _, units in group))
    first = min(changes, key=lambda change: change.place)
    extents = [
        _extent(body, [index for number, index in units if number == side])
        for side, body in enumerate((flow.left, flow.right))
    ]
    spans = [side.span if side else None for side in (first.left, first.right)]
    if len(changes) == 1 and spans == [extent and extent[:2] for extent in extents]:
        return first
    left, right = (
        side_of(body.text, *extent[:2]) if extent else None
        for body, extent in zip((flow.left, flow.right), extents, strict=True)
    )
    is_derived = all(change.cause is not None for change in changes)
    return Change(
        op_of(left, right),
        "title" if all(change.kind == "title" for change in changes) else flow.kind,
        left,
        right,
        first.place,
        (extents[0] and extents[0][2].address, extents[1] and extents[1][2].address),
        gap=first.gap if left is None or right is None else None,
        cause=first.cause if is_derived else None,
        inside=first.inside,
        confidence=min(change.confidence for change in changes),
        uncertain=all(change.uncertain for change in changes),
    )


def _extent(body: Body, indices: Sequence[int]) -> tuple[int, int, Unit] | None:
    """From the first atom of these units to after the last, and the first unit."""
    if not indices:
        return None
    first = body.units[min(indices)]
    return first.start, body.units[max(indices)].stop, first
