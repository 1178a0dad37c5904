"""Answers that are kept for idempotency keys: small ones in the record itself, large ones in the blob store."""

import asyncio
import hashlib
import secrets
import tempfile
from pathlib import Path
from typing import IO

from services.base.blobs import BlobStore, Namespace
from services.dispatch.compressed import compress, decompress

MAX_INLINE_BYTES = 32 * 1024
"""The largest answer, compressed, that stands in Redis: what nobody evicts must stay small."""

_INLINE, _STORED = b"i", b"b"
_SALT_BYTES = 16


class StoredAnswers:
    """Puts an answer where it belongs and finds it again."""

    def __init__(self, blobs: BlobStore, spool_dir: Path) -> None:
        """Keeps large answers in `blobs`, by way of a file in `spool_dir`."""
        self._blobs = blobs
        self._spool_dir = spool_dir

    async def store(self, json: str) -> bytes:
        """Keeps an answer.

        Returns:
            What `load` needs, at most 32 KiB.

        Raises:
            PapermeshError: UNAVAILABLE when the blob store cannot be reached.
        """
        packed = await compress(json.encode())
        if len(packed) <= MAX_INLINE_BYTES:
            return _INLINE + packed
        with tempfile.NamedTemporaryFile(dir=self._spool_dir, prefix="result-") as file:
            sha256 = await asyncio.to_thread(_write, file, packed)
            await self._blobs.put(Namespace.RESULTS, sha256, Path(file.name))
        return _STORED + sha256.encode()

    async def load(self, stored: bytes) -> str:
        """The answer that `store` kept.

        Raises:
            PapermeshError: UNAVAILABLE when the blob store cannot be reached.
        """
        if stored[:1] == _INLINE:
            return (await decompress(stored[1:])).decode()
        pieces = [piece async for piece in self._blobs.read(Namespace.RESULTS, stored[1:].decode())]
        return (await decompress(b"".join(pieces)[_SALT_BYTES:])).decode()


def _write(file: IO[bytes], packed: bytes) -> str:
    """Writes a large answer and returns the digest of the file; fit for a thread."""
    # Equal answers are not shared: each is deleted a day after it was written, whoever else has one like it.
    content = secrets.token_bytes(_SALT_BYTES) + packed
    file.write(content)
    file.flush()
    return hashlib.sha256(content).hexdigest()
