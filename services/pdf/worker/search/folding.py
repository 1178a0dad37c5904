"""What counts as the same letter when one looks for words: case, width, quotes and dashes make no difference."""

import unicodedata

_QUOTES_AND_DASHES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_UNSEEN = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", "")
"""Soft hyphens, and what only says where a line may end or how letters join."""


def _widths() -> dict[str, str]:
    """Fullwidth and halfwidth letters with those of the usual width (Unicode, block FF00 to FFEF)."""
    found = {}
    for code in range(0xFF00, 0xFFF0):
        kind, _, usual = unicodedata.decomposition(chr(code)).partition(" ")
        if kind in {"<wide>", "<narrow>"}:
            found[chr(code)] = chr(int(usual, 16))
    return found


_SAME = str.maketrans({**_widths(), **_QUOTES_AND_DASHES, **_UNSEEN})


def fold_letters(text: str) -> str:
    """The text, letter by letter, with each one as it is compared; a letter may become none or several."""
    return text.translate(_SAME).casefold()
