"""File specifications: how a document names a file, and where it keeps one (ISO 32000-2, 7.11)."""

import hashlib
from collections.abc import Iterator
from typing import Any

from services.pdf.worker.listing import NAME_LENGTH
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.strings import fold
from services.pdf.worker.text_strings import decode

_KEYS = ("UF", "F", "Unix", "DOS", "Mac")
"""The best first; in a dictionary of names, and in one of embedded files."""

_PIECE = 1 << 16
_MOST_FILTERS = 8

_SPELLINGS = frozenset(("ASCIIHexDecode", "AHx", "ASCII85Decode", "A85"))
_PACKINGS = frozenset(("FlateDecode", "Fl", "LZWDecode", "LZW", "RunLengthDecode", "RL"))
"""Filters that make little out of much, and those that make much out of little."""


def file_name(specification: Any) -> str:
    """The name, at most 500 characters; empty where there is none."""
    if mupdf.pdf_is_dict(specification):
        names = (fold(decode(mupdf.pdf_dict_gets(specification, key))) for key in _KEYS)
        return next(filter(None, names), "")[:NAME_LENGTH]
    return fold(decode(specification))[:NAME_LENGTH]


def embedded_stream(specification: Any) -> Any | None:
    """The stream in which the document keeps the file, or None if it only names one."""
    kept = mupdf.pdf_dict_gets(specification, "EF")
    streams = (mupdf.pdf_dict_gets(kept, key) for key in _KEYS)
    return next((stream for stream in streams if mupdf.pdf_is_stream(stream)), None)


def digest(stream: Any, limit: int) -> tuple[int, str]:
    """The size of a file and its SHA-256, without keeping more than a piece of it.

    The digest is empty if there are more than `limit` bytes, or if the stream is packed in a way that no program uses
    for files and that could take any time to unpack. Raises mupdf.FzErrorBase when it is damaged.
    """
    found, size = hashlib.sha256(), 0
    if not _is_plainly_packed(stream):
        return 0, ""
    for piece in _pieces(stream):
        size += len(piece)
        if size > limit:
            return size, ""
        found.update(piece)
    return size, found.hexdigest()


def _pieces(stream: Any) -> Iterator[memoryview]:
    opened = mupdf.pdf_open_stream(stream)
    piece = bytearray(_PIECE)
    room = mupdf.python_mutable_buffer_data(piece)
    while count := mupdf.fz_read(opened, room, _PIECE):
        yield memoryview(piece)[:count]


def _is_plainly_packed(stream: Any) -> bool:
    """Packed at most once, and written in letters outside of that; so it unpacks in the time that its bytes take."""
    names = [mupdf.pdf_to_name(item) for item in _one_or_many(stream, "Filter", "F")]
    has_parameters = any(
        map(mupdf.pdf_is_dict, _one_or_many(stream, "DecodeParms", "DP"))
    )  # as only pictures need them
    return not has_parameters and _SPELLINGS.issuperset(names[:-1]) and (_SPELLINGS | _PACKINGS).issuperset(names[-1:])


def _one_or_many(stream: Any, key: str, short: str) -> list[Any]:
    found = mupdf.pdf_dict_geta(stream, mupdf.pdf_new_name(key), mupdf.pdf_new_name(short))
    if not mupdf.pdf_is_array(found):
        return [found] if found.m_internal else []
    return [mupdf.pdf_array_get(found, index) for index in range(min(mupdf.pdf_array_len(found), _MOST_FILTERS))]
