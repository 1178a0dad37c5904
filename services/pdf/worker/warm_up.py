"""Sends a document or its picture through every view before the first fork: a worker may not import anything."""

import contextlib
import os
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Literal, TypeAlias

from services.base.errors import PapermeshError
from services.pdf.processes.wire import CONTENT
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.read import read_pages
from services.pdf.worker.views import Arguments, Given, View

_READING = {"ranges": [], "most": 10, "spread": 10, "ocr": "never", "bytes": 1 << 20}

_DPI = 150
"""Of the picture."""


Sample: TypeAlias = Literal["document", "picture", "pair"]
"""What a view is run on: a document and what was read of it, its first page as a picture, or what was read of two."""


def warm_up(views: Iterable[tuple[View, Arguments, Sample]]) -> None:
    """Runs each view once, with its arguments, on its sample of a document made in memory."""
    descriptor = os.memfd_create("warm-up")
    try:
        os.write(descriptor, _sample())
        samples: dict[Sample, Callable[[], dict[str, Any]]] = {
            "document": cache(partial(_readings, descriptor)),
            "picture": cache(partial(_picture, descriptor)),
            "pair": partial(_pair, descriptor),
        }
        for view, arguments, sample in views:
            view(Given(descriptor), samples[sample]() | arguments)
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


def _pair(document: int) -> dict[str, Any]:
    """The readings of two documents, as the service gives them to be compared."""
    one = _readings(document)
    return {"left": one["readings"], "right": one["readings"], CONTENT: one[CONTENT] * 2}


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
