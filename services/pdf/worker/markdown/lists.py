"""Items of lists in Markdown: how deep they stand, and the numbers that the document gives them."""

import re
from typing import NamedTuple

from services.pdf.worker.layout.blocks import Block

_DEEPEST = 6
"""Items below stand there: parsers allow few levels."""

_PLAIN_BULLETS = frozenset("•◦▪▫‣·∙●▸►➢➤◾◽⁃-–—−o¢\uf0b7\uf0a7\u30fb\uff65\ufffd")  # noqa: RUF001  # as they stand there
"""Marks that say no more than that an item begins. Others, as ※ and □, are text."""

_ORDERED = re.compile(r"(?P<value>0|[1-9][0-9]{0,8})(?P<sign>[.)])")


class _Open(NamedTuple):
    """The latest item of a list that may go on."""

    depth: int
    inside: int
    """Where its text begins, in columns."""

    value: int
    """Of its number; 0 if Markdown gives it none."""

    sign: str
    """After the number; "" if Markdown gives it none."""


class Begun(NamedTuple):
    """How an item begins."""

    start: str
    """What stands before its text: blanks, and the bullet or number."""

    text: str
    """Of its first part, without what `start` says already."""


class Lists:
    """The lists that are open where Markdown is being written."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    @property
    def are_open(self) -> bool:
        """Whether an item came last."""
        return bool(self._open)

    def close(self) -> None:
        """What follows is no item of these."""
        self._open.clear()

    def begin(self, block: Block, text: str) -> Begun:
        """The next item. `text` is its own, from its mark on; it stands on one line."""
        depth = min(max(block.depth, 1), _DEEPEST)
        is_first = not self._open
        before: _Open | None = None
        while self._open and self._open[-1].depth >= depth:
            before = self._open.pop()
        indent = self._open[-1].inside if self._open else 0
        value, sign = _number(block)
        rest = text[len(block.marker) :].lstrip() if text.startswith(block.marker) else ""
        goes_on = before is not None and (before.depth, before.sign, before.value + 1) == (depth, sign, value)
        if sign and rest and (is_first or goes_on or value == 1):  # others cannot follow a line of text
            start, text = f"{value}{sign} ", rest
        else:
            value, sign, start = 0, "", "- "
            if rest and block.marker and all(mark in _PLAIN_BULLETS for mark in block.marker):
                text = rest
        self._open.append(_Open(depth, indent + len(start), value, sign))
        return Begun(f"{' ' * indent}{start}", text)


def _number(block: Block) -> tuple[int, str]:
    found = _ORDERED.fullmatch(block.marker)
    return (int(found["value"]), found["sign"]) if found else (0, "")
