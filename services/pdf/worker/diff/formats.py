"""Runs of equal words that look otherwise: sizes beside the body's, weight beside what is usual for such words.

Absolute sizes say nothing: a document that is set anew has others everywhere. Nor does a weight that most such words
have changed to.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from services.pdf.worker.diff.changes import Change, side_of
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.wording import Pair

_Look = TypeVar("_Look", bound=Hashable)

_OTHER_SIZE = 0.08
"""The share of their size, seen beside the body's, by which letters have grown or shrunk."""

_USUAL = 0.5
"""What more than this share of words of one look became is how that look is set now."""

_LEAST_USUAL = 40
"""Words of one look that tell what it became."""


def format_changes(flow: Flow) -> Iterator[Change]:
    """The runs of equal words of one paragraph that look otherwise."""
    sizes = flow.left.text.body_size or 1.0, flow.right.text.body_size or 1.0
    looks: dict[int, tuple[bool, bool, float, float]] = {}
    same = sorted(flow.same, key=lambda pair: pair.right.start)
    for index, pair in enumerate(same):
        atom, other = flow.left.text.atoms[pair.left.start], flow.right.text.atoms[pair.right.start]
        if atom.style and other.style:
            ratios = round(atom.style.size / sizes[0], 2), round(other.style.size / sizes[1], 2)
            looks[index] = atom.is_bold, other.is_bold, *ratios
    bold = _usual((look[0], look[1]) for look in looks.values())
    size = _usual((look[2], look[3]) for look in looks.values())

    def otherwise(index: int) -> tuple[int, bool, bool]:
        if index not in looks:
            return -1, False, False
        was_bold, is_bold, before, now = looks[index]
        is_other_weight = is_bold != was_bold and bold.get(was_bold, was_bold) != is_bold
        is_other_size = _differ(before, now) and _differ(size.get(before, before), now)
        if not is_other_weight and not is_other_size:
            return -1, False, False
        return flow.right.unit_of(same[index].right.start).paragraph, is_other_weight, is_other_size

    for (_, is_other_weight, is_other_size), run in groupby(range(len(same)), otherwise):
        if is_other_weight or is_other_size:
            found = list(run)
            change = _change(flow, [same[index] for index in found])
            look = looks[found[0]]
            if is_other_weight:
                change.format["bold"] = look[:2]
            if is_other_size:
                change.format["size"] = _sizes(flow, same[found[0]], sizes)
            yield change


def _differ(before: float, now: float) -> bool:
    return abs(now - before) > _OTHER_SIZE * before


def _sizes(flow: Flow, pair: Pair, bodies: tuple[float, float]) -> tuple[float, float]:
    """In points; the first is what the earlier size would be beside the later body."""
    before, now = flow.left.text.atoms[pair.left.start].style, flow.right.text.atoms[pair.right.start].style
    sizes = (before.size if before else 0.0) * bodies[1] / bodies[0], now.size if now else 0.0
    return round(sizes[0], 1), round(sizes[1], 1)


def _usual(pairs: Iterable[tuple[_Look, _Look]]) -> dict[_Look, _Look]:
    """What most words of each look became."""
    counts: dict[_Look, Counter[_Look]] = {}
    for before, now in pairs:
        counts.setdefault(before, Counter())[now] += 1
    found = {}
    for before, became in counts.items():
        now, most = became.most_common(1)[0]
        if became.total() >= _LEAST_USUAL and most > _USUAL * became.total():
            found[before] = now
    return found


def _change(flow: Flow, run: Sequence[Pair]) -> Change:
    first, last = run[0], run[-1]
    left = side_of(flow.left.text, first.left.start, last.left.stop)
    right = side_of(flow.right.text, first.right.start, last.right.stop)
    addresses = flow.left.unit_of(first.left.start).address, flow.right.unit_of(first.right.start).address
    return Change("format", flow.kind, left, right, (first.right.start, first.left.start, 2), addresses)
