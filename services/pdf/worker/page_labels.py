"""Page labels: what is printed on a page for its number, such as "iv" or "A-3" (ISO 32000-2, 12.4.2)."""

import re
from dataclasses import dataclass
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.listing import NAME_LENGTH, CutShortError, Listing
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fit
from services.pdf.worker.text_strings import decode
from services.pdf.worker.trees import walk

_STYLES = {"D": "1", "R": "I", "r": "i", "A": "A", "a": "a"}
"""How the file names a style, and its first number written in it."""

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_SPACE = re.compile(r"\s+")
_MOST_ROMAN = 4_999
_MOST_LETTERS = 26 * 20


def read_page_labels(document: Document, catalog: Any, labels: Listing) -> None:
    """Runs of pages whose labels count up by one; none where the file gives its pages no labels.

    Raises mupdf.FzErrorBase and CutShortError when the tree cannot be read to its end.
    """
    root = mupdf.pdf_dict_gets(catalog, "PageLabels")
    if not root.m_internal:
        return
    starts: dict[int, Any] = {}
    for key, value in walk(root, "Nums"):
        index = mupdf.pdf_to_int(key)
        if mupdf.pdf_is_int(key) and 0 <= index < document.page_count and mupdf.pdf_is_dict(value):
            starts.setdefault(index, value)
    runs: list[_Run] = []
    for first in sorted(starts):
        if labels.is_late():
            raise CutShortError
        run = _read_run(first, starts[first])
        if not (runs and runs[-1].goes_on_as(run)):
            runs.append(run)
    for index, run in enumerate(runs):
        if not labels.has_room():
            return
        end = runs[index + 1].first if index + 1 < len(runs) else document.page_count
        labels.add(
            {
                "first_page": run.first + 1,
                "last_page": end,
                "first_label": run.prefix + write_number(run.start, run.style),
                "last_label": run.prefix + write_number(run.start + end - run.first - 1, run.style),
                "prefix": run.prefix,
                "style": run.style,
                "start": run.start,
            }
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """Pages from index `first` on, the first of them with the number `start`."""

    first: int
    prefix: str
    style: str
    start: int

    def goes_on_as(self, other: "_Run") -> bool:
        """Whether the labels of a later run are those that this one would have there: some programs name each page."""
        same = (self.prefix, self.style) == (other.prefix, other.style)
        return same and (not self.style or self.start - self.first == other.start - other.first)


def _read_run(first: int, said: Any) -> _Run:
    style = _STYLES.get(mupdf.pdf_to_name(mupdf.pdf_dict_gets(said, "S")), "")
    prefix = _SPACE.sub(" ", fit(decode(mupdf.pdf_dict_gets(said, "P"))))[:NAME_LENGTH]  # blanks at its ends count
    return _Run(first, prefix, style, max(mupdf.pdf_to_int(mupdf.pdf_dict_gets(said, "St")), 1))


def write_number(number: int, style: str) -> str:
    """A number from 1 in a style: "1", "i", "I", "a" or "A" (which goes on with "AA", "BB"), or "" for no number.

    In digits beyond 4,999 in Roman numbers and beyond 20 letters: they would get as long as a file likes.
    """
    if not style:
        return ""
    text = ""
    if style in "iI" and number <= _MOST_ROMAN:
        text = _roman(number)
    elif style in "aA" and number <= _MOST_LETTERS:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    return (text.upper() if style.isupper() else text) or str(number)


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text
