"""How a page's reading is kept: compressed, with a digest over its name and content, so that any damage is seen."""

import hashlib
import zlib

MAX_BYTES = 16 * 1024 * 1024
"""The largest reading that is kept; a usual one has 50 KB. A larger one is read again each time."""

MAX_PACKED_BYTES = MAX_BYTES + 64 * 1024
"""The most that an entry takes: what cannot be compressed grows by less than a thousandth."""

_LEVEL = 1
"""zlib's level: 0.3 ms a page, a fiftieth of reading it, and a seventh of the size. Level 6 takes three times that."""

_FORMAT = b"reading1"
_DIGEST_BYTES = 16


def pack(name: str, content: bytes) -> bytes:
    """An entry of at most `MAX_PACKED_BYTES`, for content of at most `MAX_BYTES`."""
    body = zlib.compress(content, _LEVEL)
    return _digest(name, body) + body


def unpack(name: str, entry: bytes) -> bytes | None:
    """The content of what was packed under this name; None for anything else: cut, changed, another's, too large."""
    body = entry[_DIGEST_BYTES:]
    if entry[:_DIGEST_BYTES] != _digest(name, body):
        return None
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(body, MAX_BYTES)
    except zlib.error:
        return None
    return content if unpacking.eof else None


def _digest(name: str, body: bytes) -> bytes:
    # The name first, ended by what it cannot hold: no other name and body make the same bytes.
    return hashlib.blake2b(b"%b\0%b\0%b" % (_FORMAT, name.encode(), body), digest_size=_DIGEST_BYTES).digest()
