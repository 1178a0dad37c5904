"""Opening a document, strictly as PDF: MuPDF would also take pictures, e-books and archives if it were let guess."""

import os
from dataclasses import dataclass
from typing import Any

from services.base.errors import Code, PapermeshError, bad_arg
from services.pdf.worker.mupdf import mupdf

MAX_PAGES = 100_000
MAX_OBJECTS = 2_000_000

_IN_MEMORY = 4 << 20
"""Files up to this size are read at once: a tenth of the time of MuPDF's many small reads."""

_HEAD = 1024
"""Bytes in which a reader must find "%PDF-"."""


@dataclass(frozen=True, slots=True)
class Document:
    """An open PDF."""

    pdf: Any
    """mupdf.PdfDocument"""

    page_count: int
    """At least 1."""

    size: int
    """Bytes of the file."""

    encrypted: bool
    """Encrypted, though it opens without a password."""

    content: bytes
    """The file where it was read at once: MuPDF only borrows it."""


def open_document(path: str) -> Document:
    """Opens the PDF at `path`.

    Raises BAD_ARG with details.reason "empty", "not_pdf", "encrypted" or "broken", and TOO_LARGE for more pages or
    objects than anybody's document has.
    """
    size, content = _read(path)
    try:
        # The buffer is borrowed: Document keeps the bytes as long as the document.
        pdf = (
            mupdf.pdf_open_document_with_stream(mupdf.fz_open_memory(mupdf.python_buffer_data(content), size))
            if content
            else mupdf.pdf_open_document(path)
        )
        if mupdf.pdf_needs_password(pdf):
            raise bad_arg("The document is encrypted and needs a password; remove its protection.", reason="encrypted")
        page_count = mupdf.pdf_count_pages(pdf)
        encrypted = bool(mupdf.pdf_dict_gets(mupdf.pdf_trailer(pdf), "Encrypt").m_internal)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        raise _broken("The document is damaged beyond repair.") from error
    if page_count < 1:
        raise _broken("The document has no pages.")
    _refuse_beyond(page_count, MAX_PAGES, "pages")
    _refuse_beyond(mupdf.pdf_xref_len(pdf), MAX_OBJECTS, "objects")
    return Document(pdf, page_count, size, encrypted, content)


def raise_if_out_of_memory(error: Exception) -> None:
    """Raises MemoryError when MuPDF failed because of the worker's limit and not because of the document's syntax."""
    if isinstance(error, MemoryError) or (isinstance(error, mupdf.FzErrorSystem) and "alloc" in str(error)):
        raise MemoryError from error


def _read(path: str) -> tuple[int, bytes]:
    """The file's size, and its content when it is small enough to be opened from memory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        content = os.read(descriptor, size if size <= _IN_MEMORY else _HEAD)
    finally:
        os.close(descriptor)
    if size == 0:
        raise bad_arg("The document is empty.", reason="empty")
    if b"%PDF-" not in content[:_HEAD]:
        raise bad_arg("The document is not a PDF.", reason="not_pdf")
    return size, content if len(content) == size else b""


def _broken(message: str) -> PapermeshError:
    return bad_arg(message, reason="broken")


def _refuse_beyond(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise PapermeshError(
            Code.TOO_LARGE,
            f"The document has {count} {what}, over the limit of {limit}; split it.",
            details={f"limit_{what}": str(limit)},
        )
