"""What is compared beside the body: running lines once per document, contents, and pictures."""

import re
from collections.abc import Iterable, Iterator, Sequence

from services.pdf.worker.diff.alignment import align, gaps
from services.pdf.worker.diff.atoms import Text
from services.pdf.worker.diff.changes import Change, Side, op_of, side_of
from services.pdf.worker.diff.document import Document, Entry
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.units import Address, Body, glue, squeezed
from services.pdf.worker.layout.line_ends import LineEnds

_LEADERS = re.compile(r"\s*(?:[.·\u2024-\u2026\u22ef\u30fb_]\s?){3,}\s*\S{0,8}$|\s+\d{1,4}$")
_PAGE = re.compile(r"\d+")
_MOST_RUNNING = 50
"""Wordings of running lines that are compared, at most; a title that changes from page to page has more."""


def running_changes(left: Sequence[Entry], right: Sequence[Entry], ends: LineEnds) -> Iterator[Change]:
    """The running lines whose wording changed, each once for the whole document; page numbers are none."""
    mine, theirs = _wordings(left), _wordings(right)
    matches = align(list(mine), list(theirs))
    for start, stop, begin, end in gaps(matches, len(mine), len(theirs)):
        gone, new = list(mine.values())[start:stop], list(theirs.values())[begin:end]
        for index in range(max(len(gone), len(new))):
            old = _whole(gone[index], ends) if index < len(gone) else None
            now = _whole(new[index], ends) if index < len(new) else None
            yield Change(op_of(old, now), "furniture", old, now, (-1, index))


def without_body(changes: Iterable[Change], flow: Flow) -> list[Change]:
    """The changes without lines that the other side has in its body: one side alone took them for running lines."""
    loose = {(change.op, _said(change)): change for change in flow.changes if change.op in {"insert", "delete"}}
    kept = []
    for change in changes:
        other = loose.get(("delete" if change.op == "insert" else "insert", _said(change)))
        if change.op != "modify" and other is not None and other in flow.changes:
            flow.explain(other)
        else:
            kept.append(change)
    return kept


def _said(change: Change) -> str:
    side = change.right or change.left
    return squeezed(side.text.split()) if side else ""


def _wordings(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Each wording once, numbers aside, in the order in which they come, without those that are a page's number."""
    first: dict[str, Entry] = {}
    for entry in entries:
        letters = _PAGE.sub("", entry.text)
        if any(each.isalpha() for each in letters):
            first.setdefault(squeezed(entry.text.split()), entry)
    shapes: dict[str, list[str]] = {}
    for key in first:
        shapes.setdefault(_PAGE.sub("#", key), []).append(key)
    kept = [keys[0] for keys in shapes.values()]
    return {key: first[key] for key in kept[:_MOST_RUNNING]}


def _whole(entry: Entry, ends: LineEnds) -> Side:
    text = Text()
    text.add(entry.atoms)
    text.end()
    glue(text, ends)
    return side_of(text, 0, len(text.atoms), in_body=False)


def contents_changes(left: Sequence[Entry], right: Sequence[Entry], flow: Flow, ends: LineEnds) -> Iterator[Change]:
    """The entries of contents that changed: derived where they say what the headings now say, page numbers aside."""
    mine, theirs = ([_entry_key(entry) for entry in side] for side in (left, right))
    headings, others = _headings(flow.left), _headings(flow.right)
    touched = _touched(flow)
    partner = {pair.left: pair.right for pair in flow.pairs}
    for start, stop, begin, end in gaps(align(mine, theirs), len(mine), len(theirs)):
        open_right = {others.get(theirs[index]): index for index in range(begin, end)}
        for index in range(start, stop):
            heading = headings.get(mine[index])
            other = open_right.pop(partner.get(heading, -1) if heading is not None else -1, None)
            cause = touched[0].get(heading) if heading is not None else None
            if other is None:
                yield Change("delete", "contents", _whole(left[index], ends), None, (-1, begin, index), cause=cause)
                continue
            sides = _whole(left[index], ends), _whole(right[other], ends)
            yield Change("modify", "contents", *sides, (-1, other, index), cause=cause)
        for heading, other in open_right.items():
            cause = touched[1].get(heading) if heading is not None else None
            yield Change("insert", "contents", None, _whole(right[other], ends), (-1, other, 0), cause=cause)


def _entry_key(entry: Entry) -> str:
    return squeezed(_LEADERS.sub("", entry.text).split())


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


def picture_changes(left: Document, right: Document, bodies: tuple[Body, Body]) -> Iterator[Change]:
    """The pictures whose decoded pixels changed; those that nobody looked at are not compared."""
    mine, theirs = (
        [index for index, part in enumerate(each.parts) if part.kind == "image" and part.digest]
        for each in (left, right)
    )
    matches = align([left.parts[index].digest for index in mine], [right.parts[index].digest for index in theirs])
    for start, stop, begin, end in gaps(matches, len(mine), len(theirs)):
        gone, new = mine[start:stop], theirs[begin:end]
        for index in range(max(len(gone), len(new))):
            old = gone[index] if index < len(gone) else None
            now = new[index] if index < len(new) else None
            places = _stands(left, bodies[0], old), _stands(right, bodies[1], now)
            sides = [None if each is None else each[0] for each in places]
            addresses = [None if each is None else each[1] for each in places]
            point = (places[1] or places[0] or (None, None, 0))[2]
            op = op_of(*sides)
            yield Change(op, "image", sides[0], sides[1], (point, index), (addresses[0], addresses[1]))


def _stands(document: Document, body: Body, at: int | None) -> tuple[Side, Address, int] | None:
    """A picture as a side, the article in which it stands, and how many atoms of the body are before it."""
    if at is None:
        return None
    part = document.parts[at]
    return Side("", [], box=(part.page, part.box)), body.places[at], body.points[at]
