"""Deletes bytes that nobody holds any more, and what was made of them.

Nothing is taken from a concurrent upload of the same bytes.
"""

import asyncio
import logging
import secrets
from importlib.resources import files

from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisAway, RedisLink, RedisRefused, Script
from services.base.reports import Reports
from services.base.stored_blob import Key
from services.dispatch.admission.state import RedisNeeded, holders_key, redis_away

_log = logging.getLogger(__name__)

ERASING = "erasing"
"""The sorted set of digests whose bytes are to be deleted."""

_ERASE = files(__package__).joinpath("erase.lua").read_text()
_DONE = """
if redis.call('GET', KEYS[1]) == 'now:' .. ARGV[2] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('SET', KEYS[1], 'done:' .. ARGV[2], 'EX', ARGV[3])
end
"""

_MARKED_S = 120
"""How long a deletion that was cut off holds up uploads of the same bytes."""

_DELETE_S = 20.0
"""A deletion ends well before its mark expires, or it could delete the bytes of a later upload."""

_REMEMBERED_S = 15 * 60
"""Longer than any upload, whose deadline is 5 minutes. No longer, because each upload and deletion leaves one of these
marks."""

_WAIT_S, _LOOK_S = 2.0, 0.02


def deletion_key(sha256: str) -> str:
    """The key of the mark that the last deletion of these bytes left."""
    return f"deletion:{sha256}"


class Deletion:
    """Deletes bytes of uploads."""

    def __init__(self, link: RedisLink, blobs: BlobStore) -> None:
        """Deletes from `blobs`, marked in the Redis behind `link`."""
        self._link = link
        self._blobs = blobs
        self._erase = Script(link, _ERASE)
        self._done = Script(link, _DONE)
        self._running: set[asyncio.Task[bool]] = set()

    async def last(self, sha256: str) -> str:
        """The last deletion's mark, to compare with after storing these bytes; waits for a deletion in progress.

        Raises:
            PapermeshError: UNAVAILABLE when the deletion takes too long, or Redis is away.
        """
        end = asyncio.get_running_loop().time() + _WAIT_S
        while True:
            with RedisNeeded():
                found: bytes = await self._link.call("GET", deletion_key(sha256)) or b""
            if not found.startswith(b"now:"):
                return found.decode()
            if asyncio.get_running_loop().time() > end:
                raise being_deleted()
            await asyncio.sleep(_LOOK_S)

    async def erase(self, sha256: str) -> bool:
        """Deletes an upload's bytes, and its readings, pictures and reports in the store, unless somebody holds it.

        If the caller is cancelled, the deletion goes on.

        Returns:
            Whether they are gone. If the store could not be reached, the retention deletes them later.

        Raises:
            PapermeshError: UNAVAILABLE when Redis is away.
        """
        task = asyncio.create_task(self._run(sha256))
        self._running.add(task)  # the loop itself would forget it
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _run(self, sha256: str) -> bool:
        token, mark = secrets.token_hex(8), deletion_key(sha256)
        try:
            if not await self._erase.run([holders_key(sha256), ERASING, mark], [sha256, token, _MARKED_S]):
                return False
            async with asyncio.timeout(_DELETE_S):
                await self._blobs.delete(Namespace.UPLOADS, sha256)
                # Last: whoever keeps something of it looks afterwards whether the document is still there.
                for derived in (self._blobs.readings, self._blobs.images):
                    await derived.delete(Key(Namespace.UPLOADS, sha256))
                await Reports(self._blobs).forget(Key(Namespace.UPLOADS, sha256))
            await self._done.run([mark, ERASING], [sha256, token, _REMEMBERED_S])
        except (PapermeshError, TimeoutError) as error:
            _log.warning("Could not delete an upload's bytes; trying again later: %s", str(error) or "it took too long")
            return False
        except (RedisAway, RedisRefused) as error:
            raise redis_away(error) from error
        return True


def being_deleted() -> PapermeshError:
    """What an upload gets that keeps running into deletions of the same bytes."""
    return PapermeshError(
        Code.UNAVAILABLE, "This document is being deleted right now. Upload it again.", retry_after_ms=1000
    )
