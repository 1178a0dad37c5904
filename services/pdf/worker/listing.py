"""A list of the result, with an end: a file can hold as many comments or links as it has bytes."""

import time
from typing import Any

from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fit, fold
from services.pdf.worker.text_strings import decode

MOST_ENTRIES = 1_000
MOST_CHARACTERS = 200_000
"""Of all entries of one list together, so that a result of several stays far below its limit of bytes."""

TEXT_LENGTH = 2_000
NAME_LENGTH = 500


class CutShortError(Exception):
    """There is more of something than is looked at."""


class Listing:
    """Entries as JSON values, at most 1,000, with at most 200,000 characters.

    Args:
        end: When reading must stop, in seconds of `time.process_time`.
    """

    def __init__(self, end: float) -> None:
        self.entries: list[dict[str, Any]] = []
        self.is_cut = False
        """There is more in the file, or may be."""

        self._end = end
        self._characters = 0

    def has_room(self) -> bool:
        """Whether another entry may be added; if not, the list is cut here."""
        has_room = len(self.entries) < MOST_ENTRIES and self._characters < MOST_CHARACTERS and not self.is_late()
        self.is_cut = self.is_cut or not has_room
        return has_room

    def is_late(self) -> bool:
        """Whether reading must stop."""
        return time.process_time() > self._end

    def add(self, entry: dict[str, Any]) -> None:
        """Adds an entry for which there is room."""
        self.entries.append(entry)
        self._characters += sum(len(value) for value in entry.values() if isinstance(value, str))


def text_of(dictionary: Any, key: str) -> str:
    """The text under a key as it is shown, lines and all; empty where there is none. At most 2,000 characters."""
    return shorten(decode(mupdf.pdf_dict_gets(dictionary, key)))


def name_of(dictionary: Any, key: str) -> str:
    """The text under a key on one line; empty where there is none. At most 500 characters."""
    return fold(decode(mupdf.pdf_dict_gets(dictionary, key)))[:NAME_LENGTH]


def shorten(text: str) -> str:
    """A text as it is shown, cut off after 2,000 characters."""
    return fit(text.replace("\r\n", "\n").replace("\r", "\n"))[:TEXT_LENGTH].strip()
