"""Attached files: their names, sizes and digests. They are unpacked for these, and never opened."""

from collections.abc import Iterable, Iterator
from typing import Any

from services.pdf.worker.documents import attempt
from services.pdf.worker.files import digest, embedded_stream, file_name
from services.pdf.worker.listing import CutShortError, Listing, shorten
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.text_strings import decode
from services.pdf.worker.trees import MOST_STEPS, walk

MOST_BYTES = 64 << 20
"""Of one file, unpacked."""

MOST_BYTES_IN_ALL = 128 << 20

_MOST_SIZE = 2**31 - 1


def read_attachments(catalog: Any, on_pages: Iterable[Any], attachments: Listing) -> None:
    """The files that a document keeps: by name, with itself (/AF), and `on_pages`; each once.

    Raises mupdf.FzErrorBase and CutShortError when the tree of names cannot be read to its end.
    """
    left = MOST_BYTES_IN_ALL
    seen: set[int] = set()
    for key, specification in _specifications(catalog, on_pages):
        stream = attempt(embedded_stream, specification, otherwise=None)
        if stream is None:
            continue
        number = mupdf.pdf_to_num(stream)
        if number in seen:
            continue
        seen.add(number)
        if not attachments.has_room():
            return
        size, found = attempt(digest, stream, min(left, MOST_BYTES), otherwise=(0, ""))
        left = max(left - size, 0)
        attachments.add(
            {
                "name": file_name(specification) or shorten(decode(key)),
                "size": size if found else _said_size(stream),
                "sha256": found,
            }
        )


def _specifications(catalog: Any, on_pages: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """File specifications, with the keys under which they stand."""
    nothing = mupdf.PdfObj()
    associated = mupdf.pdf_dict_gets(catalog, "AF")
    count = mupdf.pdf_array_len(associated)
    if count > MOST_STEPS:
        raise CutShortError
    yield from ((nothing, mupdf.pdf_array_get(associated, index)) for index in range(count))
    yield from ((nothing, specification) for specification in on_pages)
    yield from walk(mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(catalog, "Names"), "EmbeddedFiles"), "Names")


def _said_size(stream: Any) -> int:
    """What the file says, at most 2,147,483,647; 0 if nothing."""
    said = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(stream, "Params"), "Size")
    size: int = mupdf.pdf_to_int64(said)
    return min(max(size, 0), _MOST_SIZE)
