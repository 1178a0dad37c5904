"""Units that belong together although they differ: in place within a gap, or moved elsewhere."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from services.pdf.worker.diff.alignment import Match, align, gaps
from services.pdf.worker.diff.units import Unit
from services.pdf.worker.layout.numbering import STRUCTURE

_ALIKE = 0.5
"""From 0 to 1: units of one place that are less alike are not versions of each other."""

_MOVED_ALIKE = 0.75
"""The same for units that stand apart."""

_LEAST_MOVED = 12
"""Letters of the shortest run that is told as moved: less may stand anywhere."""

_LEAST_WORDS = 4
_PAIRED = 40_000
"""Pairs of units in one gap that are looked at, at most; more are paired by their order."""

_MOST_PAIRED = 400_000
"""The same in all gaps together."""

_FREQUENT = 8
"""A word that more units have does not tell where one of them went."""


@dataclass
class Move:
    """A run of units that moved: pairs of their indices, one after the other on both sides."""

    pairs: list[Match]


@dataclass
class Pairing:
    """Which units belong together."""

    same: list[Match] = field(default_factory=list)
    """In place, in order."""

    moves: list[Move] = field(default_factory=list)
    capped: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    """Units of both sides, by their indices, in gaps too large to be looked at: there may be pairs among them."""


def pair_units(left: Sequence[Unit], right: Sequence[Unit]) -> Pairing:
    """Which units of both sides belong together."""
    found = Pairing()
    matches = align([unit.key for unit in left], [unit.key for unit in right])
    moved = _moved_whole(left, right, matches)
    gone = {pair.left for pair in moved}, {pair.right for pair in moved}
    spent = 0
    for start, stop, begin, end in gaps(matches, len(left), len(right)):
        mine = [index for index in range(start, stop) if index not in gone[0]]
        theirs = [index for index in range(begin, end) if index not in gone[1]]
        size = len(mine) * len(theirs)
        if size > _PAIRED or spent + size > _MOST_PAIRED:
            found.capped[0].update(mine)
            found.capped[1].update(theirs)
            continue
        spent += size
        found.same += _in_order(left, right, mine, theirs)
    found.same = _without_strays(left, right, sorted([*matches, *found.same]))
    moved += _moved_alike(left, right, found.same, moved)
    found.moves = _runs(left, right, moved, found.same)
    return found


def likeness(unit: Unit, other: Unit) -> float:
    """From 0 to 1: twice the words that both have, over all."""
    total = len(unit.words) + len(other.words)
    if not total or max(len(unit.words), len(other.words)) > 3 * min(len(unit.words), len(other.words)) + 3:
        return 0.0
    return 2 * (Counter(unit.words) & Counter(other.words)).total() / total


def _in_order(left: Sequence[Unit], right: Sequence[Unit], mine: Sequence[int], theirs: Sequence[int]) -> list[Match]:
    """The pairs that are most alike as a whole, in order on both sides (Needleman and Wunsch)."""
    if not mine or not theirs:
        return []
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(mine) + 1)]
    alike = [[_in_place(left[i], right[j]) for j in theirs] for i in mine]
    for i in range(len(mine) - 1, -1, -1):
        for j in range(len(theirs) - 1, -1, -1):
            paired = alike[i][j] + best[i + 1][j + 1] if alike[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    found = []
    i = j = 0
    while i < len(mine) and j < len(theirs):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            found.append(Match(mine[i], theirs[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _in_place(unit: Unit, other: Unit) -> float:
    """How alike two units of one place are; 0 where they are no versions of each other."""
    alike = likeness(unit, other)
    if unit.kind == other.kind == "heading" and unit.label and other.label and unit.label[0] == other.label[0]:
        alike = max(alike, _ALIKE + (0.2 if unit.label == other.label else 0.0))
    elif unit.address == other.address and unit.label and unit.label[0] not in STRUCTURE:
        alike += 0.05
    return alike if alike >= _ALIKE else 0.0


def _moved_whole(left: Sequence[Unit], right: Sequence[Unit], matches: Sequence[Match]) -> list[Match]:
    """Units that are the same, do not stay in place, and are once on each side: what is often there went nowhere."""
    mine, theirs = _left_over(left, right, matches)
    count, counts = Counter(unit.key for unit in left), Counter(unit.key for unit in right)
    places = {right[index].key: index for index in theirs}
    return [
        Match(index, places[key])
        for index in mine
        for key in [left[index].key]
        if count[key] == 1 == counts[key] and len(key) >= _LEAST_MOVED and len(left[index].words) >= _LEAST_WORDS
    ]


def _moved_alike(
    left: Sequence[Unit], right: Sequence[Unit], same: Sequence[Match], moved: Sequence[Match]
) -> list[Match]:
    """Units that are left on both sides and more alike than any others."""
    mine, theirs = _left_over(left, right, [*same, *moved])
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index in theirs:
        for word in set(right[index].words):
            holders[word].append(index)
    candidates = [
        (alike, index, other)
        for index in mine
        if len(left[index].words) >= 2 * _LEAST_WORDS
        for other in _near(left[index], holders)
        if (alike := likeness(left[index], right[other])) >= _MOVED_ALIKE
    ]
    found = []
    taken: tuple[set[int], set[int]] = set(), set()
    for _, index, other in sorted(candidates, reverse=True):
        if index not in taken[0] and other not in taken[1]:
            taken[0].add(index)
            taken[1].add(other)
            found.append(Match(index, other))
    return found


def _near(unit: Unit, holders: Mapping[str, Sequence[int]]) -> list[int]:
    """The units with which it has most of the words that few units have."""
    near: Counter[int] = Counter()
    for word in set(unit.words):
        if len(holders.get(word, ())) <= _FREQUENT:
            near.update(holders.get(word, ()))
    return [other for other, _ in near.most_common(_FREQUENT)]


def _left_over(left: Sequence[Unit], right: Sequence[Unit], pairs: Sequence[Match]) -> tuple[list[int], list[int]]:
    mine, theirs = {pair.left for pair in pairs}, {pair.right for pair in pairs}
    return (
        [index for index in range(len(left)) if index not in mine],
        [index for index in range(len(right)) if index not in theirs],
    )


def _without_strays(left: Sequence[Unit], right: Sequence[Unit], same: Sequence[Match]) -> list[Match]:
    """The pairs without sentences that are often there and of whose paragraphs nothing else belongs together."""
    count, counts = Counter(unit.key for unit in left), Counter(unit.key for unit in right)
    sizes = [Counter(unit.paragraph for unit in units) for units in (left, right)]
    common = Counter((left[pair.left].paragraph, right[pair.right].paragraph) for pair in same)
    return [
        pair
        for pair in same
        for unit, other in [(left[pair.left], right[pair.right])]
        if max(count[unit.key], counts[other.key]) == 1
        or common[unit.paragraph, other.paragraph] > 1
        or min(sizes[0][unit.paragraph], sizes[1][other.paragraph]) == 1
    ]


def _runs(left: Sequence[Unit], right: Sequence[Unit], moved: Sequence[Match], same: list[Match]) -> list[Move]:
    """Moved units as runs, with the neighbours that went with them; those are taken from `same`, if they stand there.

    A sentence that is often there may have been taken for another one like it: its paragraph tells where it is.
    """
    known = dict(moved)
    stays = {pair.left: pair.right for pair in same}
    comes = {pair.right: pair.left for pair in same}
    taken = set(known.values())
    todo = deque((pair, step) for pair in moved for step in (1, -1))
    while todo:
        (index, other), step = todo.pop()
        at, to = index + step, other + step
        if not (0 <= at < len(left) and 0 <= to < len(right)) or at in known or to in taken:
            continue
        unit, near = left[at], right[to]
        if at in stays or to in comes:
            is_cut = unit.paragraph == left[index].paragraph and near.paragraph == right[other].paragraph
            if unit.key != near.key or not is_cut or (at in stays and to in comes):
                continue
            comes.pop(stays.pop(at, -1), None)
            stays.pop(comes.pop(to, -1), None)
        elif likeness(unit, near) < _ALIKE:
            continue
        known[at] = to
        taken.add(to)
        todo.appendleft((Match(at, to), step))
    same[:] = sorted(Match(*pair) for pair in stays.items())
    pairs = sorted(Match(index, other) for index, other in known.items())
    numbered = [(pair.left - place, pair.right - place, pair) for place, pair in enumerate(pairs)]
    return [Move([pair for _, _, pair in run]) for _, run in groupby(numbered, key=lambda each: each[:2])]
