"""Readings that all replicas share, in the blob store: pages that were recognised, which takes seconds each."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from services.base.blobs import BlobStore
from services.base.errors import PapermeshError
from services.base.stored_blob import Key
from services.pdf.readings.disk import full_name
from services.pdf.readings.entry import MAX_PACKED_BYTES, unpack

_LOG = logging.getLogger(__name__)

_T = TypeVar("_T")

_FIND_S, _KEEP_S = 5.0, 60.0
"""How long the store may take: somebody waits for what it finds, and nobody for what it keeps."""

_REST_S = 60.0
"""For how long a store that failed is asked nothing more: a page is read again sooner than a dead store answers."""

_AT_ONCE = 8

_OLD_S = 86_400.0
"""For how long another engine's readings stay when this one's come: in an upgrade, replicas of both are at work."""


_MOST_CLEARED = 10_000
"""Documents known to have nothing of an older engine's; one more, and it is looked for again."""


class SharedReadings:
    """Entries of one engine in the blob store. A store that fails costs speed only: nothing here raises."""

    def __init__(self, blobs: BlobStore, engine: str) -> None:
        """Keeps them in `blobs`, for the engine of this name, which is part of their keys."""
        self._blobs = blobs
        self._engine = engine
        self._cleared: set[Key] = set()
        self._rests_until = 0.0

    async def find(self, document: Key, kind: str, pages: Sequence[int], room: int) -> dict[int, bytes]:
        """Those of the pages that are there and whole, at most `room` bytes. What is not whole is removed."""
        return await self._ask(self._find(document, kind, pages, room), _FIND_S) or {}

    async def keep(self, document: Key, kind: str, entries: Mapping[int, bytes]) -> bool:
        """Keeps entries. Those of older engines go.

        Returns:
            Whether the document has been deleted, so that nothing of it may stay.
        """
        return await self._ask(self._keep(document, kind, entries), _KEEP_S) or False

    async def forget(self, document: Key) -> None:
        """Deletes everything of a document, any engine's, even if the store has just failed."""
        self._rests_until = 0.0
        await self._ask(self._blobs.readings.delete(document), _KEEP_S)

    async def _find(self, document: Key, kind: str, pages: Sequence[int], room: int) -> dict[int, bytes]:
        folder, readings = f"{self._engine}/{kind}", self._blobs.readings
        there = await readings.names(document, folder)
        wanted = [page for page in pages if f"{folder}/{page}" in there]
        found: dict[int, bytes] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            names = {page: f"{folder}/{page}" for page in wanted[start : start + _AT_ONCE]}
            entries = await asyncio.gather(*(readings.get(document, name, MAX_PACKED_BYTES) for name in names.values()))
            for (page, name), entry in zip(names.items(), entries, strict=True):
                content = await asyncio.to_thread(unpack, full_name(document, name), entry or b"")
                if content is None:
                    await readings.remove(document, name)
                    continue
                room -= len(content)
                if room < 0:
                    return found
                found[page] = content
        return found

    async def _keep(self, document: Key, kind: str, entries: Mapping[int, bytes]) -> bool:
        readings = self._blobs.readings
        for page, entry in entries.items():
            await readings.put(document, f"{self._engine}/{kind}/{page}", entry)
        # Dispatch deletes the document before its readings: if it is there now, these go with it.
        if await self._blobs.missing(document.namespace, [document.sha256]):
            return True
        if document not in self._cleared:
            await self._clear(document)
        return False

    async def _clear(self, document: Key) -> None:
        """Removes what older engines left of a document; once, because of many pages each is kept by itself."""
        before = time.time() - _OLD_S
        for name, stored_at in (await self._blobs.readings.names(document)).items():
            if not name.startswith(f"{self._engine}/") and stored_at < before:
                await self._blobs.readings.remove(document, name)
        if len(self._cleared) >= _MOST_CLEARED:
            self._cleared.clear()
        self._cleared.add(document)

    async def _ask(self, work: Coroutine[Any, Any, _T], within_s: float) -> _T | None:
        """What the store answers; None when it fails or has just failed, which is logged once a minute."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            work.close()
            return None
        try:
            async with asyncio.timeout(within_s):
                return await work
        except (PapermeshError, TimeoutError) as error:
            self._rests_until = loop.time() + _REST_S
            why = str(error) or "it takes too long"
            _LOG.warning("Readings are not shared for a minute, because the store cannot be used: %s", why)
            return None
