"""How long a chunk may be, and where text that is longer is cut."""

from collections.abc import Callable, Iterator

from semantic_text_splitter import TextSplitter

_WINDOW = 12
"""How many chunks' characters are looked at together: the splitter takes longer for each character of a longer text."""

_LEAST_WINDOW = 4_096


class Size:
    """A limit, in characters (code points) or in what `measure` counts, such as a model's tokens."""

    def __init__(self, limit: int, measure: Callable[[str], int] | None = None) -> None:
        """`limit` is from 1."""
        self.limit = limit
        self._measure = measure
        self._splitter = TextSplitter.from_callback(measure, limit) if measure else TextSplitter(limit)
        self._window = max(_WINDOW * limit, _LEAST_WINDOW)

    def with_limit(self, limit: int) -> "Size":
        """Another limit, counted alike."""
        return Size(limit, self._measure)

    def of(self, text: str) -> int:
        """How long a text is."""
        return self._measure(text) if self._measure else len(text)

    def fits(self, text: str) -> bool:
        """Whether a text is within the limit."""
        return self.of(text) <= self.limit

    def split(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the pieces of a text begin and end, each within the limit, white space at their ends left out.

        A text is cut where most line feeds follow each other, then at the ends of sentences, words and letters, as
        `semantic-text-splitter` does. A single character is a piece even if `measure` counts more for it.
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
