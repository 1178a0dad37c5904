"""The letters of a line at their places."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


@dataclass(slots=True)
class Letter:
    """One letter, or what MuPDF took apart of a ligature."""

    text: str
    start: float
    """Where it begins and ends along its line."""

    end: float
    is_guessed_blank: bool = False
    """MuPDF added it for a gap."""

    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Left, top, right and bottom on the page, in points."""

    span: Mapping[str, Any] = field(default_factory=dict)
    """The span of `get_text("rawdict")` that it is of, which tells its font."""


BLANK = Letter(" ", 0.0, 0.0, is_guessed_blank=True)
"""A blank for a gap between words; it stands nowhere."""


def text_of(letters: Iterable[Letter]) -> str:
    """What the letters spell."""
    return "".join([letter.text for letter in letters])
