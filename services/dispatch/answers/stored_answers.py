"""Answers kept for idempotency keys: small ones in the record itself, large ones in the blob store."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from services.base.blobs import BlobStore, Namespace
from services.base.spool_file import SpoolFile, spool_file
from services.dispatch.answers.compressed import compress, decompress

MAX_INLINE_BYTES = 1024
"""The largest answer, compressed, that goes into Redis: what is never evicted must stay small."""

_INLINE, _STORED = b"i", b"b"
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer."""

    record: bytes
    """What `load` needs, at most 1 KiB."""

    size: int
    """Bytes that the answer takes, wherever it is."""


class StoredAnswers:
    """Puts an answer where it belongs and finds it again."""

    def __init__(self, blobs: BlobStore, spool_dir: Path) -> None:
        """Keeps large answers in `blobs`, through a file in `spool_dir`."""
        self._blobs = blobs
        self._spool_dir = spool_dir

    async def store(self, json: str) -> Stored:
        """Keeps an answer.

        Raises:
            PapermeshError: UNAVAILABLE when the blob store or the folder cannot be used.
        """
        packed = await compress(json.encode())
        if len(packed) <= MAX_INLINE_BYTES:
            return Stored(_INLINE + packed, len(packed))
        with spool_file(self._spool_dir, "result-") as file:
            sha256 = await asyncio.to_thread(_write, file, packed)
            await self._blobs.put(Namespace.RESULTS, sha256, file.path)
        return Stored(_STORED + sha256.encode(), len(packed))

    async def load(self, record: bytes) -> str:
        """The answer whose record `store` returned.

        Raises:
            PapermeshError: UNAVAILABLE when the blob store cannot be reached; ENGINE_FAIL when it has lost the answer.
        """
        if record[:1] == _INLINE:
            return (await decompress(record[1:])).decode()
        pieces = [piece async for piece in self._blobs.read(Namespace.RESULTS, record[1:].decode())]
        return (await decompress(b"".join(pieces)[_SALT_BYTES:])).decode()


def _write(file: SpoolFile, packed: bytes) -> str:
    """Writes a large answer and returns the file's digest; safe in a thread."""
    # Equal answers are not shared: each is deleted a day after it was written, whoever else has one like it.
    content = secrets.token_bytes(_SALT_BYTES) + packed
    file.write(content)
    return hashlib.sha256(content).hexdigest()
