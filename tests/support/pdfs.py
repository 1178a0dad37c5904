"""Bytes that may be uploaded."""

import os

from services.pdf.worker.mupdf import pymupdf

BEGINNING = b"%PDF-1.7\n"


def pdf_bytes(size: int) -> bytes:
    """So many bytes like no others, that begin as a PDF does; nobody can read them."""
    return (BEGINNING + os.urandom(size))[:size]


def scan(words: str) -> bytes:
    """A document of one page that is a picture of these words."""
    with pymupdf.open() as typed, pymupdf.open() as scanned:
        typed.new_page().insert_text((72, 100), words, fontsize=14)
        page = scanned.new_page()
        page.insert_image(page.rect, pixmap=typed[0].get_pixmap(dpi=150))
        content: bytes = scanned.tobytes()
        return content
