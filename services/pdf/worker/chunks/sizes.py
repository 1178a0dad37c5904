"""How long a chunk may be, and where text that is longer is cut."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from semantic_text_splitter import TextSplitter

_WINDOW = 12
"""How many chunks' characters are looked at together: the splitter takes longer for each character of a longer text."""

_LEAST_WINDOW = 4_096

Splitting: TypeAlias = Callable[[int], TextSplitter]
"""Makes what cuts a text into pieces that are within a limit."""


def by(measure: Callable[[str], int]) -> Splitting:
    """Pieces within a limit as `measure` counts: the tokens of a model, say."""
    return partial(TextSplitter.from_callback, measure)


def by_tokens(limit: int) -> TextSplitter:
    """Pieces within a limit of tokens, those of o200k_base, whose vocabulary is part of the splitter."""
    return TextSplitter.from_tiktoken_model("gpt-4o", limit)


class Size:
    """A limit, in characters (code points) unless `splitting` counts something else."""

    def __init__(self, limit: int, splitting: Splitting = TextSplitter) -> None:
        """`limit` is from 1."""
        self._limit = limit
        self._splitting = splitting
        self._splitter = splitting(limit)
        self._window = max(_WINDOW * limit, _LEAST_WINDOW)

    def share(self, part: float) -> "Size":
        """A part of the limit, at least 1, counted alike."""
        return Size(max(int(self._limit * part), 1), self._splitting)

    def fits(self, text: str) -> bool:
        """Whether a text is within the limit."""
        if self._splitting is TextSplitter:
            return len(text) <= self._limit
        return len(text) <= self._window and len(self._splitter.chunks(text)) <= 1

    def split(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the pieces of a text begin and end, each within the limit, white space at their ends left out.

        A text is cut where most line feeds follow each other, then at the ends of sentences, words and letters, as
        `semantic-text-splitter` does. A single character is a piece even if it counts more than the limit.
        """
        start = 0
        while start < len(text):
            window = text[start : start + self._window]
            is_last = start + self._window >= len(text)
            found = self._splitter.chunk_indices(window)
            if not is_last and len(found) > 1:
                found.pop()  # it may go on
            for at, piece in found:
                yield start + at, start + at + len(piece)
            if is_last:
                return
            at, piece = found[-1] if found else (0, window)
            start += at + len(piece)
