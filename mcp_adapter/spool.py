"""Where an upload waits until it is complete: a file without a name, hashed as it is written."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mcp_adapter.places import UPLOADS, Places
from services.base.documents import document_too_large


class Spool:
    """One upload. Its file has no name, so that nothing is left of it however the process ends."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        """Writes at most `limit` bytes to `file`."""
        self._file = file
        self._limit = limit
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Adds to the document.

        Raises:
            PapermeshError: TOO_LARGE over the limit.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise document_too_large(self._limit)
        self._sha256.update(piece)
        self._file.write(piece)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what was written."""
        return self._sha256.digest()

    def content(self) -> IO[bytes]:
        """What was written, from its start."""
        self._file.seek(0)
        return self._file


class Spools:
    """The uploads under way, of which one actor may have so many, and all together so many."""

    def __init__(self, folder: Path, document_bytes: int) -> None:
        """Keeps documents of up to `document_bytes` bytes in `folder`."""
        self._folder = folder
        self._document_bytes = document_bytes
        self._places = Places(UPLOADS)

    @contextmanager
    def open(self, actor: str) -> Iterator[Spool]:
        """A place for one upload of an actor.

        Raises:
            PapermeshError: RATE_LIMIT when the actor has all of its own; UNAVAILABLE when all are taken.
        """
        with self._places.take(actor), tempfile.TemporaryFile(dir=self._folder) as file:
            yield Spool(file, self._document_bytes)
