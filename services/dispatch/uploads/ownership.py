"""Who owns which upload: each client and actor that made it, within the client's quotas.

The bytes are stored before the owner is recorded, so an owner always has bytes. If a deletion of the same bytes comes
between the two, recording the owner notices it and the bytes are stored again (`deletion.py`).
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError, too_large
from services.base.redis.link import RedisLink, Script
from services.dispatch.admission.state import RedisNeeded, holders_key, owner
from services.dispatch.admission.verification import Caller
from services.dispatch.memory_pressure import HOLDS_MORE_THAN, SOFT_LIMIT, state_full
from services.dispatch.uploads.deletion import ERASING, Deletion, being_deleted, deletion_key

USED = "used"
"""The sorted set of the uploads' last uses, in seconds since 1970."""

LEAST_CHARGE_BYTES = 64 * 1024
"""The least that a document counts: Redis, which is small, stores as much about a small one as about a large one."""

_HOLD = HOLDS_MORE_THAN + files(__package__).joinpath("hold.lua").read_text()
RELEASE = files(__package__).joinpath("release.lua").read_text()
"""The script that takes an upload from its owners; `release.lua` explains it."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Quota:
    """What the actors of a client may hold together."""

    bytes: int
    """Each document counts its size, but at least `LEAST_CHARGE_BYTES`."""

    documents: int


class Ownership:
    """Who holds which upload."""

    def __init__(self, link: RedisLink, blobs: BlobStore, quota: Quota) -> None:
        """Keeps bytes in `blobs` and owners in the Redis behind `link`.

        Args:
            link: The state role.
            blobs: The blob store.
            quota: What each client may hold in all, unless its entry in the clients file sets another quota.
        """
        self._blobs = blobs
        self._quota = quota
        self._hold = Script(link, _HOLD)
        self._release = Script(link, RELEASE)
        self._deletion = Deletion(link, blobs)

    async def check_room(self, caller: Caller, sha256: str, size: int) -> None:
        """Refuses early what `store` would refuse now. A document that the caller already holds needs no room.

        Args:
            caller: Who wants to upload.
            sha256: The announced digest.
            size: The announced size, in bytes.

        Raises:
            PapermeshError: TOO_LARGE over the client's quota; UNAVAILABLE when Redis is away, or has no room left.
        """
        await self._try_to_hold(caller, sha256, size)

    async def store(self, caller: Caller, sha256: str, size: int, path: Path) -> None:
        """Stores an upload and makes the caller its owner.

        Args:
            caller: The new owner.
            sha256: The file's digest, already checked.
            size: Its size in bytes.
            path: The file; it stays where it is.

        Raises:
            PapermeshError: TOO_LARGE over the client's quota; UNAVAILABLE when Redis or the store is away, Redis has no
                room left, or the same bytes are being deleted.
        """
        for _ in range(_TRIES):
            seen = await self._deletion.last(sha256)
            await self._blobs.put(Namespace.UPLOADS, sha256, path)
            try:
                if await self._try_to_hold(caller, sha256, size, seen):
                    return
            except PapermeshError:
                await self._deletion.erase(sha256)
                raise
        raise being_deleted()

    async def release(self, caller: Caller, sha256: str) -> None:
        """Takes an upload from the caller. If nobody else holds it, its bytes are deleted.

        Raises:
            PapermeshError: NOT_FOUND when the caller does not hold it; UNAVAILABLE when Redis is away.
        """
        with RedisNeeded():
            released = await self._release.run([holders_key(sha256), USED, ERASING], [sha256, owner(caller), 0])
        if not released:
            raise PapermeshError(Code.NOT_FOUND, "There is no such document for this client and actor.")
        await self._deletion.erase(sha256)

    async def _try_to_hold(self, caller: Caller, sha256: str, size: int, *seen: str) -> bool:
        """Makes the caller an upload's owner, or only checks whether it could.

        Args:
            caller: The new owner.
            sha256: The digest.
            size: The size, in bytes.
            seen: The mark of the last deletion of these bytes before they were stored; left out to only check.

        Returns:
            False when the bytes have been deleted since.

        Raises:
            PapermeshError: TOO_LARGE or UNAVAILABLE, see `store`.
        """
        client, quota = caller.client.id, self._quota_of(caller)
        holders = holders_key(sha256)
        keys = [holders, f"held:{client}", f"documents:{client}", USED, ERASING, deletion_key(sha256)]
        charge = max(size, LEAST_CHARGE_BYTES)
        with RedisNeeded():
            outcome, *used = await self._hold.run(
                keys, [owner(caller), sha256, charge, quota.bytes, quota.documents, SOFT_LIMIT, *seen]
            )
        if outcome == b"over":
            raise _over(quota, Quota(*used))
        if outcome == b"state_full":
            raise state_full()
        return bool(outcome != b"gone")

    def _quota_of(self, caller: Caller) -> Quota:
        own = caller.client
        return Quota(
            self._quota.bytes if own.quota_bytes is None else own.quota_bytes,
            self._quota.documents if own.quota_documents is None else own.quota_documents,
        )


def _over(quota: Quota, used: Quota) -> PapermeshError:
    return too_large(
        f"This document would take the client over its quota of {quota.bytes} bytes and {quota.documents} documents."
        f" Its uploads now take {used.bytes} and {used.documents}; each counts at least {LEAST_CHARGE_BYTES} bytes."
        " Delete documents that are no longer needed, then upload this one again.",
        quota_bytes=quota.bytes,
        used_bytes=used.bytes,
        quota_documents=quota.documents,
        used_documents=used.documents,
    )
