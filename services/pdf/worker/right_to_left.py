"""Lines of Arabic and Hebrew, which run from right to left.

MuPDF turns what was drawn from left to right into the order in which it is read, letter by letter. Numbers, which run
from left to right, and ligatures, which it took apart before, come out turned round as well.
"""

import re
from collections.abc import Sequence

from services.pdf.worker.letters import Letter

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9]")


def runs_right_to_left(text: str) -> bool:
    """Whether it has a letter of a script that is written from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None


def in_reading_order(letters: Sequence[Letter]) -> list[Letter]:
    """The letters with numbers and ligatures the right way round.

    Of a ligature that was taken apart, one letter has the whole width and the others have none. So letters without
    width that come before theirs were turned round.
    """
    ordered: list[Letter] = []
    index = 0
    while index < len(letters):
        end = _end_of_number(letters, index)
        if end == index:
            end = _end_of_ligature(letters, index)
        ordered += reversed(letters[index:end])
        index = end
    return ordered


def _end_of_number(letters: Sequence[Letter], start: int) -> int:
    """Where a number that is turned round ends; `start` if none begins there."""
    end = start
    while end < len(letters) and _DIGIT.match(letters[end].text):
        if end > start and letters[end].start >= letters[end - 1].start:
            return end
        end += 1
    return end


def _end_of_ligature(letters: Sequence[Letter], start: int) -> int:
    """Where a ligature that is turned round ends, or else the next letter."""
    end = start
    while end < len(letters) and letters[end].start == letters[end].end and _RIGHT_TO_LEFT.match(letters[end].text):
        end += 1
    if not start < end < len(letters) or not _RIGHT_TO_LEFT.match(letters[end].text):
        return start + 1
    return end + 1 if letters[end].end == letters[start].start else start + 1
