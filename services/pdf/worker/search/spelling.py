"""A flow as one text to search in, and the way back from its bytes to words on pages.

It is UTF-8, since RE2 counts bytes. There are two spellings. The plain one is what a reader would copy: lines joined,
words that a line's end cut made whole, a line feed between paragraphs. The folded one has letters as they are compared,
and leaves open what the end of a line stands for, where that is not certain.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.search.flows import Flow, Stretch
from services.pdf.worker.search.folding import fold_letters

EITHER = "\x01"
"""In a folded text the end of a line that is a blank or nothing. No reading has control characters."""

HYPHEN = "\x02"
"""In a folded text a hyphen at the end of a line, which belongs to the word or only parts it."""

_HYPHENS = "-\u2010\u2011\u00ad"
_JOINTS = "/-\u2010\u2011\u2012\u2013\u2014"
_HANGUL = re.compile("[가-힣]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]")
"""Letters of Chinese and Japanese, which are written without blanks."""


class Spot(NamedTuple):
    """A letter of a flow."""

    stretch: int
    offset: int
    """In the stretch's `text`, from 0."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A flow's text, and where in it each of its stretches begins."""

    flow: Flow
    text: bytes
    starts: list[int]
    folded: bool

    def spot(self, at: int) -> Spot:
        """The letter that a byte is of; of what joins two stretches, the last letter before it."""
        index = bisect_right(self.starts, at) - 1
        stretch = self.flow.stretches[index]
        ends = stretch.folded_ends if self.folded else stretch.plain_ends
        return Spot(index, min(bisect_right(ends, at - self.starts[index]), len(ends) - 1))

    def stretch(self, at: int) -> Stretch:
        """The stretch that a byte is of."""
        return self.flow.stretches[bisect_right(self.starts, at) - 1]

    def byte(self, spot: Spot, *, after: bool = False) -> int:
        """Where in the text a letter begins, or with `after` where it ends."""
        stretch = self.flow.stretches[spot.stretch]
        ends = stretch.folded_ends if self.folded else stretch.plain_ends
        offset = spot.offset if after else spot.offset - 1
        at = self.starts[spot.stretch] + (ends[offset] if offset >= 0 else 0)
        following = self.starts[spot.stretch + 1] if spot.stretch + 1 < len(self.starts) else len(self.text)
        return min(at, following)


def plain(flow: Flow, ends: LineEnds) -> Spelling:
    """What a reader would copy; `ends` tells what the ends of its lines stand for."""
    return _spell(flow, [each.text.encode() for each in flow.stretches], _plain_joints(flow, ends), folded=False)


def folded(flow: Flow) -> Spelling:
    """As letters are compared."""
    return _spell(
        flow, [fold_letters(each.text).encode() for each in flow.stretches], _folded_joints(flow), folded=True
    )


def _spell(flow: Flow, texts: list[bytes], joints: Iterable[tuple[bool, bytes]], *, folded: bool) -> Spelling:
    starts: list[int] = []
    parts: list[bytes] = []
    at = 0
    for index, (text, (drops, joint)) in enumerate(zip(texts, joints, strict=True)):
        kept = text[: _before_last(flow.stretches[index], len(text), folded=folded)] if drops else text
        starts.append(at)
        parts += (kept, joint)
        at += len(kept) + len(joint)
    return Spelling(flow, b"".join(parts), starts, folded)


def _before_last(stretch: Stretch, length: int, *, folded: bool) -> int:
    """Where the bytes of the last letter of a stretch begin."""
    last = stretch.text[-1]
    return length - len((fold_letters(last) if folded else last).encode())


def _plain_joints(flow: Flow, ends: LineEnds) -> Iterable[tuple[bool, bytes]]:
    """For each stretch whether its last letter goes, and what stands between it and the next one."""
    for before, after in pairwise(flow.stretches):
        if not after.goes_on:
            yield False, b"\n"
        elif side_by_side(before, after):
            yield False, b" "
        else:
            last, first = before.words[-1], after.words[0]
            joined = ends.join((last, first))
            drops = len(joined) < len(last) + len(first)
            yield drops, b" " if len(joined) > len(last) + len(first) else b""
    yield False, b""


def _folded_joints(flow: Flow) -> Iterable[tuple[bool, bytes]]:
    for before, after in pairwise(flow.stretches):
        last, first = before.words[-1], after.words[0]
        if side_by_side(before, after):
            yield False, b" "
        elif last[-1] in _HYPHENS and last[-2:-1].isalpha() and first[0].isalpha():
            yield True, HYPHEN.encode()
        else:
            yield False, (EITHER if _is_open(last, first) else " ").encode()
    yield False, b""


def _is_open(last: str, first: str) -> bool:
    """Whether the end of a line between these words may be a blank or nothing."""
    end, start = last[-1], first[0]
    if _HANGUL.match(start) and end.isalnum():
        return True
    if end in _JOINTS or start in _JOINTS:
        return True
    return bool(_UNSPACED.match(end) and _UNSPACED.match(start))


def side_by_side(before: Stretch, after: Stretch) -> bool:
    """Whether two stretches stand on one line of the page."""
    if before.page != after.page or before.at != after.at:
        return False
    if before.line is after.line:
        return True
    one, other = before.box, after.box
    if one is None or other is None:
        return False
    across, down = after.line.direction
    if abs(across) >= abs(down):
        return _overlap(one.y0, one.y1, other.y0, other.y1)
    return _overlap(one.x0, one.x1, other.x0, other.x1)


def _overlap(start: float, end: float, other_start: float, other_end: float) -> bool:
    common = min(end, other_end) - max(start, other_start)
    return common > 0.5 * min(end - start, other_end - other_start)
