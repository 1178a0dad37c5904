"""Passwords, in the encodings that programs gave them (ISO 32000-2, 7.6.4).

Since revision 5 of its encryption, a file's password is UTF-8, prepared by SASLprep; many programs leave the preparing
out, of which mostly NFKC shows. Before, it was in PDFDocEncoding, which has no Hangul. Programs put the bytes of UTF-8
there or, on a Korean Windows, of CP949.
"""

import codecs
import unicodedata
from typing import Any

from services.pdf.worker.mupdf import mupdf

_UTF_8_SINCE = 5
"""The first revision with passwords in UTF-8."""

_BEFORE = ("utf-8", "cp949")
"""What stands in earlier ones instead of PDFDocEncoding."""

for _name in _BEFORE:  # now: a confined worker may open no file, and so load no codec
    codecs.lookup(_name)

_LETTERS = {byte: chr(byte) for byte in (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))}
_LETTERS |= dict(enumerate("•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž", start=0x80)) | {0xA0: "€"}  # noqa: RUF001 - D.2 has them
"""PDFDocEncoding (ISO 32000-2, D.2). It gives no letter to three bytes, and MuPDF passes none of these on."""


def opens(pdf: Any, password: str) -> bool:
    """Whether the password is the user's or the owner's of an encrypted mupdf.PdfDocument, which it then opens.

    Raises mupdf.FzErrorBase for a file that is damaged there.
    """
    encryption = mupdf.pdf_dict_gets(mupdf.pdf_trailer(pdf), "Encrypt")
    revision = mupdf.pdf_to_int(mupdf.pdf_dict_gets(encryption, "R"))
    return any(mupdf.pdf_authenticate_password(pdf, each) for each in spellings(password, revision))


def spellings(password: str, revision: int) -> list[str]:
    """The texts that MuPDF is to try for a password, each once; it takes them for UTF-8 or PDFDocEncoding."""
    if "\0" in password:  # where it ends for MuPDF
        return []
    if revision >= _UTF_8_SINCE:
        return list(dict.fromkeys((password, unicodedata.normalize("NFKC", password))))
    # MuPDF drops what is not in PDFDocEncoding, so that "가나다" would open as an empty password does.
    own = [password] if set(password) <= set(_LETTERS.values()) else []
    return list(dict.fromkeys(own + [text for encoding in _BEFORE if (text := _as_letters(password, encoding))]))


def _as_letters(password: str, encoding: str) -> str:
    """The letters that PDFDocEncoding writes as the password's bytes in another encoding; "" where it cannot."""
    try:
        content = password.encode(encoding)
    except UnicodeEncodeError:
        return ""
    return "".join(map(_LETTERS.__getitem__, content)) if set(content) <= _LETTERS.keys() else ""
