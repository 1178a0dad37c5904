"""What differs between two stretches of text that belong together, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.pdf.worker.diff.alignment import align, gaps
from services.pdf.worker.diff.atoms import Joint, Text, Token
from services.pdf.worker.diff.numbers import masked
from services.pdf.worker.diff.proof import unequal

_DIGITS = re.compile(r"\d+")
_HYPHENS = str.maketrans("", "", "-\u2010\u00ad")


class Gap(NamedTuple):
    """Atoms that differ: of the left side from `start` to before `stop`, of the right from `begin` to before `end`."""

    start: int
    stop: int
    begin: int
    end: int


class Pair(NamedTuple):
    """Two words that stand for each other."""

    left: Token
    right: Token


@dataclass(slots=True)
class Wording:
    """What was found."""

    gaps: list[Gap] = field(default_factory=list)
    numbers: list[Pair] = field(default_factory=list)
    """Words that differ in nothing but the number of a place that they name."""

    same: list[Pair] = field(default_factory=list)

    @property
    def every(self) -> list[Gap]:
        """All that differs, numbers too."""
        numbers = [Gap(left.start, left.stop, right.start, right.stop) for left, right in self.numbers]
        return sorted([*self.gaps, *numbers])


def compare_words(left: Text, right: Text, mine: tuple[int, int], theirs: tuple[int, int]) -> Wording:
    """What differs between the atoms `mine` of the left text and `theirs` of the right, each from, to before."""
    if [atom.text for atom in left.atoms[slice(*mine)]] == [atom.text for atom in right.atoms[slice(*theirs)]]:
        return Wording(same=list(_in_step(left, right, mine, theirs)))
    tokens = left.tokens(*mine, _glued(left, mine, right, theirs)) if mine[0] < mine[1] else []
    others = right.tokens(*theirs, _glued(right, theirs, left, mine)) if theirs[0] < theirs[1] else []
    found = Wording()
    matches = align(_keys(tokens), _keys(others))
    for match in matches:
        pair = Pair(tokens[match.left], others[match.right])
        if pair.left.text == pair.right.text:
            found.same.append(pair)
        elif _digits(pair.left) != _digits(pair.right) and _sign(pair.left) == _sign(pair.right):
            found.numbers.append(pair)
        elif _is_equal(left, right, Gap(pair.left.start, pair.left.stop, pair.right.start, pair.right.stop)):
            found.same.append(pair)
        else:
            found.gaps.append(Gap(pair.left.start, pair.left.stop, pair.right.start, pair.right.stop))
    for start, stop, begin, end in gaps(matches, len(tokens), len(others)):
        gap = Gap(*_range(tokens, start, stop, mine), *_range(others, begin, end, theirs))
        if not (start < stop and begin < end and _is_equal(left, right, gap)):
            found.gaps.append(gap)
    found.gaps = list(_joined_cases(left, right, sorted(found.gaps)))
    return found


def _joined_cases(left: Text, right: Text, gaps: Sequence[Gap]) -> Iterator[Gap]:
    """The gaps in order, those of words in other case that follow each other as one."""
    runs: list[tuple[Gap, bool]] = []
    for gap in gaps:
        said, now = left.say(gap.start, gap.stop), right.say(gap.begin, gap.end)
        is_case = said.casefold() == now.casefold()
        last = runs[-1] if runs else None
        if last and is_case and last[1] and (last[0].stop, last[0].end) == (gap.start, gap.begin):
            runs[-1] = Gap(last[0].start, gap.stop, last[0].begin, gap.end), True
        else:
            runs.append((gap, is_case))
    return (gap for gap, _ in runs)


def _in_step(left: Text, right: Text, mine: tuple[int, int], theirs: tuple[int, int]) -> Iterator[Pair]:
    """Atoms that are equal one by one."""
    for index, other in zip(range(*mine), range(*theirs), strict=True):
        yield Pair(left.token(index, index + 1), right.token(other, other + 1))


def _digits(token: Token) -> list[str]:
    return _DIGITS.findall(token.text)


def _sign(token: Token) -> str:
    """What a number is part of; a word in other case, too, is no mere number."""
    return _DIGITS.sub("#", token.text).translate(_HYPHENS)


def _range(tokens: Sequence[Token], start: int, stop: int, whole: tuple[int, int]) -> tuple[int, int]:
    if start < stop:
        return tokens[start].start, tokens[stop - 1].stop
    at = tokens[start].start if start < len(tokens) else whole[1]
    return at, at


def _keys(tokens: Sequence[Token]) -> list[str]:
    return [word.translate(_HYPHENS).casefold() or word for word in masked([token.text for token in tokens])]


def _glued(text: Text, span: tuple[int, int], other: Text, theirs: tuple[int, int]) -> list[bool]:
    """After which atoms words go on, by the words that the other side has."""
    known = {atom.text.translate(_HYPHENS) for atom in other.atoms[theirs[0] : theirs[1]]}
    said = known | {joined for index in range(theirs[0], theirs[1] - 1) for joined in [_joined(other, index)] if joined}
    glued = list(text.glued[span[0] : span[1]])
    for index in range(span[0], span[1] - 1):
        joined = _joined(text, index)
        if joined:
            apart = text.atoms[index].text in known and text.atoms[index + 1].text in known
            glued[index - span[0]] = joined in said or (glued[index - span[0]] and not apart)
    return [False] * span[0] + glued


def _joined(text: Text, index: int) -> str:
    """An atom and the next as one word, hyphens aside; "" where they cannot be one."""
    joint = text.joints[index]
    if not joint & Joint.NOTHING or joint == Joint.ANY:
        return ""
    return (text.bare(index) + text.atoms[index + 1].text).translate(_HYPHENS)


def _is_equal(left: Text, right: Text, gap: Gap) -> bool:
    """Whether two stretches are equal, where what may stand at the ends of lines is given the benefit of the doubt."""
    mine, theirs = _part(left, gap.start, gap.stop), _part(right, gap.begin, gap.end)
    return unequal(mine, theirs, (), ()) is None


def _part(text: Text, start: int, stop: int) -> Text:
    return Text(text.atoms[start:stop], text.joints[start:stop], text.glued[start:stop])
