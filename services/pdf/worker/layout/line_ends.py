"""What the end of a line stands for when lines become running text: a blank, nothing, or a hyphen to take away.

A Korean line may end anywhere in an 어절, and nothing in the file says whether it did. What tells it is the document
itself: which words and beginnings of words it has inside its lines, and the particles that end a word or cannot begin
one.
"""

import re
from collections.abc import Iterable, Sequence

from services.pdf.worker.words import Reading

_HANGUL = re.compile("[가-힣]")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]")
"""Letters of Chinese and Japanese, which are written without blanks."""

_EDGES = "\"'()[]{}<>.,:;!?·…“”\u2018\u2019「」『』《》〈〉"
_JOINTS = "/\u2013\u2014"
_SOFT_HYPHEN = "\u00ad"
_HYPHENS = f"-\u2010\u2011{_SOFT_HYPHEN}"
"""U+2011 as well, though no line may end there: some fonts have no other name for their hyphen."""

_ENDS_WORD = re.compile(
    r"(?:[을를은는의와과께]|에서|에게|으로|까지|부터|마다|[가-힣]{2,}(?:이|가|에|로|도|고|며|면|한|된|할|인)|하여|하고|하는|있는"
    r"|없는|되는|또는|그리고|따라|따른|대한|위한|관한|및|등|각|그|이|수|것|때|한다|습니다|[.,;:!?])$"
)
_PARTICLE = re.compile(
    r"(?:[은는을를의에]|이나|에서|에게|에는|으로|로서|로써|와|과|까지|부터|이며|이다|한다|하다|하여|하고|하는|하기|하지|합니다|됩니다|입니다|습니다|니다|시오"
    r"|되는|된다|되어|다|고|며|서|지|면)(?=$|[^가-힣])"
)
"""What no sentence of Korean begins a word with."""

_MANY = 0.12
"""Of the line ends that say something, this share inside words shows that lines break anywhere."""


class LineEnds:
    """How the lines of one document end."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._words: set[str] = set()
        self._beginnings: set[str] = set()
        ends: list[tuple[str, str]] = []
        for reading in readings:
            before = ""
            for line in reading.lines:
                words = line.text.split()
                if line.hidden or not words:
                    continue
                ends.append((before, words[0]))
                before = words[-1]
                self._words.update(word.strip(_EDGES) for word in words[1:-1])
        for word in self._words:
            if _HANGUL.search(word):
                self._beginnings.update(word[:stop] for stop in range(2, len(word) + 1))
        weights = [weight for first, second in ends if (weight := self._weight(first, second))]
        self.are_anywhere = sum(weight > 0 for weight in weights) > _MANY * max(len(weights), 1)
        """Whether Korean lines end inside words, and not only between them."""

    def join(self, lines: Sequence[str]) -> str:
        """Lines as running text."""
        parts: list[str] = []
        last = ""
        for line in lines:
            text = line.strip()
            if not text:
                continue
            if parts:
                first = text.split(maxsplit=1)[0]
                if self._hyphen(last, first):
                    parts[-1] = parts[-1][:-1]
                elif self.has_blank(last, first):
                    parts.append(" ")
            parts.append(text)
            last = text.rsplit(maxsplit=1)[-1]
        return "".join(parts)

    def has_blank(self, last: str, first: str) -> bool:
        """Whether the end of a line stands for a blank, by the last word before it and the first one after it."""
        end, start = last[-1], first[0]
        if _UNSPACED.match(end) and _UNSPACED.match(start):
            return False
        if end in _JOINTS and len(last) > 1 and last[-2].isalnum() and start.isalnum():
            return False
        if end in _HYPHENS and len(last) > 1 and last[-2].isalnum():
            return not start.isalnum()
        if _HANGUL.match(start) and (_HANGUL.match(end) or end.isalnum()):
            weight = self._weight(last, first)
            return weight < 0 or (weight == 0 and not self.are_anywhere)
        return True

    def _hyphen(self, last: str, first: str) -> bool:
        """Whether a hyphen parts one word only because its line ended there."""
        if last[-1] == _SOFT_HYPHEN:
            return True
        if last[-1] not in _HYPHENS or len(last) < 3 or not last[-2].islower() or not first[0].islower():  # noqa: PLR2004  # a letter and a hyphen are no word
            return False
        return (last + first).strip(_EDGES) not in self._words

    def _weight(self, last: str, first: str) -> float:
        """Above 0 if two parts of one Korean word meet, below if two words do, 0 where nothing tells."""
        if not last or not _HANGUL.match(first) or not (_HANGUL.match(last[-1]) or last[-1].isalnum()):
            return 0
        end, start = last.lstrip(_EDGES), first.rstrip(_EDGES)
        weight = 0.0
        if end + start in self._words:
            weight += 3
        elif len(end) > 1 and end + start[0] in self._beginnings:
            weight += 1.5
        if _PARTICLE.match(first):
            weight += 2
        if _ENDS_WORD.search(end):
            weight -= 1.5
        if end in self._words:
            weight -= 1
        if start in self._words:
            weight -= 0.75
        return weight
