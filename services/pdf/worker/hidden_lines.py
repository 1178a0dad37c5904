"""The text of a page that nobody sees, as lines of its reading."""

from services.pdf.worker.documents import attempt
from services.pdf.worker.hidden import Hidden
from services.pdf.worker.look import Look, count_letters
from services.pdf.worker.strings import fold
from services.pdf.worker.switched_off import find_switched_off
from services.pdf.worker.words import Line, in_units

MAX_HIDDEN = 200
MAX_HIDDEN_CHARACTERS = 20_000
"""Pieces that are kept of a page, and their characters."""


def hidden_lines(look: Look) -> tuple[list[Line], int]:
    """A line for each piece, all words at the piece's place; and how many characters there are, white space aside.

    A line without text says that there are more ("more"), or that some may not have been found ("unchecked").
    """
    nothing: tuple[list[Hidden], bool] = ([], True)
    switched_off, is_crowded = attempt(find_switched_off, look.document, look.page, otherwise=nothing)
    found = [*look.findings.hidden, *switched_off]
    lines: list[Line] = []
    room = MAX_HIDDEN_CHARACTERS
    for each in found:
        text = fold(each.piece.text)
        room -= len(text)
        if len(lines) == MAX_HIDDEN or room < 0:
            lines.append(Line("", 0, hidden="more"))
            break
        if text:
            lines.append(Line(text, 0, boxes=in_units(each.piece.box) * len(text.split()), hidden=each.reason))
    if look.findings.is_unchecked or is_crowded:
        lines.append(Line("", 0, hidden="unchecked"))
    return lines, sum(count_letters(each.piece.text) for each in found)
