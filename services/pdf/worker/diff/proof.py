"""The proof of a comparison: with all marked words taken away, both sides are equal, in order.

It walks over the letters of what is left, and knows nothing of how the changes were found.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from services.pdf.worker.diff.atoms import Atom, Joint, Text


@dataclass
class _Rest:
    """The letters that are left of one side."""

    letters: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    """Of each letter the index of its atom."""

    joints: dict[int, int] = field(default_factory=dict)
    """Before the letter at an index, what may stand there if it is not nothing."""


def unequal(left: Text, right: Text, marked: Collection[int], also_marked: Collection[int]) -> tuple[int, int] | None:
    """The atoms, left and right, at which what is not marked stops being equal; None if all of it is.

    An index after the last atom stands for the end. `marked` are atoms of the left side, `also_marked` of the right.
    """
    mine, theirs = _rest(left, marked), _rest(right, also_marked)
    for index, (letter, other) in enumerate(zip(mine.letters, theirs.letters, strict=False)):
        if letter != other or not _may_meet(mine, theirs, index):
            return mine.owners[index], theirs.owners[index]
    shorter = min(len(mine.letters), len(theirs.letters))
    if len(mine.letters) == len(theirs.letters):
        return None
    return (
        mine.owners[shorter] if shorter < len(mine.owners) else len(left.atoms),
        theirs.owners[shorter] if shorter < len(theirs.owners) else len(right.atoms),
    )


def are_equal(left: Sequence[Atom], right: Sequence[Atom]) -> bool:
    """Whether these atoms say the same, in order."""
    return unequal(Text.of(left), Text.of(right), (), ()) is None


def _may_meet(mine: _Rest, theirs: _Rest, index: int) -> bool:
    here, there = mine.joints.get(index, Joint.NOTHING), theirs.joints.get(index, Joint.NOTHING)
    return index == 0 or bool(here & there)


def _rest(text: Text, marked: Collection[int]) -> _Rest:
    rest = _Rest()
    joint = Joint.ANY
    for index in range(len(text.atoms)):
        if index in marked:
            joint = Joint.ANY
            continue
        said = text.bare(index)
        for place, letter in enumerate(said):
            if letter == "-" and 0 < place < len(said) - 1:
                joint = Joint.HYPHEN
                continue
            if joint != Joint.NOTHING:
                rest.joints[len(rest.letters)] = joint
            rest.letters.append(letter)
            rest.owners.append(index)
            joint = Joint.NOTHING
        joint = text.joints[index]
    return rest
