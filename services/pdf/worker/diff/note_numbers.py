"""The numbers of notes: a page of its own begins with 1, and where pages end is no change."""

from services.pdf.worker.diff.numbers import Value, follows
from services.pdf.worker.diff.units import Body


def counted_on_page(notes: Body) -> set[int]:
    """The notes, by identity, whose numbers only count them: on their page or in the document."""
    found = set()
    before: tuple[int, Value] | None = None
    for unit in notes.units:
        if unit.label is None:
            continue
        page, value = notes.text.atoms[unit.start].page, unit.label[1]
        if (value == (1,) and (before is None or before[0] != page)) or (before and follows(before[1], value)):
            found.add(id(unit))
        before = page, value
    return found
