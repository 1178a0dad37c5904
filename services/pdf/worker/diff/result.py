"""The result of a comparison as the contract has it."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.atoms import Atom
from services.pdf.worker.diff.changes import Change, Side
from services.pdf.worker.diff.compare import Comparison
from services.pdf.worker.diff.units import Address

_LONGEST = 300
"""Characters of a text whose differences are told letter by letter, at most."""

_ALIKE = 0.5
"""The share of its letters that a text keeps, at least, for these differences to say more than that it is another."""

_NUMBERS = re.compile(r"\d+")
_LETTERS = re.compile(r"\W+")


def described(found: Comparison, most: int = 2_000) -> dict[str, Any]:
    """The result's `relation`, `similarity`, `complete`, `summary`, `changes` and `warnings`."""
    numbers = {id(change): index for index, change in enumerate(found.changes, start=1)}
    changes = [_change(change, numbers[id(change)]) for change in found.changes[:most]]
    relation = "different" if found.is_different else "revision" if found.changes else "same_content"
    return {
        "relation": relation,
        "similarity": round(found.similarity, 4),
        "complete": found.is_proven and not found.is_different,
        "truncated": len(found.changes) > most,
        "message": _message(found),
        "summary": _summary(found),
        "changes": changes,
        "warnings": [
            {
                "code": "stale_reference",
                "address": each.unit.address.text,
                "text": each.text,
                "message": f"{each.text} became {each.now}; this reference still says {each.text}",
            }
            for each in found.warnings
        ],
    }


def is_counted(change: Change) -> bool:
    """Whether a change is one of those that the summary counts: not derived, not furniture, not uncertain."""
    return change.cause is None and change.kind != "furniture" and not change.uncertain


def _message(found: Comparison) -> str:
    if found.is_different:
        return f"These are different documents: {found.similarity:.0%} of the words stay."
    if not found.is_proven:
        return "The changes told do not explain all differences: look at the pages."
    what = "else changed" if found.changes else "changed"
    return f"Nothing {what}: {found.words:,} words compared."


def _summary(found: Comparison) -> dict[str, Any]:
    counted = [change for change in found.changes if is_counted(change)]
    return {
        "changes": len(counted),
        "derived": sum(change.cause is not None for change in found.changes),
        "uncertain": sum(change.uncertain for change in found.changes),
        "furniture": sum(change.kind == "furniture" for change in found.changes),
        "warnings": len(found.warnings),
        "by_op": Counter(change.op for change in counted),
        "by_kind": Counter(change.kind for change in counted),
        "pages_affected": {
            "left": _pages(change.left for change in counted),
            "right": _pages(change.right for change in counted),
        },
    }


def _pages(sides: Any) -> list[int]:
    return sorted({page for side in sides if side for page in _regions(side)})


def _change(change: Change, number: int) -> dict[str, Any]:
    left, right = change.address
    both = change.left is not None and change.right is not None and change.op == "modify"
    inner = _inner(change.left.text, change.right.text) if both and change.left and change.right else ([], [])
    found: dict[str, Any] = {
        "id": change.id,
        "n": number,
        "op": change.op,
        "kind": change.kind,
        "class": class_of(change),
        "derived": change.cause is not None,
        "cause": change.cause.id if change.cause else None,
        "uncertain": change.uncertain,
        "confidence": round(change.confidence, 3),
        "inside": change.inside.id if change.inside else None,
        "address": {
            "left": left.text if left else None,
            "right": right.text if right else None,
            "path": list((right or left or Address()).path),
        },
        "left": _side(change.left, inner[0]),
        "right": _side(change.right, inner[1]),
    }
    if change.cell:
        found["address"]["cell"] = dict(zip(("table", "row", "column"), change.cell, strict=True))
    if change.gap:
        side = "right" if change.right is None else "left"
        found[side] = {"gap": {"page": change.gap[0], "bbox": _rounded(change.gap[1])}}
    if change.format:
        found["format"] = {name: list(values) for name, values in change.format.items()}
    return found


def class_of(change: Change) -> str:
    """What kind of difference of words: "number", "wording", "punctuation", "spacing" or "case"; "" if of none."""
    if change.op == "format" or change.kind == "image":
        return ""
    left, right = (side.text if side else "" for side in (change.left, change.right))
    if left and right:
        if "".join(left.split()) == "".join(right.split()):
            return "spacing"
        if left.casefold() == right.casefold():
            return "case"
    if _LETTERS.sub("", left) == _LETTERS.sub("", right):
        return "punctuation"
    if _NUMBERS.sub("#", left) == _NUMBERS.sub("#", right) or (left + right).strip(".,()").isdecimal():
        return "number"
    return "wording"


def _inner(left: str, right: str) -> tuple[list[list[int]], list[list[int]]]:
    """The ranges of letters that differ, in both texts: "eight" and "seven" differ as a whole."""
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if max(len(left), len(right)) > _LONGEST or matcher.ratio() < _ALIKE:
        return [[0, len(left)]], [[0, len(right)]]
    mine, theirs = [], []
    for op, start, stop, begin, end in matcher.get_opcodes():
        if op != "equal":
            if start < stop:
                mine.append([start, stop])
            if begin < end:
                theirs.append([begin, end])
    return mine, theirs


def _side(side: Side | None, inner: Sequence[list[int]]) -> dict[str, Any] | None:
    if side is None:
        return None
    if side.box:
        return {"text": "", "regions": [{"page": side.box[0], "bbox": [_rounded(side.box[1])]}], "inner": []}
    regions = [
        {"page": page, "bbox": _lines(atoms), "span": [min(a.start for a in atoms), max(a.stop for a in atoms)]}
        for page, atoms in _regions(side).items()
    ]
    return {"text": side.text, "regions": regions, "inner": list(inner), "before": side.before, "after": side.after}


def _regions(side: Side) -> Mapping[int, list[Atom]]:
    """Its atoms by page."""
    if side.box:
        return {side.box[0]: []}
    pages: defaultdict[int, list[Atom]] = defaultdict(list)
    for atom in side.atoms:
        pages[atom.page].append(atom)
    return pages


def _lines(atoms: Sequence[Atom]) -> list[list[float]]:
    """One box for each line, in reading order."""
    boxes: dict[int, Box] = {}
    for atom in atoms:
        boxes[atom.line] = boxes[atom.line].around(atom.box) if atom.line in boxes else atom.box
    return [_rounded(box) for box in boxes.values()]


def _rounded(box: Box) -> list[float]:
    return [round(edge, 2) for edge in box]
