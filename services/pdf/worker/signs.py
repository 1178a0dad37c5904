"""Signs that the places of a page's letters matter for its text (`page_lines`). Looking at them costs several times it.

Each sign is sought by itself, and single letters by one class of them first: one pattern for all takes six times as
long, a fifth of what the text itself takes.
"""

import re

from services.pdf.worker.letters import HANGUL

_LETTERS = re.compile(
    f"{HANGUL.pattern}"
    "|[\u0660-\u0669\u06f0-\u06f9]{2}|\u0627\u0644"  # a number, or Lam and Alef, that may be turned round
    "|[\x00-\x08\x0b-\x1f\ufffd\ud800-\udfff]"  # a glyph that MuPDF could not read
)
_LIKELY = re.compile(
    f"[{HANGUL.pattern.strip('[]')}\u0660-\u0669\u06f0-\u06f9\u0627\x00-\x08\x0b-\x1f\ufffd\ud800-\udfff]"
)
"""What one of them begins with."""

_SPREAD = re.compile(r"^(?:[^\W\d_] ){4,}[^\W\d_]$", re.MULTILINE)
"""Letters one by one."""

_COLUMN = re.compile("^(?:[\u3040-\u9fff]\n){3,}", re.MULTILINE)


def has_sign(text: str) -> bool:
    """Whether the text of a page, each line ended by a line feed, has any of the signs."""
    return has_letter_sign(text) or bool(_SPREAD.search(text) or _COLUMN.search(text))


def has_letter_sign(text: str) -> bool:
    """Whether it has one of those that single letters are, however it is cut into lines."""
    likely = _LIKELY.search(text)
    return likely is not None and _LETTERS.search(text, likely.start()) is not None
