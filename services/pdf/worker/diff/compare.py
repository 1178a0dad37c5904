"""Two documents compared: every change between them, and the proof that there is no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from services.pdf.worker.diff.changes import Change, Side, judge, name_all, op_of, side_of
from services.pdf.worker.diff.contents import contents_changes
from services.pdf.worker.diff.derived import Renumbering, Warned
from services.pdf.worker.diff.document import Document, Picture, beside_text, sort_out
from services.pdf.worker.diff.flow import Flow
from services.pdf.worker.diff.formats import format_changes
from services.pdf.worker.diff.picture_changes import picture_changes
from services.pdf.worker.diff.proof import unequal
from services.pdf.worker.diff.running import are_few, running_changes, without_body
from services.pdf.worker.diff.tables import pair_tables, table_changes, unproved, without_dissolved
from services.pdf.worker.diff.units import Address, Body, body_of
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.words import Reading

_MOST_REPAIRS = 50
"""Paragraphs that are told whole because the proof failed there, at most; then the comparison is not complete."""

_DIFFERENT = 0.2
"""The share of words that stay, below which two documents are no revisions of each other."""


@dataclass(slots=True)
class Comparison:
    """What was found."""

    changes: list[Change] = field(default_factory=list)
    """In reading order, with their ids."""

    warnings: list[Warned] = field(default_factory=list)
    similarity: float = 1.0
    """The share of words that stay, from 0 to 1."""

    words: int = 0
    """How many were compared, on the side that has more."""

    is_proven: bool = True
    """Whether, with all marked words taken away, both sides are equal, in order."""

    flows: tuple[Flow, ...] = ()
    """The body and the notes, of which changes of words are."""

    is_different: bool = False
    """Whether the documents are no revisions of each other; then there are no changes."""


def compare(
    left: Mapping[int, Reading],
    right: Mapping[int, Reading],
    pictures: tuple[Mapping[int, Sequence[Picture]], Mapping[int, Sequence[Picture]]] = ({}, {}),
) -> Comparison:
    """Compares what was read of two documents, pages by their numbers from 1; `pictures` are those to compare."""
    ends = LineEnds(chain(left.values(), right.values()))
    mine, theirs = (sort_out(side, beside_text(of, side)) for side, of in zip((left, right), pictures, strict=True))
    tables = pair_tables(mine, theirs)
    bodies = (
        body_of(mine.parts, {pair.left for pair in tables}, ends),
        body_of(theirs.parts, {pair.right for pair in tables}, ends),
    )
    flow = Flow(*bodies, "text")
    flow.compare()
    notes = Flow(body_of(mine.notes, (), ends), body_of(theirs.notes, (), ends), "note")
    notes.compare()
    found = Comparison(flows=(flow, notes))
    _measure(found, flow, mine, theirs)
    if found.is_different:
        return found
    in_tables = without_dissolved(_table_changes(mine, theirs, tables, bodies, ends), flow)
    last_pages = max(left, default=0), max(right, default=0)
    lines = running_changes(mine.running, theirs.running, last_pages, ends, same_pages=left.keys() == right.keys())
    running = without_body([*lines], flow)
    renumbering = Renumbering(flow)
    numbers = renumbering.settle()
    found.warnings = list(renumbering.stale())
    note_numbers = [each.change for each in notes.numbered]
    proofs = _prove(flow), _prove(notes, with_labels=False)
    found.is_proven = all(proofs) and are_few(mine.running, theirs.running)
    found.changes = [
        *flow.changes,
        *numbers,
        *format_changes(flow),
        *in_tables,
        *picture_changes(mine, theirs, bodies),
        *_after(notes.changes + note_numbers, len(bodies[1].text.atoms)),
        *contents_changes(mine.contents, theirs.contents, flow, ends),
        *running,
    ]
    found.changes.sort(key=lambda change: change.place)
    for change in found.changes:
        judge(change)
    name_all(found.changes)
    return found


def _measure(found: Comparison, flow: Flow, mine: Document, theirs: Document) -> None:
    found.words = max(sum(1 for _ in document.every) for document in (mine, theirs))
    count, counts = len(flow.left.text.atoms), len(flow.right.text.atoms)
    stays = sum(pair.right.stop - pair.right.start for pair in flow.same) + len(flow.numbered)
    # A paragraph's own label is no word of its text, and is compared apart from it.
    words = max(count - len(_labels(flow.left)), counts - len(_labels(flow.right)))
    found.similarity = min(stays / words, 1.0) if words > 0 else 1.0
    found.is_different = min(count, counts) > 0 and found.similarity < _DIFFERENT


def _prove(flow: Flow, *, with_labels: bool = True) -> bool:
    """Checks the changes of a flow; where they do not explain all, the paragraphs around are told. Whether it holds."""
    for _ in range(_MOST_REPAIRS):
        marked, also_marked = flow.marked()
        if not with_labels:
            marked |= _labels(flow.left)
            also_marked |= _labels(flow.right)
        place = unequal(flow.left.text, flow.right.text, marked, also_marked)
        if place is None:
            return True
        flow.changes.append(_whole_units(flow, place, (marked, also_marked)))
    return False


def _labels(body: Body) -> set[int]:
    return {index for unit in body.units for index in range(unit.start, unit.body)}


def _whole_units(flow: Flow, place: tuple[int, int], marked: tuple[set[int], set[int]]) -> Change:
    """The rest of the units at which the proof failed, as one change."""
    sides: list[Side | None] = []
    addresses: list[Address | None] = []
    for body, at, marks in zip((flow.left, flow.right), place, marked, strict=True):
        if at >= len(body.text.atoms):
            sides.append(None)
            addresses.append(None)
            continue
        unit = body.unit_of(at)
        stop = next((index for index in range(at, unit.stop) if index in marks), unit.stop)
        sides.append(side_of(body.text, at, stop))
        addresses.append(unit.address)
    return Change(
        op_of(*sides),
        flow.kind,
        sides[0],
        sides[1],
        (place[1], place[0], 1),
        (addresses[0], addresses[1]),
        confidence=0.5,
    )


def _table_changes(
    mine: Document, theirs: Document, tables: Sequence[tuple[int, int]], bodies: tuple[Body, Body], ends: LineEnds
) -> list[Change]:
    found = []
    for number, (left, right) in enumerate(tables, start=1):
        changes = list(table_changes(mine.parts[left], theirs.parts[right], ends))
        rest = unproved(mine.parts[left], theirs.parts[right], changes)
        for change in [*changes, rest] if rest else changes:
            change.address = bodies[0].places[left], bodies[1].places[right]
            change.place = bodies[1].points[right], 0, *change.place
            if change.cell:
                change.cell = (number, *change.cell[1:])
            found.append(change)
    return found


def _after(changes: Sequence[Change], place: int) -> list[Change]:
    """Notes, after the body."""
    for change in changes:
        change.place = (place, *change.place)
    return [*changes]
