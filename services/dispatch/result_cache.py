"""Results by what they were made of. A key names the contents, not a place, so an entry can be old but never wrong.

It never decides who may read: whoever asks has shown the right to every document first.
"""

import hashlib
import logging
import struct
import time
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import Message

from services.base.actions import Action
from services.base.redis_link import RedisAway, RedisLink, RedisRefused
from services.dispatch import documents
from services.dispatch.compressed import compress, decompress
from services.dispatch.near_results import NearResults

MAX_ENTRY_BYTES = 4 * 1024 * 1024
"""The largest entry, compressed. What is larger is computed each time: one entry must not push out a thousand."""

_COMPRESS_FROM = 1024
_HEAD = struct.Struct(">?I")
"""Whether the rest is compressed, and the second since 1970 at which the entry ends."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A result that was computed before."""

    json: str
    max_age_s: int
    """How much longer it may be served."""


def result_key(action: Action, request: Message, engine: str) -> str:
    """The name of a result: 32 hexadecimal digits over the action, the engine and the arguments.

    Args:
        action: The action; a breaking change has another name, "PDF_METADATA@v2".
        request: Its typed request, every document with its digest. Where a document came from does not count.
        engine: The version of the engine.
    """
    made_of = documents.by_content(request).SerializeToString(deterministic=True)
    head = f"{action.name}\0{engine}\0".encode()
    return hashlib.blake2b(head + made_of, digest_size=16).hexdigest()


class ResultCache:
    """Redis's cache role. When it is away every result is computed anew, and nothing else changes."""

    def __init__(self, link: RedisLink) -> None:
        """Keeps entries behind `link`."""
        self._link = link
        self._near = NearResults()
        self._away = False

    async def get(self, key: str) -> Entry | None:
        """The entry of that key, if there is one."""
        if near := self._near.get(key):
            return _entry(*near)
        try:
            found = await self._link.call("GET", _name(key))
        except (RedisAway, RedisRefused) as error:
            self._note(error)
            return None
        self._note(None)
        if found is None:
            return None
        json, ends = await _unpack(found)
        self._near.note(key, json, ends)
        return _entry(json, ends)

    async def put(self, key: str, json: str, ttl: timedelta) -> None:
        """Keeps a result for `ttl`, if it is not too large."""
        seconds = int(ttl.total_seconds())
        ends = int(time.time()) + seconds
        packed = await _pack(json, ends)
        if len(packed) > MAX_ENTRY_BYTES:
            return
        try:
            await self._link.call("SET", _name(key), packed, "EX", seconds)
            self._near.note(key, json, ends)
        except (RedisAway, RedisRefused) as error:
            self._note(error)

    def _note(self, error: Exception | None) -> None:
        """One line when the cache goes away and one when it is back, not one a call."""
        if (error is not None) != self._away:
            self._away = error is not None
            _log.warning("The cache does not answer: %s" if error else "The cache answers again%s", error or "")


def _name(key: str) -> str:
    return f"result:{key}"


def _entry(json: str, ends: int) -> Entry | None:
    left = ends - int(time.time())
    return Entry(json, left) if left > 0 else None


async def _pack(json: str, ends: int) -> bytes:
    data = json.encode()
    is_large = len(data) >= _COMPRESS_FROM
    return _HEAD.pack(is_large, ends) + (await compress(data) if is_large else data)


async def _unpack(packed: bytes) -> tuple[str, int]:
    is_compressed, ends = _HEAD.unpack_from(packed)
    data = packed[_HEAD.size :]
    return (await decompress(data) if is_compressed else data).decode(), ends
