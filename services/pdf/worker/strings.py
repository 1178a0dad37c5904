"""Text from a document, made safe for JSON and its readers."""

import re

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def fit(text: str) -> str:
    """Drops control characters (fonts with a wrong mapping are full of them) and replaces lone surrogates."""
    return _UNFIT.sub(_replacement, text)


def fold(text: str) -> str:
    """One line: white space folded to single blanks, none at the ends."""
    return " ".join(fit(text).split())


def _replacement(match: re.Match[str]) -> str:
    return "�" if match[0] >= "\ud800" else ""
