"""Which elements of two sequences stay in place: patience, then a plain comparison of what is short.

Elements that are once in both are anchors, of which the longest increasing run is kept (Bram Cohen's patience diff); so
on between two anchors. Where nothing is unique, the n-th of a kind is an anchor for the n-th: in a text that repeats
itself most anchors then agree, and those that do not fall out of the run. Short rests are compared by difflib.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

_PLAIN = 40_000
"""Elements of one side times those of the other that are compared in full, at most."""


_WORK = 100
"""How often each element is looked at, on average and at most; what is not aligned by then counts as changed."""


class Match(NamedTuple):
    """An element that stays: its places on both sides."""

    left: int
    right: int


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    """The elements that stay in place, in order. Its time grows little faster than the lengths."""
    found: list[Match] = []
    todo = [(0, len(left), 0, len(right))]
    left_work = _WORK * (len(left) + len(right))
    while todo and left_work > 0:
        start, stop, begin, end = todo.pop()
        left_work -= stop - start + end - begin
        while start < stop and begin < end and left[start] == right[begin]:
            found.append(Match(start, begin))
            start, begin = start + 1, begin + 1
        while start < stop and begin < end and left[stop - 1] == right[end - 1]:
            stop, end = stop - 1, end - 1
            found.append(Match(stop, end))
        if start == stop or begin == end:
            continue
        anchors = _anchors(left[start:stop], right[begin:end])
        if not anchors and (stop - start) * (end - begin) <= _PLAIN:
            matcher = SequenceMatcher(None, left[start:stop], right[begin:end], autojunk=False)
            for i, j, size in matcher.get_matching_blocks():
                found += [Match(start + i + k, begin + j + k) for k in range(size)]
            continue
        if not anchors:
            anchors = _anchors(_counted(left[start:stop]), _counted(right[begin:end]))
        placed = [Match(start + i, begin + j) for i, j in anchors]
        found += placed
        if placed:
            edges = [Match(start - 1, begin - 1), *placed, Match(stop, end)]
            todo += [(a.left + 1, b.left, a.right + 1, b.right) for a, b in pairwise(edges)]
    return sorted(found)


def gaps(matches: Sequence[Match], left: int, right: int) -> Iterator[tuple[int, int, int, int]]:
    """What stands between the matches of sequences of these lengths: start and stop left, start and stop right."""
    for before, after in pairwise([Match(-1, -1), *matches, Match(left, right)]):
        gap = (before.left + 1, after.left, before.right + 1, after.right)
        if gap[0] < gap[1] or gap[2] < gap[3]:
            yield gap


def _anchors(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Match]:
    """What is once on both sides: the longest run of it that is in order."""
    theirs = Counter(right)
    places = {element: place for place, element in enumerate(right) if theirs[element] == 1}
    mine = Counter(left)
    common = [
        Match(place, places[element]) for place, element in enumerate(left) if mine[element] == 1 and element in places
    ]
    return _increasing(common)


def _counted(elements: Sequence[Hashable]) -> list[Hashable]:
    """Each with how often it was there before."""
    seen: Counter[Hashable] = Counter()
    found: list[Hashable] = []
    for element in elements:
        found.append((element, seen[element]))
        seen[element] += 1
    return found


def _increasing(pairs: Sequence[Match]) -> list[Match]:
    """The longest run whose places on the right increase; those on the left do."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, pair in enumerate(pairs):
        at = bisect_left(ends, pair.right)
        before.append(last[at - 1] if at else -1)
        ends[at : at + 1] = [pair.right]
        last[at : at + 1] = [index]
    found = []
    index = last[-1] if last else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]
