"""Words from pieces of them.

MuPDF and this project cut a line into words at different letters: at each change of direction the one, at any white
space the other. Text is made fit to be read besides, which takes letters away and composes others. So a word of the
text may be one piece of the line or several.
"""

from collections.abc import Sequence

from services.pdf.worker.strings import fit


def match_pieces(words: Sequence[str], pieces: Sequence[str]) -> list[range] | None:
    """For each of `words` the pieces that it is made of, which are neighbours; None where they say something else.

    Args:
        words: Those of a line's text after `fit`.
        pieces: Of the same text before, in the same order.
    """
    matched = []
    end = 0
    for word in words:
        begin, length = end, 0
        while length < len(word) and end < len(pieces):
            piece = fit(pieces[end])
            if not word.startswith(piece, length):
                return None
            length += len(piece)
            end += 1
        if length < len(word):
            return None
        matched.append(range(begin, end))
    return None if any(map(fit, pieces[end:])) else matched
