"""Uploads and whose they are: an upload is held by each client and actor that made it, within the client's quota.

The bytes are put first and owned after, so an owner always has bytes. A deletion of the same bytes that comes between
is noticed when they are to be owned, and they are put again (`erasure.py`).
"""

from importlib.resources import files
from pathlib import Path

from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.redis_link import RedisAway, RedisLink, RedisRefused, Script
from services.dispatch.erasure import ERASING, Erasure, being_deleted, deletion_key
from services.dispatch.state import holders_key, owner, redis_away
from services.dispatch.verification import Caller

USED = "used"
"""The sorted set of the uploads' last uses, in seconds since 1970."""

_HOLD = files(__package__).joinpath("hold.lua").read_text()
RELEASE = files(__package__).joinpath("release.lua").read_text()
"""Takes an upload from its owners; see there."""

_TRIES = 5


class Holdings:
    """Who holds which upload."""

    def __init__(self, link: RedisLink, blobs: BlobStore, quota_bytes: int) -> None:
        """Keeps bytes in `blobs` and owners in the Redis behind `link`.

        Args:
            link: The state role.
            blobs: The blob store.
            quota_bytes: What each client may hold in all, unless its entry says otherwise.
        """
        self._link = link
        self._blobs = blobs
        self._quota_bytes = quota_bytes
        self._hold = Script(link, _HOLD)
        self._release = Script(link, RELEASE)
        self._erasure = Erasure(link, blobs)

    async def check_room(self, caller: Caller, sha256: str, size: int) -> None:
        """Refuses early what `store` would refuse now. What the caller holds already needs no room.

        Args:
            caller: Who wants to upload.
            sha256: The digest that is announced.
            size: The size that is announced, in bytes.

        Raises:
            PapermeshError: TOO_LARGE over the client's quota; UNAVAILABLE when Redis is away.
        """
        try:
            if await self._link.call("HEXISTS", holders_key(sha256), owner(caller)):
                return
            held = int(await self._link.call("GET", _held_key(caller)) or 0)
        except (RedisAway, RedisRefused) as error:
            raise redis_away(error) from error
        if held + size > self._quota(caller):
            raise self._full(caller, held)

    async def store(self, caller: Caller, sha256: str, size: int, path: Path) -> None:
        """Stores an upload and gives it to the caller.

        Args:
            caller: Whose it becomes.
            sha256: The digest of the file, which was checked.
            size: Its size in bytes.
            path: The file; it is left where it is.

        Raises:
            PapermeshError: TOO_LARGE over the client's quota; UNAVAILABLE when Redis or the store is away, or the same
                bytes are being deleted.
        """
        keys = [holders_key(sha256), _held_key(caller), USED, ERASING, deletion_key(sha256)]
        for _ in range(_TRIES):
            seen = await self._erasure.last(sha256)
            await self._blobs.put(Namespace.UPLOADS, sha256, path)
            try:
                outcome, held = await self._hold.run(keys, [owner(caller), sha256, size, self._quota(caller), seen])
            except (RedisAway, RedisRefused) as error:
                raise redis_away(error) from error
            if outcome == b"held":
                return
            if outcome == b"full":
                await self._erasure.erase(sha256)
                raise self._full(caller, held)
        raise being_deleted()

    async def release(self, caller: Caller, sha256: str) -> None:
        """Takes an upload from the caller. When nobody else holds it, its bytes are deleted.

        Raises:
            PapermeshError: NOT_FOUND when the caller does not hold it; UNAVAILABLE when Redis is away.
        """
        try:
            released = await self._release.run([holders_key(sha256), USED, ERASING], [sha256, owner(caller), 0])
        except (RedisAway, RedisRefused) as error:
            raise redis_away(error) from error
        if not released:
            raise PapermeshError(Code.NOT_FOUND, "There is no such document for this client and actor.")
        await self._erasure.erase(sha256)

    def _quota(self, caller: Caller) -> int:
        own = caller.client.quota_bytes
        return self._quota_bytes if own is None else own

    def _full(self, caller: Caller, held: int) -> PapermeshError:
        quota = self._quota(caller)
        return PapermeshError(
            Code.TOO_LARGE,
            f"With this document the client's uploads would exceed its quota of {quota} bytes; they take {held} now."
            " Delete documents that are no longer needed, then upload this one again.",
            details={"quota_bytes": str(quota), "used_bytes": str(held)},
        )


def _held_key(caller: Caller) -> str:
    return f"held:{caller.client.id}"
