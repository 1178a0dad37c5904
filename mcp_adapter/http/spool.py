"""Where an upload waits until it is complete: a file without a name, hashed as it is written."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcp_adapter.http.concurrency import UPLOADS, Places
from services.base.documents import document_too_large
from services.base.errors import bad_arg
from services.base.file_kinds import Beginning
from services.base.spool_file import SpoolFile, spool_file


class Spool:
    """One upload. Its file has no name, so nothing is left of it however the process ends."""

    def __init__(self, file: SpoolFile, limit: int) -> None:
        """Writes at most `limit` bytes to `file`."""
        self._file = file
        self._limit = limit
        self._beginning = Beginning()
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Adds to the document.

        Raises:
            PapermeshError: TOO_LARGE over the limit; BAD_ARG as soon as it cannot be a PDF; UNAVAILABLE when the disk
                refuses it.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise document_too_large(self._limit)
        self._beginning.feed(piece)
        self._sha256.update(piece)
        self._file.write(piece)

    def finish(self) -> None:
        """Ends the document.

        Raises:
            PapermeshError: BAD_ARG when it is empty, or not a PDF.
        """
        if self.size == 0:
            raise bad_arg("The document is empty. Send its bytes as the body, or as a file of a multipart form.")
        self._beginning.finish()

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what was written."""
        return self._sha256.digest()

    def content(self) -> SpoolFile:
        """What was written, from its start; raises UNAVAILABLE when the disk fails."""
        self._file.rewind()
        return self._file


class Spools:
    """The uploads under way, limited for each actor and in all."""

    def __init__(self, folder: Path, document_bytes: int) -> None:
        """Keeps documents of up to `document_bytes` bytes in `folder`."""
        self._folder = folder
        self._document_bytes = document_bytes
        self._places = Places(UPLOADS)

    @contextmanager
    def open(self, actor: str) -> Iterator[Spool]:
        """A place for one upload of an actor.

        Raises:
            PapermeshError: RATE_LIMIT when the actor has taken all of its places; UNAVAILABLE when all are taken, or
                the folder cannot be used.
        """
        with self._places.take(actor), spool_file(self._folder) as file:
            yield Spool(file, self._document_bytes)
