"""Bytes that may be uploaded."""

import os

BEGINNING = b"%PDF-1.7\n"


def pdf_bytes(size: int) -> bytes:
    """So many bytes like no others, that begin as a PDF does; nobody can read them."""
    return (BEGINNING + os.urandom(size))[:size]
