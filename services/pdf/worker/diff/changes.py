"""A change: what stands on both sides, where, and what it follows from."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.atoms import Atom, Text
from services.pdf.worker.diff.units import Address, glue
from services.pdf.worker.layout.line_ends import LineEnds

Op: TypeAlias = Literal["insert", "delete", "modify", "move", "format"]
Kind: TypeAlias = Literal["text", "title", "table", "image", "note", "furniture", "contents"]

_DOUBT = 0.85
"""From 0 to 1: a word recognised with less confidence may be another."""

_AROUND = 5
"""Words before and after a change that are told with it."""


@dataclass(slots=True)
class Side:
    """What a change is about on one side."""

    text: str
    atoms: list[Atom]
    before: str = ""
    after: str = ""
    span: tuple[int, int] | None = None
    """Of its atoms in the body; None for what does not stand there."""

    box: tuple[int, Box] | None = None
    """Of a picture: its page and place."""


@dataclass(slots=True, eq=False)
class Change:
    """One change."""

    op: Op
    kind: Kind
    left: Side | None
    right: Side | None
    place: tuple[float, ...]
    """By which changes are put in reading order."""

    address: tuple[Address | None, Address | None] = (None, None)
    """On the left and on the right."""

    gap: tuple[int, Box] | None = None
    """Of an insert or a delete: the page and the place on the side that lacks it."""

    cell: tuple[int, int, int] | None = None
    """Of a table's cell: the table, the row and the column, each from 1."""

    cause: "Change | None" = None
    """What it follows from, if it is derived."""

    inside: "Change | None" = None
    """The move of which its words are part."""

    format: dict[str, tuple[object, object]] = field(default_factory=dict)
    """What letters look like, left and right: "bold", "size" (points)."""

    confidence: float = 1.0
    uncertain: bool = False
    """Whether recognition may explain it."""

    id: str = ""


def op_of(left: object, right: object) -> Op:
    """What happened to what is on these sides, None where it is missing."""
    return "modify" if left is not None and right is not None else "insert" if right is not None else "delete"


def side_of(text: Text, start: int, stop: int, *, in_body: bool = True) -> Side:
    """The atoms from `start` to before `stop` of a text, as one side of a change."""
    return Side(
        text.say(start, stop),
        text.atoms[start:stop],
        text.say(max(start - _AROUND, 0), start),
        text.say(stop, min(stop + _AROUND, len(text.atoms))),
        (start, stop) if in_body else None,
    )


def whole_side(atoms: Sequence[Atom], ends: LineEnds) -> Side:
    """Atoms that do not stand in the body, as one side of a change."""
    text = Text.of(atoms)
    glue(text, ends)
    return side_of(text, 0, len(text.atoms), in_body=False)


def marks_of(changes: Iterable[Change]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """The places of the atoms that these changes mark, left and right; a format changes no word."""
    found: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    for change in changes:
        for side, marks in zip((change.left, change.right), found, strict=True):
            if side and change.op != "format":
                marks.update(atom.place for atom in side.atoms)
    return found


def gap_at(text: Text, index: int) -> tuple[int, Box] | None:
    """Where in a text something is missing: after the atom before `index`, or before the first one."""
    if not text.atoms:
        return None
    if index:
        atom = text.atoms[index - 1]
        return atom.page, Box(atom.box.x1, atom.box.y0, atom.box.x1, atom.box.y1)
    atom = text.atoms[0]
    return atom.page, Box(atom.box.x0, atom.box.y0, atom.box.x0, atom.box.y1)


def judge(change: Change) -> None:
    """Lowers a change's confidence to that of its words; what was recognised with doubt is uncertain."""
    atoms = [atom for side in (change.left, change.right) if side for atom in side.atoms]
    least = min((atom.confidence for atom in atoms), default=1.0)
    change.confidence *= least
    change.uncertain = least < _DOUBT and any(atom.is_recognised for atom in atoms)


def name_all(changes: Iterable[Change]) -> None:
    """Gives each change its id: of what it says and where, not of the pages it stands on."""
    seen: dict[str, int] = {}
    for change in changes:
        sides = [side.text if side else "" for side in (change.left, change.right)]
        addresses = [address.text if address else "" for address in change.address]
        said = "\0".join([change.op, change.kind, *sides, *addresses, *_context(change)])
        count = seen[said] = seen.get(said, 0) + 1
        digest = hashlib.sha256(f"{said}\0{count}".encode()).hexdigest()
        change.id = f"c-{digest[:12]}"


def _context(change: Change) -> Sequence[str]:
    side = change.right or change.left
    return (side.before, side.after) if side else ()
