"""Where a pattern matches in flows, and what is told of a match: boxes, the text around it, the headings above it."""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, NamedTuple

from services.pdf.worker.boxes import Box
from services.pdf.worker.right_to_left import runs_right_to_left
from services.pdf.worker.search.flows import Flow, Stretch
from services.pdf.worker.search.patterns import Pattern
from services.pdf.worker.search.spelling import Spelling, Spot, side_by_side

MOST_COUNTED = 100_000
"""Matches in one document."""

_SECONDS = 8.0
"""Of processor time, after which no more matches are sought: ".*" that reaches to the end each time takes long."""

_BETWEEN_LOOKS = 64
"""Matches after which the time is looked at."""

MOST_BOXES = 50
MOST_CHARACTERS = 2_000
CONTEXT = 80
"""Of one hit; characters of its text, and of what stands before and after it."""

_NARROW = frozenset(".,:;'\"|!ijlIft()[]·“”\u2018\u2019")
_BROAD = frozenset("mwMW@%…—")
"""Letters that are narrower or broader than most."""


class Match(NamedTuple):
    """A piece of a flow's text, in bytes; matches sort as they are read."""

    page: int
    at: int
    """As `Stretch.at`."""

    start: int
    end: int
    spelling: Spelling

    @property
    def order(self) -> tuple[int, int, int]:
        """By what it is sorted."""
        return self.page, self.at, self.start


@dataclass(frozen=True, slots=True)
class Found:
    """All matches, in reading order."""

    matches: list[Match]
    is_all: bool
    """Whether there are no more than these."""


def find(pattern: Pattern, spellings: Iterable[Spelling]) -> Found:
    """Where the pattern matches something; not where it matches the empty text."""
    end = time.process_time() + _SECONDS
    matches: list[Match] = []
    for spelling in spellings:
        each = _matches(pattern, spelling)
        while some := list(islice(each, _BETWEEN_LOOKS)):
            matches += [match for match in some if match is not None]
            if len(matches) >= MOST_COUNTED or time.process_time() > end:
                return Found(sorted(matches[:MOST_COUNTED], key=_order), is_all=False)
    return Found(sorted(matches, key=_order), is_all=True)


def _order(match: Match) -> tuple[int, int, int]:
    return match.order


def _matches(pattern: Pattern, spelling: Spelling) -> Iterator[Match | None]:
    for found in pattern.finditer(spelling.text):
        start, end = found.span()
        if start == end:
            yield None
            continue
        first = spelling.stretch(start)
        yield Match(first.page, first.at, start, end, spelling)


def describe(match: Match, plain: Callable[[Flow], Spelling]) -> dict[str, Any]:
    """The match as `papermesh.pdf.v1.SearchHit`; `plain` gives the plain spelling of its flow."""
    flow = match.spelling.flow
    first, last = match.spelling.spot(match.start), match.spelling.spot(match.end - 1)
    parts = list(islice(_parts(flow, first, last), MOST_BOXES))
    before, text, after = _context(plain(flow), first, last)
    stretch = flow.stretches[first.stretch]
    return {
        "page": stretch.page,
        "boxes": [{"page": page, "bbox": box.rectangle} for page, box in _boxes(parts)],
        "before": before,
        "text": text,
        "after": after,
        "heading_path": list(stretch.path),
        "score": round(min(_confidence(*part) for part in parts), 3),
        "hidden": stretch.line.hidden,
    }


def _boxes(parts: Sequence[tuple[Stretch, int, int]]) -> Iterator[tuple[int, Box]]:
    """A box for each line, with its page: a line may have been read in pieces."""
    before: tuple[Stretch, Box] | None = None
    for stretch, start, stop in parts:
        box = area(stretch, start, stop)
        if box is None:
            continue
        if before is not None and side_by_side(before[0], stretch) and _is_near(before[1], box):
            before = stretch, before[1].around(box)
            continue
        if before is not None:
            yield before[0].page, before[1]
        before = stretch, box
    if before is not None:
        yield before[0].page, before[1]


def _is_near(one: Box, other: Box) -> bool:
    """Whether the gap between two boxes on one line is no wider than they are high."""
    across = max(one.x0, other.x0) - min(one.x1, other.x1)
    down = max(one.y0, other.y0) - min(one.y1, other.y1)
    return across < one.y1 - one.y0 if across >= down else down < one.x1 - one.x0


def _parts(flow: Flow, first: Spot, last: Spot) -> Iterator[tuple[Stretch, int, int]]:
    """What a match covers of each stretch, as letters of its text."""
    for index in range(first.stretch, last.stretch + 1):
        stretch = flow.stretches[index]
        start = first.offset if index == first.stretch else 0
        stop = last.offset + 1 if index == last.stretch else len(stretch.text)
        yield stretch, start, stop


def _confidence(stretch: Stretch, start: int, stop: int) -> float:
    """That of the least sure of the words that these letters are of."""
    first, last = stretch.word_at(start), stretch.word_at(stop - 1)
    if sure := stretch.line.confidences[stretch.start + first : stretch.start + last + 1]:
        return min(sure)
    return min(1 - word.count("\ufffd") / len(word) for word in stretch.words[first : last + 1])


def area(stretch: Stretch, start: int, stop: int) -> Box | None:
    """The box around these letters of a stretch; None where places are not known."""
    first, last = stretch.word_at(start), stretch.word_at(stop - 1)
    box: Box | None = None
    for index, edges in enumerate(stretch.boxes(first, last), first):
        word, begins = stretch.words[index], stretch.starts[index]
        part = _cut(edges, word, max(start - begins, 0), min(stop - begins, len(word)), stretch.line.direction)
        box = part if box is None else box.around(part)
    return box


def _cut(box: Box, word: str, start: int, stop: int, direction: tuple[float, float]) -> Box:
    """The part of a word's box that some of its letters fill, by what letters of their kind usually take."""
    if (start == 0 and stop == len(word)) or start >= stop:
        return box
    widths = [0.0, *accumulate(_width(letter) for letter in word)]
    low, high = widths[start] / widths[-1], widths[stop] / widths[-1]
    across, down = direction
    if runs_right_to_left(word):
        across, down = -across, -down
    if max(across, down, key=abs) < 0:
        low, high = 1 - high, 1 - low
    if abs(across) >= abs(down):
        return box._replace(x0=box.x0 + low * (box.x1 - box.x0), x1=box.x0 + high * (box.x1 - box.x0))
    return box._replace(y0=box.y0 + low * (box.y1 - box.y0), y1=box.y0 + high * (box.y1 - box.y0))


def _width(letter: str) -> float:
    """How wide a letter is in most fonts, in sizes; roughly."""
    if unicodedata.east_asian_width(letter) in {"W", "F"}:
        return 1.0
    return 0.3 if letter in _NARROW else 0.85 if letter in _BROAD else 0.55


def _context(spelling: Spelling, first: Spot, last: Spot) -> tuple[str, str, str]:
    """What stands before a match, the match, and what stands after it; paragraphs are parted by a blank."""
    start, end = spelling.byte(first), spelling.byte(last, after=True)
    reach = 4 * CONTEXT
    before = spelling.text[max(start - reach, 0) : start].decode("utf-8", "ignore")
    text = spelling.text[start : min(end, start + 4 * MOST_CHARACTERS)].decode("utf-8", "ignore")
    after = spelling.text[end : end + reach].decode("utf-8", "ignore")
    return (
        before.replace("\n", " ")[-CONTEXT:],
        text.replace("\n", " ")[:MOST_CHARACTERS],
        after.replace("\n", " ")[:CONTEXT],
    )
