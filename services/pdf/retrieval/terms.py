"""What a text is compared by, word for word: words, the parts of Korean ones, and numbers with what they belong to."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_WORD = re.compile(r"\w+(?:[-./:·]\w+)*")
"""A word, or a number or code as one: "제12조", "3.1.2", "KS-A-12"."""

_PART = re.compile(r"[가-힣]+|[^\W가-힣_]+")
"""Letters of Hangul, or of anything else."""

_DIGIT = re.compile(r"\d")


def terms(text: str) -> Iterator[str]:
    """The terms of a text, in its order; equal however it is spelled in width, case and composition.

    Hangul goes by pairs of syllables, since its words end in particles and compounds are written with and without
    blanks: "연차휴가는" is 연차, 차휴, 휴가 and 가는. A word with a digit in it is a term as a whole too.
    """
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        parts = _PART.findall(word)
        if _DIGIT.search(word) and len(parts) > 1:
            yield word
        for part in parts:
            if "가" <= part[0] <= "힣" and len(part) > 1:
                yield from map("".join, pairwise(part))
            else:
                yield part
