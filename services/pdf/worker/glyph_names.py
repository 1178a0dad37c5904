"""Glyphs named by their character beyond the first 65,536, "u1F600", of which MuPDF keeps only the last four digits."""

import codecs
import re
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf, pymupdf

codecs.lookup("utf-16-be")  # now: a confined worker may open no file, and so load no codec

_LOOKED_AT = "Papermesh.Names"
_MOST_DIFFERENCES = 1_024
_SIGN = re.compile(rb"/u[1-9A-F][0-9A-F]{4}")
_BEYOND = re.compile(r"u(?P<digits>[1-9A-F][0-9A-F]{4}|10[0-9A-F]{4})(?:\..*)?")
"""By the rules of the Adobe Glyph List (github.com/adobe-type-tools/agl-specification)."""


def mend_names(document: Document, font: Any) -> None:
    """Gives a simple font with such glyphs a /ToUnicode, if it has none, for these only; only in memory.

    Raises mupdf.FzErrorBase when the font cannot be read.
    """
    held = font.m_internal
    if not held or mupdf.ll_pdf_dict_gets(held, "ToUnicode") or mupdf.ll_pdf_dict_gets(held, _LOOKED_AT):
        return
    mupdf.pdf_dict_puts(font, _LOOKED_AT, mupdf.pdf_new_int(1))  # fonts come again on every page
    differences = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(font, "Encoding"), "Differences")
    if not 0 < mupdf.pdf_array_len(differences) <= _MOST_DIFFERENCES:
        return
    written = mupdf.fz_buffer_extract_copy(pymupdf.JM_object_to_buffer(differences, 1, 1))
    if _SIGN.search(written) and (found := _beyond(differences)):  # item by item takes thirty times as long
        lines = [f"<{code:02x}> <{character.encode('utf-16-be').hex()}>" for code, character in found.items()]
        head = f"begincmap 1 begincodespacerange <00> <ff> endcodespacerange {len(lines)} beginbfchar"
        content = mupdf.fz_new_buffer_from_copied_data("\n".join([head, *lines, "endbfchar endcmap"]).encode())
        stream = mupdf.pdf_add_stream(document.pdf, content, mupdf.pdf_new_dict(document.pdf, 1), 0)
        mupdf.pdf_dict_puts(font, "ToUnicode", stream)


def _beyond(differences: Any) -> dict[int, str]:
    """Such characters by their codes, 0 to 255."""
    found: dict[int, str] = {}
    code = 0
    for index in range(mupdf.pdf_array_len(differences)):
        item = mupdf.pdf_array_get(differences, index)
        if name := mupdf.pdf_to_name(item):
            if (match := _BEYOND.fullmatch(name)) and 0 <= code <= 0xFF:  # noqa: PLR2004  # one byte
                found[code] = chr(int(match["digits"], 16))
            code += 1
        else:
            code = mupdf.pdf_to_int(item)
    return found
