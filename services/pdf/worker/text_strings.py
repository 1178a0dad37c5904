"""Text strings of a file's dictionaries: titles of documents and of outline entries."""

import codecs
import re
from typing import Any

from services.pdf.worker.documents import attempt
from services.pdf.worker.mupdf import mupdf

for _name in ("cp949", "euc_kr"):  # now: a confined worker may open no file, and so load no codec
    codecs.lookup(_name)

_MARKS = (b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")
"""How a string in UTF-16 or UTF-8 begins."""

_LANGUAGE = re.compile("\x1b[a-z]{2}(?:[A-Z]{2})?\x1b")
"""Says which language follows (ISO 32000-2, 7.9.2.2); no part of the text."""

_HANGUL = re.compile("[가-힣]")
_LEAST_SYLLABLES = 2


def read_text_string(dictionary: Any, key: Any) -> str:
    """The text under a key; empty where there is none, or none that can be read.

    Without a mark of its encoding a string is in PDFDocEncoding (ISO 32000-2, 7.9.2.2). Old Korean programs wrote CP949
    instead.
    """
    found = attempt(mupdf.pdf_dict_get, dictionary, key, otherwise=None)
    return "" if found is None else decode(found)


def decode(found: Any) -> str:
    """The text that a string object holds; empty for any other object."""
    if not mupdf.pdf_is_string(found):
        return ""
    raw = mupdf.pdf_to_str_buf(found)
    content: bytes = raw.encode("utf-8", "surrogateescape")  # the binding reads bytes as UTF-8
    if not raw.isascii() and not content.startswith(_MARKS) and (korean := _korean(content)):
        return korean
    return _LANGUAGE.sub("", attempt(mupdf.pdf_to_text_string, found, otherwise="") or "")


def _korean(content: bytes) -> str:
    """The bytes as CP949, or "" where that is not what they must be.

    Two syllables side by side are not what Latin text makes by chance: its letters with accents stand among others, and
    such a letter and its neighbour are no syllable of KS X 1001.
    """
    try:
        text = content.decode("cp949")
    except UnicodeDecodeError:
        return ""
    beyond_ascii = [letter for letter in text if not letter.isascii()]
    syllables = sum(1 for letter in beyond_ascii if _HANGUL.match(letter) and _is_common(letter))
    return text if syllables >= _LEAST_SYLLABLES and 2 * syllables >= len(beyond_ascii) else ""


def _is_common(syllable: str) -> bool:
    """Whether it is one of the 2,350 of KS X 1001, which nearly all text is made of."""
    try:
        return len(syllable.encode("euc_kr")) == 2  # noqa: PLR2004 - longer ones are spelled by their letters
    except UnicodeEncodeError:
        return False
