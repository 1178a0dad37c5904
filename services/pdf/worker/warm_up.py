"""One document through every operation before the first fork: a worker is not allowed to import what is missing."""

import contextlib
import os
from typing import Any

from services.base.errors import PapermeshError
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.operations import OPERATIONS

_ARGUMENTS: dict[str, Any] = {"sha256": "", "pages": [], "limit_pages": 10, "spread": 10, "limit_bytes": 1 << 20}


def warm_up() -> None:
    """Runs each operation once on a document of its own making, which never touches a disk."""
    descriptor = os.memfd_create("warm-up")
    try:
        os.write(descriptor, _sample())
        for operation in OPERATIONS.values():
            operation(open_document(descriptor), _ARGUMENTS)
        os.ftruncate(descriptor, 0)
        with contextlib.suppress(PapermeshError):  # the way of an error loads modules too
            open_document(descriptor)
    finally:
        os.close(descriptor)


def _sample() -> bytes:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 72), "Heading", fontsize=24)
        page.insert_text((72, 108), "Text, and more of it than of the heading. \u00e9")
        document.new_page()
        document.set_metadata({"title": "Sample", "creationDate": "D:20250102030405+09'00'"})
        content: bytes = document.tobytes()
        return content
