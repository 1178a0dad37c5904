"""Page labels: what is printed on a page for its number, such as "iv" or "A-3" (ISO 32000-2, 12.4.2)."""

from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.listing import Listing, name_of
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.trees import walk

_STYLES = {"D": "1", "R": "I", "r": "i", "A": "A", "a": "a"}
"""How the file names a style, and its first number written in it."""

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
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
    firsts = sorted(starts)
    for first, following in zip(firsts, [*firsts[1:], document.page_count], strict=True):
        if not labels.has_room():
            return
        labels.add(_run(first, following - first, starts[first]))


def _run(first: int, length: int, said: Any) -> dict[str, Any]:
    prefix = name_of(said, "P")
    style = _STYLES.get(mupdf.pdf_to_name(mupdf.pdf_dict_gets(said, "S")), "")
    start = max(mupdf.pdf_dict_get_int(said, mupdf.pdf_new_name("St")), 1)
    return {
        "first_page": first + 1,
        "last_page": first + length,
        "first_label": prefix + write_number(start, style),
        "last_label": prefix + write_number(start + length - 1, style),
        "prefix": prefix,
        "style": style,
        "start": start,
    }


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
