"""Results by what they were made from. A key names the contents, not a place, so an entry can be old but never wrong.

It never decides who may read: whoever asks has first shown the right to every document. It remembers who got which
result, so that nobody learns that somebody else has asked before.
"""

import hashlib
import logging
import struct
import time
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import Message

from services.base.actions import Action
from services.base.redis.link import RedisAway, RedisLink, RedisRefused
from services.dispatch.admission import documents
from services.dispatch.answers.compressed import compress, decompress
from services.dispatch.answers.local_cache import LocalCache

MAX_ENTRY_BYTES = 4 * 1024 * 1024
"""The largest entry, compressed. A larger result is computed each time: one entry must not evict a thousand."""

_COMPRESS_FROM = 1024
_HEAD = struct.Struct(">?I")
"""Whether the rest is compressed, and the second since 1970 at which the entry expires."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a result."""

    json: str | None = None
    """The result, if it was computed before."""

    got_s: int = 0
    """For how many more seconds it counts that the asker got it before; 0 if it does not."""


def result_key(action: Action, request: Message, engine: str, whose: str) -> str:
    """The name of a result: 32 hexadecimal digits over the action, the engine, the arguments and whose it is.

    Args:
        action: The action; a breaking change has another name, "PDF_METADATA@v2".
        request: Its typed request, every document with its digest. Where a document came from does not count.
        engine: The version of the engine.
        whose: Who shares it; empty for the whole deployment.
    """
    made_of = documents.by_content(request).SerializeToString(deterministic=True)
    head = f"{whose}\0{action.name}\0{engine}\0".encode()
    return hashlib.blake2b(head + made_of, digest_size=16).hexdigest()


class ResultCache:
    """Redis's cache role. While it is away, every result is computed again, and nothing else changes."""

    def __init__(self, link: RedisLink) -> None:
        """Keeps entries behind `link`."""
        self._link = link
        self._local = LocalCache()
        self._away = False

    async def get(self, key: str, owner: str) -> Found:
        """What is known of the key's result, for an owner who asks; at most one round trip to Redis."""
        if near := self._local.get(key, owner):
            return _found(*near)
        try:
            packed, got = await self._link.call("MGET", _name(key), _got_name(key, owner))
        except (RedisAway, RedisRefused) as error:
            self._note(error)
            return Found()
        self._note(None)
        until = int(got or 0)
        if packed is None:
            return _found(None, 0, until)
        json, ends = await _unpack(packed)
        self._local.note(key, json, ends)
        if until:
            self._local.note_got(key, owner, until)
        return _found(json, ends, until)

    async def note_got(self, key: str, owner: str, ttl: timedelta) -> None:
        """Remembers for `ttl` that an owner got the key's result."""
        seconds = int(ttl.total_seconds())
        until = int(time.time()) + seconds
        self._local.note_got(key, owner, until)
        try:
            await self._link.call("SET", _got_name(key, owner), until, "EX", seconds)
        except (RedisAway, RedisRefused) as error:
            self._note(error)

    async def put(self, key: str, json: str, ttl: timedelta) -> None:
        """Keeps a result for `ttl`, if it is not too large."""
        seconds = int(ttl.total_seconds())
        ends = int(time.time()) + seconds
        packed = await _pack(json, ends)
        if len(packed) > MAX_ENTRY_BYTES:
            return
        try:
            await self._link.call("SET", _name(key), packed, "EX", seconds)
            self._local.note(key, json, ends)
        except (RedisAway, RedisRefused) as error:
            self._note(error)

    def _note(self, error: Exception | None) -> None:
        """Logs a line when the cache goes away and one when it is back, not one per call."""
        if (error is not None) != self._away:
            self._away = error is not None
            _log.warning("The cache does not answer: %s" if error else "The cache answers again%s", error or "")


def _name(key: str) -> str:
    return f"result:{key}"


def _got_name(key: str, owner: str) -> str:
    return f"got:{key}:{owner}"


def _found(json: str | None, ends: int, got_until: int) -> Found:
    now = int(time.time())
    return Found(json if ends > now else None, max(0, got_until - now))


async def _pack(json: str, ends: int) -> bytes:
    data = json.encode()
    is_large = len(data) >= _COMPRESS_FROM
    return _HEAD.pack(is_large, ends) + (await compress(data) if is_large else data)


async def _unpack(packed: bytes) -> tuple[str, int]:
    is_compressed, ends = _HEAD.unpack_from(packed)
    data = packed[_HEAD.size :]
    return (await decompress(data) if is_compressed else data).decode(), ends
