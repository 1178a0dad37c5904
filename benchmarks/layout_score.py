"""How right blocks are, beside the truth of a made document. Whoever splits or joins paragraphs loses nothing by it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rapidfuzz import fuzz

_IGNORED = re.compile(r"[\s•◦▪‣·-]+")
_FOUND = 60.0
"""Of 100: how alike a block and the truth must be to belong together."""

MISSING = "missing"


class Found(NamedTuple):
    """A block that an engine found, in reading order."""

    type: str
    text: str


@dataclass(slots=True)
class Score:
    """What some documents came to."""

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a block of the first type was found as the second."""

    orders: list[float] = field(default_factory=list)
    """Kendall's τ of each document."""

    leaked: int = 0
    """Running lines in the body."""

    @property
    def accuracy(self) -> float:
        """The share of blocks found as what they are."""
        return sum(count for (true, found), count in self.pairs.items() if true == found) / self.pairs.total()

    def f1(self, kind: str) -> float:
        """Of one type."""
        hits = self.pairs[kind, kind]
        others = sum(count for pair, count in self.pairs.items() if kind in pair) - hits
        return 2 * hits / (2 * hits + others) if hits else 0.0

    def add(self, truth: Mapping[str, Any], blocks: Sequence[Found]) -> None:
        """Adds a document."""
        texts = [_squeezed(block.text) for block in blocks]
        places = []
        for block in truth["blocks"]:
            match = _best(_squeezed(block["text"]), texts)
            self.pairs[block["type"], blocks[match[0]].type if match else MISSING] += 1
            if match and block["type"] != "table":
                places.append(match)
        self.orders.append(_tau(places))
        body = "".join(_squeezed(block.text) for block in blocks if block.type not in {"header", "footer"})
        self.leaked += sum(body.count(_squeezed(line)) for line in truth["running"])


def _squeezed(text: str) -> str:
    return _IGNORED.sub("", text)


def _best(wanted: str, texts: Sequence[str]) -> tuple[int, int] | None:
    """The block that holds most of a text, and where in it; None if none does."""
    best, most = None, _FOUND
    for index, text in enumerate(texts):
        is_inside = len(wanted) <= len(text)
        match = fuzz.partial_ratio_alignment(*((wanted, text) if is_inside else (text, wanted))) if text else None
        if match is not None:
            likeness = match.score * (0.5 + 0.5 * min(1.0, len(text) / len(wanted)))
            if likeness > most or (best is None and likeness == most):
                best, most = (index, match.dest_start if is_inside else 0), likeness
    return best


def _tau(places: Sequence[tuple[int, int]]) -> float:
    count = len(places)
    if count < 2:  # noqa: PLR2004  # one has no order
        return 1.0
    right = sum(places[first] <= places[second] for first in range(count) for second in range(first + 1, count))
    return 4 * right / (count * (count - 1)) - 1
