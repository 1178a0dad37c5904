"""Tables of contents compared, entry by entry."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from services.pdf.worker.diff.alignment import align, gaps
from services.pdf.worker.diff.atoms import Atom
from services.pdf.worker.diff.changes import Change, whole_side
from services.pdf.worker.diff.document import Entry
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.proof import are_equal
from services.pdf.worker.diff.units import Body, squeezed
from services.pdf.worker.layout.line_ends import LineEnds

_LEADERS = re.compile(r"\s*(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){3,}\s*\S{0,8}$|\s+\d{1,4}$")
_DOTS = re.compile(r"[\s.·\u2024-\u2026\u22ef\u30fb_]+")


def contents_changes(left: Sequence[Entry], right: Sequence[Entry], flow: Flow, ends: LineEnds) -> Iterator[Change]:
    """The entries of contents that changed: derived where they say what the headings now say.

    A page number that follows its heading to another page is no change.
    """
    lines, others_lines = [_line(entry) for entry in left], [_line(entry) for entry in right]
    mine, theirs = [line.key for line in lines], [line.key for line in others_lines]
    headings, others = _headings(flow.left), _headings(flow.right)
    touched = _touched(flow)
    partner = {pair.left: pair.right for pair in flow.pairs}
    matches = align(mine, theirs)
    for match in matches:
        line, other_line = lines[match.left], others_lines[match.right]
        pages = (
            _beside_heading(line, headings, flow.left),
            _beside_heading(other_line, others, flow.right),
        )
        if not are_equal(line.name, other_line.name) or (line.page != other_line.page and pages[0] != pages[1]):
            sides = whole_side(left[match.left].atoms, ends), whole_side(right[match.right].atoms, ends)
            yield Change("modify", "contents", *sides, (-1, match.right, match.left))
    for start, stop, begin, end in gaps(matches, len(mine), len(theirs)):
        open_right = {others.get(theirs[index]): index for index in range(begin, end)}
        for index in range(start, stop):
            heading = headings.get(mine[index])
            other = open_right.pop(partner.get(heading, -1) if heading is not None else -1, None)
            cause = touched[0].get(heading) if heading is not None else None
            if other is None:
                yield Change(
                    "delete", "contents", whole_side(left[index].atoms, ends), None, (-1, begin, index), cause=cause
                )
                continue
            sides = whole_side(left[index].atoms, ends), whole_side(right[other].atoms, ends)
            yield Change("modify", "contents", *sides, (-1, other, index), cause=cause)
        for heading, other in open_right.items():
            cause = touched[1].get(heading) if heading is not None else None
            yield Change("insert", "contents", None, whole_side(right[other].atoms, ends), (-1, other, 0), cause=cause)


class _Line(NamedTuple):
    """An entry of the contents."""

    name: list[Atom]
    """Without its leaders and its page."""

    page: str
    key: str
    """Of its name."""


def _line(entry: Entry) -> _Line:
    text = " ".join(atom.text for atom in entry.atoms)
    found = _LEADERS.search(text)
    stop = found.start() if found else len(text)
    name = []
    start = 0
    for atom in entry.atoms:
        if start < stop:
            name.append(atom._replace(text=atom.text[: stop - start]))
        start += len(atom.text) + 1
    page = _DOTS.sub("", text[stop:])
    return _Line(name, page, squeezed([atom.text for atom in name]))


def _beside_heading(line: _Line, headings: Mapping[str, int], body: Body) -> int | str:
    """How far the page of an entry is from that on which its heading stands; the page itself if nobody can tell."""
    heading = headings.get(line.key)
    if heading is None or not line.page.isdecimal():
        return line.page
    return int(line.page) - body.text.atoms[body.units[heading].start].page


def _headings(body: Body) -> dict[str, int]:
    return {
        squeezed(body.text.say(unit.start, unit.stop).split()): index
        for index, unit in enumerate(body.units)
        if unit.kind == "heading"
    }


def _touched(flow: Flow) -> tuple[dict[int, Change], dict[int, Change]]:
    """For the units of both sides a change that marks words of them."""
    found: tuple[dict[int, Change], dict[int, Change]] = ({}, {})
    for change in [*flow.changes, *(each.change for each in flow.numbered)]:
        root = change.cause or change
        for side, body, touched in zip((change.left, change.right), (flow.left, flow.right), found, strict=True):
            if side and side.span:
                for index in body.indices_in(*side.span):
                    touched.setdefault(index, root)
    return found
