"""Running lines compared: each wording once per document, and where both have the same pages, page by page too.

A number in a running line is that of the page if it counts as the pages do, or the last page's; every other number is
part of the wording.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from services.pdf.worker.diff.alignment import align, gaps
from services.pdf.worker.diff.atoms import Atom
from services.pdf.worker.diff.changes import Change, op_of, whole_side
from services.pdf.worker.diff.document import Entry
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.proof import are_equal
from services.pdf.worker.diff.units import squeezed
from services.pdf.worker.layout.line_ends import LineEnds

_NUMBER = re.compile(r"(\d{1,9})")
_MOST = 2_000
"""Wordings of running lines that are compared, at most; with more the comparison is not complete."""

_FEW = 0.2
"""The share of pages on which lines may differ one by one; if there are more, they follow where chapters begin."""


def running_changes(
    left: Sequence[Entry], right: Sequence[Entry], last_pages: tuple[int, int], ends: LineEnds, *, same_pages: bool
) -> Iterator[Change]:
    """The running lines whose wording changed, each once; page numbers are none.

    `last_pages`: the numbers of the last page of each side. `same_pages`: both have pages with the same numbers.
    """
    mine, theirs = _keyed(left, last_pages[0]), _keyed(right, last_pages[1])
    first, now = _once(mine), _once(theirs)
    matches = align(list(first), list(now))
    told: set[str] = set()
    for start, stop, begin, end in gaps(matches, len(first), len(now)):
        gone, new = list(first)[start:stop], list(now)[begin:end]
        told.update(gone, new)
        for index in range(max(len(gone), len(new))):
            yield _change(
                first[gone[index]] if index < len(gone) else None,
                now[new[index]] if index < len(new) else None,
                (-1, index),
                ends,
            )
    if same_pages:
        yield from _by_page(mine, theirs, told, last_pages[0], ends)


def are_few(*sides: Sequence[Entry]) -> bool:
    """Whether all wordings of the running lines of both sides are compared."""
    return all(len({entry.text for entry in side}) <= _MOST for side in sides)


def without_body(changes: Iterable[Change], flow: Flow) -> list[Change]:
    """The changes without lines that the other side has in its body: one side alone took them for running lines."""
    loose = {(change.op, _said(change)): change for change in flow.changes if change.op in {"insert", "delete"}}
    kept = []
    for change in changes:
        other = loose.get(("delete" if change.op == "insert" else "insert", _said(change)))
        is_there = other is not None and other in flow.changes and are_equal(_atoms(change), _atoms(other))
        if change.op != "modify" and other is not None and is_there:
            flow.explain(other)
        else:
            kept.append(change)
    return kept


def _said(change: Change) -> str:
    side = change.right or change.left
    return squeezed(side.text.split()) if side else ""


def _atoms(change: Change) -> Sequence[Atom]:
    side = change.right or change.left
    return side.atoms if side else ()


def _by_page(
    mine: Sequence[tuple[str, Entry]],
    theirs: Sequence[tuple[str, Entry]],
    told: set[str],
    pages: int,
    ends: LineEnds,
) -> Iterator[Change]:
    """Lines that one page alone lacks, or has instead of others; those that are `told` aside."""
    sides = []
    for keyed in (mine, theirs):
        lines: defaultdict[int, dict[tuple[str, int], Entry]] = defaultdict(dict)
        counts: Counter[tuple[int, str]] = Counter()
        for key, entry in keyed:
            if key not in told:
                lines[entry.page][key, counts[entry.page, key]] = entry
                counts[entry.page, key] += 1
        sides.append(lines)
    odd = [page for page in sorted({*sides[0], *sides[1]}) if sides[0][page].keys() != sides[1][page].keys()]
    if len(odd) > max(_FEW * pages, 1):
        return
    for page in odd:
        gone = [entry for key, entry in sides[0][page].items() if key not in sides[1][page]]
        new = [entry for key, entry in sides[1][page].items() if key not in sides[0][page]]
        for index in range(max(len(gone), len(new))):
            old, now = (each[index] if index < len(each) else None for each in (gone, new))
            yield _change(old, now, (-1, page, index), ends)


def _keyed(entries: Iterable[Entry], last_page: int) -> list[tuple[str, Entry]]:
    """Each line with its wording, in which a sign stands for the number of its page and another for the last page's."""
    shapes: defaultdict[str, list[tuple[list[str], Entry]]] = defaultdict(list)
    for entry in entries:
        parts = _NUMBER.split(" ".join(entry.text.split()))
        shapes["#".join(parts[::2])].append((parts, entry))
    found: dict[int, str] = {}
    for lines in shapes.values():
        for at in range(1, len(lines[0][0]), 2):
            offsets = Counter(int(parts[at]) - entry.page for parts, entry in lines)
            values = Counter(parts[at] for parts, _ in lines)
            offset, count = offsets.most_common(1)[0]
            counts_pages = count >= max(values.values()) and (len(lines) > 1 or not offset)
            for parts, entry in lines:
                if counts_pages and int(parts[at]) == entry.page + offset:
                    parts[at] = "\0"
                elif int(parts[at]) == last_page:
                    parts[at] = "\1"
        found.update((id(entry), "".join(parts)) for parts, entry in lines)
    return [(found[id(entry)], entry) for lines in shapes.values() for _, entry in lines]


def _once(keyed: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    first: dict[str, Entry] = {}
    for key, entry in sorted(keyed, key=lambda each: each[1].page):
        if len(first) < _MOST:
            first.setdefault(key, entry)
    return first


def _change(old: Entry | None, now: Entry | None, place: tuple[int, ...], ends: LineEnds) -> Change:
    left, right = (None if each is None else whole_side(each.atoms, ends) for each in (old, now))
    return Change(op_of(left, right), "furniture", left, right, place)
