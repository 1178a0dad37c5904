"""Deletes what nobody needs any more.

Uploads and reports not used for long, bytes without an owner, what was made of documents that are gone, pictures of
yesterday, files nobody will finish.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.base.blobs import BlobStore, Derived, Namespace
from services.base.errors import PapermeshError
from services.base.page_files import DOCUMENTS
from services.base.page_images import PageImages
from services.base.redis.link import RedisAway, RedisLink, RedisRefused, Script
from services.base.reports import Reports
from services.base.stored_blob import Key
from services.dispatch import memory_pressure
from services.dispatch.admission.state import holders_key
from services.dispatch.uploads.deletion import ERASING, Deletion
from services.dispatch.uploads.ownership import RELEASE, USED

_log = logging.getLogger(__name__)

_SWEEP = "retention:sweep"
_EVERY_S = 3600
_LOOK_S = 60.0
_AT_ONCE = 100
_ASKED_AT_ONCE = 10_000

_UNFINISHED_S = 3600
"""No upload takes this long. The store may be shared: what another dispatch is writing right now must stay."""

_RESULTS_KEPT_S = 25 * 3600
"""An hour more than an idempotency record, which names the result."""

_IMAGES_KEPT_S = 24 * 3600
"""A picture is mostly looked at right after it was drawn, and drawing it again takes less than a second."""

_REPORTS_KEPT_S = 30 * 24 * 3600
"""From the last use. Its page goes with the pictures, since it is made of such, and is made again on demand."""


class Retention:
    """Sweeps once an hour, in one replica, until it is cancelled."""

    def __init__(self, link: RedisLink, blobs: BlobStore, keep_s: float) -> None:
        """Sweeps these.

        Args:
            link: The state role.
            blobs: The blob store.
            keep_s: Seconds after its last use for which an upload is kept.
        """
        self._link = link
        self._blobs = blobs
        self._keep_s = keep_s
        self._release = Script(link, RELEASE)
        self._deletion = Deletion(link, blobs)

    async def run(self) -> None:
        """Sweeps whenever an hour has passed since any replica's last sweep."""
        while True:
            try:
                if await self.is_our_turn():
                    await self.sweep()
            except (RedisAway, RedisRefused, PapermeshError) as error:
                _log.warning("A retention sweep failed; trying again later: %s: %s", type(error).__name__, error)
            except Exception:  # noqa: BLE001 - a bug in the housekeeping must not end the process that serves calls
                _log.exception("A bug in retention; the next sweep is in an hour")
            await asyncio.sleep(_LOOK_S)

    async def is_our_turn(self) -> bool:
        """Whether no replica has swept within the hour. If so, this one claims the sweep, even when Redis is full.

        Raises:
            RedisAway, RedisRefused: when Redis cannot be used.
        """
        # The mark is lock and clock at once: it runs out by itself, whatever becomes of the one who set it. Two sweeps
        # at once would do no harm, since each step is safe against everybody's.
        return bool(await self._link.call("EVAL", memory_pressure.SET, 1, _SWEEP, "", "NX", "EX", _EVERY_S))

    async def sweep(self) -> None:
        """Sweeps once.

        Raises:
            RedisAway, RedisRefused: when Redis cannot be used.
            PapermeshError: UNAVAILABLE when Redis or the store is away.
        """
        erased = await self._sweep_unused() + await self._sweep_unfinished() + await self._sweep_unowned()
        await self._sweep_results()
        reports = Reports(self._blobs)
        for derived in (self._blobs.readings, self._blobs.images):
            await self._sweep_derived(derived, derived.delete)
        await self._sweep_derived(self._blobs.reports, reports.forget)
        await self._sweep_images()
        await self._sweep_reports(reports)
        if erased:
            _log.info("Retention deleted %d documents", erased)

    async def _sweep_unused(self) -> int:
        """Takes uploads from their owners that nobody has used for long."""
        now, _ = await self._link.call("TIME")
        before, erased = int(now) - self._keep_s, 0
        while found := await self._link.call("ZRANGEBYSCORE", USED, "-inf", f"({before}", "LIMIT", 0, _AT_ONCE):
            for sha256 in map(bytes.decode, found):
                await self._release.run([holders_key(sha256), USED, ERASING], [sha256, "", before])
                erased += await self._deletion.erase(sha256)
        return erased

    async def _sweep_unfinished(self) -> int:
        """Deletes bytes that a crash, or an unreachable store, left behind."""
        found = await self._link.call("ZRANGE", ERASING, 0, -1)
        return sum([await self._deletion.erase(sha256.decode()) for sha256 in found])

    async def _sweep_unowned(self) -> int:
        """Deletes bytes whose owners were lost with Redis, or that were stored and never owned."""
        now, erased = time.time(), 0
        async for blob in self._blobs.list(Namespace.UPLOADS):
            if now - blob.stored_at > self._keep_s:
                erased += await self._deletion.erase(blob.sha256)
        return erased

    async def _sweep_results(self) -> None:
        """Deletes results whose records have expired."""
        now = time.time()
        async for blob in self._blobs.list(Namespace.RESULTS):
            if now - blob.stored_at > _RESULTS_KEPT_S:
                await self._blobs.delete(Namespace.RESULTS, blob.sha256)

    async def _sweep_derived(self, derived: Derived, delete: Callable[[Key], Awaitable[None]]) -> None:
        """Deletes what is left of documents that are gone: a pdf process was killed while it kept it."""
        async for some in _groups(derived.documents()):
            for namespace in DOCUMENTS:
                digests = [each.sha256 for each in some if each.namespace is namespace]
                for sha256 in await self._blobs.missing(namespace, digests):
                    await delete(Key(namespace, sha256))

    async def _sweep_images(self) -> None:
        """Deletes the bytes of pictures that were drawn long ago. Who asks for one has it drawn again."""
        images, before = PageImages(self._blobs), time.time() - _IMAGES_KEPT_S
        async for document in self._blobs.images.documents():
            await images.forget_bytes(document, before)

    async def _sweep_reports(self, reports: Reports) -> None:
        """Deletes reports that nobody opened for long. Whoever compares the same again gets a new one."""
        now = time.time()
        async for document in self._blobs.reports.documents():
            await reports.forget_old(document, now - _REPORTS_KEPT_S, now - _IMAGES_KEPT_S)


async def _groups(documents: AsyncIterator[Key]) -> AsyncIterator[list[Key]]:
    """The documents, so many at a time."""
    group: list[Key] = []
    async for document in documents:
        group.append(document)
        if len(group) == _ASKED_AT_ONCE:
            yield group
            group = []
    yield group


def remove_unfinished(spool_dir: Path, blobs_url: str) -> None:
    """Removes the files of uploads and results that a killed process left behind.

    Args:
        spool_dir: The spool folder of this process, which writes nothing there yet.
        blobs_url: The blob store. A folder is looked through; a bucket drops unfinished uploads by its own rules.
    """
    for pattern in ("upload-*", "result-*"):
        for unfinished in spool_dir.glob(pattern):
            unfinished.unlink(missing_ok=True)
    store = urlsplit(blobs_url)
    if store.scheme != "file":
        return
    # The store writes beside the blob, to <digest>#<number>, and renames when all is there.
    for staged in Path(unquote(store.path)).glob("*/*/*#*"):
        with suppress(FileNotFoundError):  # another dispatch has just finished it, or removed it
            if staged.stat().st_mtime < time.time() - _UNFINISHED_S:
                staged.unlink()
