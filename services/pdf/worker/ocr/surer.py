"""Of two readings of one picture, word by word or line by line the one that is surer of itself.

A reading that knows no Latin script can be sure of nonsense where there are Latin letters, and then its line looks sure
as a whole. So lines are exchanged on a page of which it is surer altogether, which it never was where there are Latin
words. Elsewhere words without Latin letters are.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from services.pdf.worker.ocr.picture import Box
from services.pdf.worker.ocr.words import Line, Word, confidence_of

_SURER = 0.005
"""By how much the Korean reading of a page must be surer. It is by .01 to .02 on pages of Hangul, and not on others."""

_APART = 0.25
"""How far the ends of two words may lie apart for them to be the same one, in heights of the word."""

_BESIDE = 0.5
"""How much of the lower of two must lie beside the other."""

_OVER = 0.3
"""How much of the shorter of two lines must lie over the other."""

_MOST_PAIRS = 1_000_000
"""Lines of one reading times lines of the other; more are letters strewn about, and nothing is compared."""

_HANGUL = re.compile("[\uac00-\ud7a3]")
_LATIN = re.compile("[A-Za-z]")


def is_hangul(word: Word) -> bool:
    """Whether the word has Hangul and no Latin letters."""
    return has_hangul(word.text) and not _LATIN.search(word.text)


def has_hangul(text: str) -> bool:
    """Whether there is a syllable of Hangul."""
    return bool(_HANGUL.search(text))


def surer(lines: Sequence[Line], korean: Sequence[Line]) -> list[Line]:
    """`lines`, with what `korean` has at the same place where that is surer.

    `korean` is a reading of those lines that have a word of Hangul.
    """
    hangul = [word for line in lines if any(map(is_hangul, line)) for word in line]
    read = [word for line in korean for word in line]
    if not hangul or not read:
        return list(lines)
    if confidence_of(read) > confidence_of(hangul) + _SURER:
        return surer_lines(lines, korean)
    by_left = sorted(read, key=lambda word: word.box[0])
    lefts = [word.box[0] for word in by_left]
    return [[_surer_word(word, by_left, lefts) for word in line] for line in lines]


def surer_lines(lines: Sequence[Line], others: Sequence[Line]) -> list[Line]:
    """`lines`, each replaced by that of `others` at the same place where that is surer."""
    if len(lines) * len(others) > _MOST_PAIRS:
        return list(lines)
    boxes = [around(other) for other in others]
    places = [[at for at, box in enumerate(boxes) if _is_same_line(around(line), box)] for line in lines]
    # One that lies over two lines belongs to neither: it would be read twice.
    claimed = Counter(at for place in places for at in place)
    chosen = []
    for line, place in zip(lines, places, strict=True):
        other = others[place[0]] if len(place) == 1 and claimed[place[0]] == 1 else line
        chosen.append(other if confidence_of(other) > confidence_of(line) else line)
    return chosen


def _surer_word(word: Word, by_left: Sequence[Word], lefts: Sequence[float]) -> Word:
    if _LATIN.search(word.text):
        return word
    apart = _APART * (word.box[3] - word.box[1])
    near = by_left[bisect_left(lefts, word.box[0] - apart) : bisect_right(lefts, word.box[0] + apart)]
    twins = [other for other in near if abs(other.box[2] - word.box[2]) <= apart and is_beside(word.box, other.box)]
    return twins[0] if len(twins) == 1 and twins[0].confidence > word.confidence else word


def _is_same_line(one: Box, other: Box) -> bool:
    over = min(one[2], other[2]) - max(one[0], other[0])
    return is_beside(one, other) and over > _OVER * min(one[2] - one[0], other[2] - other[0])


def is_beside(one: Box, other: Box) -> bool:
    """Whether the lower of two lies beside the other for the greater part."""
    beside = min(one[3], other[3]) - max(one[1], other[1])
    return beside > _BESIDE * min(one[3] - one[1], other[3] - other[1])


def around(line: Line) -> Box:
    """The box around these words."""
    lefts, tops, rights, bottoms = zip(*(word.box for word in line), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
