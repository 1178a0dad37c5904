"""Where an upload waits until it is complete: a file without a name, hashed as it is written."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.base.documents import document_too_large
from services.base.errors import Code, PapermeshError


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
    """The uploads under way, which are so many at most."""

    def __init__(self, folder: Path, *, document_bytes: int, uploads: int) -> None:
        """Keeps up to `uploads` documents of up to `document_bytes` bytes in `folder`."""
        self._folder = folder
        self._document_bytes = document_bytes
        self._free = uploads

    @contextmanager
    def open(self) -> Iterator[Spool]:
        """A place for one upload.

        Raises:
            PapermeshError: UNAVAILABLE when all are taken.
        """
        if self._free == 0:
            raise PapermeshError(Code.UNAVAILABLE, "Too many uploads are under way. Try again.", retry_after_ms=1000)
        self._free -= 1
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                yield Spool(file, self._document_bytes)
        finally:
            self._free += 1
