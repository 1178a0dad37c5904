"""Compressed text, for the cache and for idempotency records.

A result has up to 16 MiB, and compressing that takes most of a second. The event loop serves everybody, so anything
that is not small goes to a thread; zlib releases the interpreter meanwhile.
"""

import asyncio
import zlib

_LEVEL = 1
"""zlib's level: a third of the default's time, and layouts still shrink to an eighth."""

_SMALL_BYTES = 32 * 1024
"""Up to this size, the work takes about as long as handing it to a thread."""


async def compress(data: bytes) -> bytes:
    """Compresses bytes."""
    if len(data) <= _SMALL_BYTES:
        return zlib.compress(data, _LEVEL)
    return await asyncio.to_thread(zlib.compress, data, _LEVEL)


async def decompress(packed: bytes) -> bytes:
    """Decompresses what `compress` returned.

    Raises:
        zlib.error: for anything else.
    """
    if len(packed) <= _SMALL_BYTES:
        return zlib.decompress(packed)
    return await asyncio.to_thread(zlib.decompress, packed)
