"""Text from a document, made safe for JSON and for its readers, and the same however the file spells it."""

import codecs
import re
import unicodedata

from services.pdf.worker.hancom import SYMBOLS

codecs.lookup("utf-16")  # now: a confined worker may open no file, and so load no codec

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_NONCHARACTERS = "\ufdd0-\ufdef\ufffe\uffff" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
)
_UNFIT = re.compile(f"[{_CONTROLS}]+|[\ud800-\udfff]+|[{_NONCHARACTERS}]|[{''.join(SYMBOLS)}]")


def fit(text: str) -> str:
    """The text as Unicode has it, composed (NFC).

    Control characters go, since fonts with a wrong mapping are full of them; between two letters they leave a blank,
    which is often what they stand for. Halves of a surrogate pair are joined. A lone half, and what is no character,
    becomes U+FFFD. Hancom's private characters become the public ones that look the same.
    """
    # Nothing that is unfit is printable. Asking for that takes a twentieth of looking for it.
    if not text.replace("\n", "").replace("\t", "").isprintable():
        text = _UNFIT.sub(_replacement, text)
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """One line: white space folded to single blanks, none at the ends."""
    return " ".join(fit(text).split())


def _replacement(match: re.Match[str]) -> str:
    found = match[0]
    if found < "\xa0":
        text, start, end = match.string, match.start(), match.end()
        return " " if text[max(start - 1, 0) : start].isalnum() and text[end : end + 1].isalnum() else ""
    if "\ud800" <= found[0] <= "\udfff":
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return SYMBOLS.get(found, "\ufffd")
