"""The letters of a line at their places."""

import re
from dataclasses import dataclass

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
