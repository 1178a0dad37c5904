"""Character maps that MuPDF lacks: their fonts would come out as Latin letters that look like text.

Johab and the Unicode encodings other than UTF-16 have the characters of maps that MuPDF has, written in other bytes.
"""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from services.pdf.worker.documents import Document
from services.pdf.worker.mupdf import mupdf

_LACKING = re.compile(r"(KSC(?=-Johab)|Uni(?:KS|GB|CNS|JIS)(?=-UTF))-(Johab|UTF8|UTF32)-([HV])")
_FAMILIES = {"KSC": "UniKS"}

_CODECS = {"Johab": "johab", "UTF8": "utf-8", "UTF32": "utf-32-be"}

_CODE_SPACES = {
    "Johab": ("<00> <80>", "<8431> <f9fe>"),
    "UTF8": ("<00> <7f>", "<c280> <dfbf>", "<e08080> <efbfbf>", "<f0908080> <f48fbfbf>"),
    "UTF32": ("<00000000> <0010ffff>",),
}

for _codec in _CODECS.values():  # now: a confined worker may open no file, and so load no codec
    codecs.lookup(_codec)

_ENCODING = mupdf.pdf_new_name("Encoding")


def mend_encoding(document: Document, font: Any) -> None:
    """Gives a composite font whose /Encoding names a map that MuPDF lacks that map itself; only in memory.

    Characters beyond the Basic Multilingual Plane are left out. Raises mupdf.FzErrorBase when the font cannot be read.
    """
    name = mupdf.pdf_to_name(mupdf.pdf_dict_get(font, _ENCODING))
    if match := _LACKING.fullmatch(name):
        family, encoding, way = match.groups()
        base = f"{_FAMILIES.get(family, family)}-UTF16-{way}"
        mupdf.pdf_dict_put(font, _ENCODING, _stream(document, name, base, encoding))


def _stream(document: Document, name: str, base: str, encoding: str) -> Any:
    """The map as a stream. The trailer keeps it, so that each is made once however many fonts name it."""
    trailer = mupdf.pdf_trailer(document.pdf)
    key = f"Papermesh.{name}"
    made = mupdf.pdf_dict_gets(trailer, key)
    if not made.m_internal:
        content = mupdf.fz_new_buffer_from_copied_data(_write(name, base, encoding))
        made = mupdf.pdf_add_stream(document.pdf, content, mupdf.pdf_new_dict(document.pdf, 1), 0)
        mupdf.pdf_dict_puts(trailer, key, made)
    return made


@lru_cache(maxsize=2)
def _write(name: str, base: str, encoding: str) -> bytes:
    """The map in the syntax of CMap files (ISO 32000-2, 9.7.5.4)."""
    spaces = _CODE_SPACES[encoding]
    lines = [f"<{code.hex()}> {cid}" for code, cid in _codes(base, _CODECS[encoding])]
    parts = [
        f"begincmap /CMapName /{name} def /WMode {int(base.endswith('V'))} def",
        *(f"{len(spaces)} begincodespacerange", *spaces, "endcodespacerange"),
        *(f"{len(lines)} begincidchar", *lines, "endcidchar"),
        "endcmap",
    ]
    return "\n".join(parts).encode()


def _codes(base: str, codec: str) -> Iterator[tuple[bytes, int]]:
    """What the codec writes for each character of the base map, and the number of its glyph."""
    cmap = mupdf.pdf_load_system_cmap(base)
    for number in (*range(0x20, 0xD800), *range(0xE000, 0xFFFE)):
        try:
            code = chr(number).encode(codec)
        except UnicodeEncodeError:
            continue
        if (cid := mupdf.pdf_lookup_cmap(cmap, number)) > 0:
            yield code, cid
