"""Opens a document, strictly as PDF: left to guess, MuPDF would also accept images, e-books and archives."""

import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from services.base.errors import PapermeshError, bad_arg, too_large
from services.base.file_kinds import HEAD_BYTES
from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.page_tree import mend_counts
from services.pdf.worker.passwords import opens

_T = TypeVar("_T")

MAX_PAGES = 100_000
MAX_OBJECTS = 2_000_000

_UNKNOWN_HANDLER = "unknown encryption handler"
"""MuPDF's words for a file that is encrypted otherwise than by a password."""

_IN_MEMORY = 4 << 20
"""Files up to this size are read at once; larger ones are mapped, so that only what is asked about is read."""


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
    """Encrypted, whether or not it took a password to open it."""

    content: bytes | mmap.mmap
    """The file's bytes, which MuPDF only borrows."""


def open_document(file: int, password: str = "") -> Document:
    """Opens a PDF by a descriptor, which the caller closes.

    `password` is its user's or its owner's; empty for none, and ignored where none is needed. Raises BAD_ARG with
    details.reason "empty", "not_pdf", "encrypted", "wrong_password" or "broken", and TOO_LARGE for more pages or
    objects than any real document has.
    """
    content = _read(file)
    size = len(content)
    try:
        # The buffer is borrowed: Document keeps the bytes as long as the document.
        stream = mupdf.fz_open_memory(mupdf.python_buffer_data(content), size)
        pdf = mupdf.pdf_open_document_with_stream(stream)
        if mupdf.pdf_needs_password(pdf) and not opens(pdf, password):
            raise _locked(password)
        _refuse_beyond(mupdf.pdf_xref_len(pdf), MAX_OBJECTS, "objects")
        mend_counts(pdf)
        page_count = mupdf.pdf_count_pages(pdf)
        encrypted = bool(mupdf.pdf_dict_gets(mupdf.pdf_trailer(pdf), "Encrypt").m_internal)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        if _UNKNOWN_HANDLER in str(error):
            message = "The document is encrypted with certificates or another program's method; remove its protection."
            raise bad_arg(message, reason="encrypted") from error
        raise _broken("The document is damaged beyond repair.") from error
    if page_count < 1:
        raise _broken("The document has no pages.")
    _refuse_beyond(page_count, MAX_PAGES, "pages")
    return Document(pdf, page_count, size, encrypted, content)


def attempt(read: Callable[..., _T], *arguments: Any, otherwise: _T) -> _T:
    """What `read` makes of its arguments, or `otherwise` where MuPDF cannot parse what it meets; raises MemoryError."""
    try:
        return read(*arguments)
    except mupdf.FzErrorBase as error:
        raise_if_out_of_memory(error)
        return otherwise


def raise_if_out_of_memory(error: Exception) -> None:
    """Raises MemoryError if MuPDF failed because of the worker's limit, not the document's syntax."""
    if isinstance(error, MemoryError) or (isinstance(error, mupdf.FzErrorSystem) and "alloc" in str(error)):
        raise MemoryError from error


def _read(file: int) -> bytes | mmap.mmap:
    """The file's content, after checking that it is worth opening."""
    size = os.lseek(file, 0, os.SEEK_END)
    if size == 0:
        raise bad_arg("The document is empty.", reason="empty")
    if b"%PDF-" not in os.pread(file, HEAD_BYTES, 0):
        raise bad_arg("The document is not a PDF.", reason="not_pdf")
    if size <= _IN_MEMORY:
        return os.pread(file, size, 0)
    try:
        return mmap.mmap(file, size, prot=mmap.PROT_READ)
    except OSError as error:
        raise MemoryError from error  # of address space: the limit is the worker's


def _locked(password: str) -> PapermeshError:
    if password:
        message = "This is not the document's password. Give its user's or its owner's as password in the doc_ref."
        return bad_arg(message, reason="wrong_password")
    message = "The document is encrypted. Give its password as password in the doc_ref, or remove its protection."
    return bad_arg(message, reason="encrypted")


def _broken(message: str) -> PapermeshError:
    return bad_arg(message, reason="broken")


def _refuse_beyond(count: int, limit: int, what: str) -> None:
    if count > limit:
        message = f"The document has {count} {what}, over the limit of {limit}; split it."
        raise too_large(message, **{f"limit_{what}": limit})
