"""The words of a page in the boxes that the layout model found, in reading order; no word is lost and none is twice."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.words import Reading

_MARGIN = 1.0
"""Points by which a word may stand out of its box."""


class Words(NamedTuple):
    """Neighbouring words of one line of a reading."""

    line: int
    """Index of the line in `Reading.lines`."""

    start: int
    """The first of its words, from 0."""

    stop: int
    """The word after the last."""

    box: Box


@dataclass(slots=True)
class Boxed:
    """A box and the words in it."""

    type: str
    """What the model takes it for (`layout_model`); "text" for words that it has in no box."""

    box: Box
    words: list[Words] = field(default_factory=list)
    """Row by row."""


def in_boxes(reading: Reading, boxes: Iterable[Sequence[float | str]]) -> list[Boxed]:
    """The words that a reader sees, by the smallest box that has their middle; a box without any stays.

    `boxes` are those of `layout_model.find_boxes`. Lines that are in none stand by themselves, before the first box
    below them in their column, or else last. Words without places are in no box.
    """
    found = [Boxed(str(each[4]), Box(*map(float, each[:4]))) for each in boxes]
    by_size = sorted(found, key=lambda each: each.box.area)
    lost: list[Words] = []
    for index, line in enumerate(reading.lines):
        if line.hidden:
            continue
        holder: Boxed | None = None
        for at, word in enumerate(reading.words(line)):
            if word.box is None:
                break
            box = Box(*word.box)
            its = next((each for each in by_size if _has(each.box, box)), None)
            into = lost if its is None else its.words
            if at and its is holder and into and into[-1].line == index and into[-1].stop == at:
                into[-1] = Words(index, into[-1].start, at + 1, into[-1].box.around(box))
            else:
                into.append(Words(index, at, at + 1, box))
            holder = its
    for each in found:
        each.words = _by_rows(each.words)
    before: defaultdict[int, list[Boxed]] = defaultdict(list)
    for words in _by_rows(lost):
        before[_place(words.box, found)].append(Boxed("text", words.box, [words]))
    return [*chain.from_iterable([*before[at], each] for at, each in enumerate(found)), *before[len(found)]]


def _has(outer: Box, inner: Box) -> bool:
    across, down = inner.middle
    return outer.x0 - _MARGIN <= across <= outer.x1 + _MARGIN and outer.y0 - _MARGIN <= down <= outer.y1 + _MARGIN


def _by_rows(words: Iterable[Words]) -> list[Words]:
    """From the top down, and in a row from the left."""
    rows: list[list[Words]] = []
    for each in sorted(words, key=lambda each: each.box.middle[1]):
        before = rows[-1][0].box if rows else None
        if before is not None and each.box.middle[1] - before.middle[1] < (before.y1 - before.y0) / 2:
            rows[-1].append(each)
        else:
            rows.append([each])
    return [each for row in rows for each in sorted(row, key=lambda each: each.box.x0)]


def _place(box: Box, among: Sequence[Boxed]) -> int:
    below = (
        index
        for index, each in enumerate(among)
        if each.box.y0 >= box.middle[1] and each.box.x0 < box.x1 and box.x0 < each.box.x1
    )
    return next(below, len(among))
