"""Text layers that say something else than the page shows: letters without a meaning, and letters that are no words."""

import re

from services.pdf.worker.hancom import SYMBOLS

_WITHOUT_MEANING = re.compile(
    "[\ufffd\x00-\x08\x0e-\x1f\x7f-\x9f"  # what nothing maps, and what no glyph looks like
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use
    "\u3400-\u4dbf]"  # rare ideographs: numbers of glyphs taken for characters
)
_SPACE = re.compile(r"\s+")

_UNMAPPED_SHARE = 0.2
"""Of the characters; with so many that have no meaning, the picture of the page says more than its text."""

_LEAST_WORDS = 10
"""Fewer say too little of a layer."""

_NO_WORDS_SHARE = 0.3
"""Of the words; no text is known with so many implausible ones."""

_WORD = re.compile(r"\S{3,}")
_LATIN, _HANGUL, _HAN = "a-zA-Z\u00c0-\u024f\u1e00-\u1eff", "가-힣", "\u3040-\u30ff\u4e00-\u9fff"
_OTHER = "\u0370-\u07ff\u0900-\u0fff"
_RUN = re.compile(f"[{_LATIN}]+|[{_HANGUL}]+|[{_HAN}]+|[{_OTHER}]+")
_ODD = re.compile("[\u00a1-\u00bf]")
_SCRIPTS_IN_WORD = 4
"""Runs of one script in a word: "GitLab의API" has three."""

_ODD_IN_WORD = 2
"""Signs of Latin-1 inside a word: two-byte Hangul taken for them looks like "¿¬Â÷ÈÞ°¡"."""

_LEAST_LETTERS = 100
_LEAST_VOWELS = 0.22
"""Share of vowels among Latin letters: English has .38, codes have .2, and text shifted by some letters .15."""


def is_unmapped(text: str) -> bool:
    """Whether a fifth of a layer's characters, white space aside, have no meaning.

    `text` is as the file maps it, with what `strings.fit` takes away.
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return False  # as most pages, at a tenth of the price
    lost = sum(found not in SYMBOLS for found in _WITHOUT_MEANING.findall(text))
    return bool(lost) and lost >= _UNMAPPED_SHARE * len(_SPACE.sub("", text))


def is_implausible(text: str) -> bool:
    """Whether a layer's letters are no words of any language. Enough to read a picture again, no proof."""
    words = _WORD.findall(text)
    if len(words) < _LEAST_WORDS:
        return False
    odd = sum(len(_RUN.findall(word)) >= _SCRIPTS_IN_WORD or len(_ODD.findall(word)) >= _ODD_IN_WORD for word in words)
    if odd >= _NO_WORDS_SHARE * len(words):
        return True
    latin = [letter for letter in text.lower() if "a" <= letter <= "z"]
    vowels = sum(map(latin.count, "aeiouy"))
    return len(latin) >= _LEAST_LETTERS and vowels < _LEAST_VOWELS * len(latin)
