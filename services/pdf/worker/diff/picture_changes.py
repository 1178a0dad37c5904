"""The pictures of two documents compared, by their decoded pixels."""

from collections.abc import Iterator

from services.pdf.worker.diff.alignment import align, gaps
from services.pdf.worker.diff.changes import Change, Side, op_of
from services.pdf.worker.diff.document import Document
from services.pdf.worker.diff.units import Address, Body


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
