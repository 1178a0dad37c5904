"""Compressed text, for the cache and for idempotency records.

A result has up to 16 MiB, and packing that much takes the better part of a second. The event loop serves everybody, so
what is not small is done in a thread; zlib lets go of the interpreter meanwhile.
"""

import asyncio
import zlib

_LEVEL = 1
"""Of zlib: a third of the default's time, and layouts still shrink to an eighth."""

_SMALL_BYTES = 32 * 1024
"""Up to here the work takes about as long as handing it to a thread."""


async def compress(data: bytes) -> bytes:
    """Packs bytes."""
    if len(data) <= _SMALL_BYTES:
        return zlib.compress(data, _LEVEL)
    return await asyncio.to_thread(zlib.compress, data, _LEVEL)


async def decompress(packed: bytes) -> bytes:
    """Unpacks what `compress` packed.

    Raises:
        zlib.error: when it is anything else.
    """
    if len(packed) <= _SMALL_BYTES:
        return zlib.decompress(packed)
    return await asyncio.to_thread(zlib.decompress, packed)
