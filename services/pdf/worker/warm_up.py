"""Sends a document or its picture through every view before the first fork: a worker may not import anything."""

import contextlib
import os
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

from services.base.errors import PapermeshError
from services.pdf.processes.wire import CONTENT
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.read import read_pages
from services.pdf.worker.views import Arguments, Given, View

_READING = {"ranges": [], "most": 10, "spread": 10, "ocr": "never", "bytes": 1 << 20}

_DPI = 150
"""Of the picture."""


def warm_up(views: Iterable[tuple[View, Arguments, bool]]) -> None:
    """Runs each view once, with its arguments, on a document made in memory.

    Those of which the last is true take content alone: they get its first page as a picture.
    """
    descriptor = os.memfd_create("warm-up")
    try:
        os.write(descriptor, _sample())
        sample = {True: cache(partial(_picture, descriptor)), False: cache(partial(_readings, descriptor))}
        for view, arguments, takes_content in views:
            view(Given(descriptor), sample[takes_content]() | arguments)
        os.ftruncate(descriptor, 0)
        with contextlib.suppress(PapermeshError):  # the way of an error loads modules too
            open_document(descriptor)
    finally:
        os.close(descriptor)


def _readings(document: int) -> dict[str, Any]:
    """The readings of a document as the service gives them to a view, and how they are made."""
    header, content = read_pages(open_document(document), _READING)
    found = [[page, length] for page, (length, _) in enumerate(header["found"], 1)]
    given = {"pages": len(found), "asked": [], "found": found, "failures": [], "with_scans": False}
    return {**_READING, "readings": given, CONTENT: content}


def _picture(document: int) -> dict[str, Any]:
    """A document's first page in grey, as a binary PGM."""
    with pymupdf.open(stream=os.pread(document, 1 << 20, 0)) as opened:
        picture: bytes = opened[0].get_pixmap(dpi=_DPI, colorspace=pymupdf.csGRAY).tobytes("pgm")
        return {CONTENT: picture}


def _sample() -> bytes:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 72), "Heading", fontsize=24)
        page.insert_text((72, 108), "Text, and more of it than of the heading. \u00e9")
        document.new_page()
        document.set_metadata({"title": "Sample", "creationDate": "D:20250102030405+09'00'"})
        content: bytes = document.tobytes()
        return content
