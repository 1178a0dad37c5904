"""The readings of a replica: on its disk, and for pages that were recognised in the blob store too.

No reading outlives its document. Dispatch deletes what the store has together with the document. Each replica asks the
store every half minute whether the documents of its own readings are still there. Whoever shares a reading looks
afterwards whether the document is: it may have been deleted while the page was being recognised.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Self

from services.base.blobs import BlobStore
from services.base.errors import PapermeshError
from services.base.stored_blob import Key as DocumentKey
from services.base.stored_blob import Namespace
from services.pdf.readings.disk import DiskReadings, full_name
from services.pdf.readings.entry import MAX_BYTES, pack
from services.pdf.readings.shared import SharedReadings

__all__ = ["DocumentKey", "Readings"]

_LOG = logging.getLogger(__name__)

_EVERY_S = 30.0
_SWEEP_S = 20.0
"""The longest that the store may take to say which documents are gone: with the pause, less than a minute."""

_ASKED_AT_ONCE = 1000
"""Documents that the store is asked about in this time. So a sweep of more comes to an end, however slow the store."""

_ENDING_S = 10.0
"""The longest that the end of the service waits for what is being kept."""

_FOUND_BYTES = 64 * 1024 * 1024
"""Readings that are given at once. Of a document whose every page is huge, the rest is read again."""

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", re.ASCII)


class Readings:
    """What was read of pages, by document, kind ("words", "ocr-kor+eng") and page. `async with` opens and closes it.

    It costs speed alone when something fails, the disk, the store or an entry: then there is nothing to be found.
    Whoever asks has the right to the document, which dispatch checks at every call. Never keep what was read of a
    document that a password opened.
    """

    def __init__(self, folder: Path, blobs: BlobStore, engine: str, limit_bytes: int) -> None:
        """Keeps readings of this engine alone.

        Args:
            folder: A folder that no other process uses; it is made, but not the one that it is in.
            blobs: Where the documents are, and what replicas share.
            engine: The engine's version. Another one finds nothing of this one's.
            limit_bytes: What `folder` may take. With 0, only pages that are shared are kept.
        """
        name = blake2b(engine.encode(), digest_size=8).hexdigest()
        self._folder = folder
        self._blobs = blobs
        self._disk = DiskReadings(folder, name, limit_bytes)
        self._shared = SharedReadings(blobs, name)
        self._engine = name
        self._disk_fails = False
        self._keeping: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._disk.open)
        except OSError as error:
            self._note(error)
        self._sweeping = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Ends the sweeping; what is being kept is kept, unless the store hangs."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=_ENDING_S)

    async def find(
        self, document: DocumentKey, pages: Sequence[int], kind: str, *, shared: bool = True
    ) -> dict[int, bytes]:
        """What was kept of these pages, exactly as it was; pages of which nothing is kept are left out.

        With `shared`, the store is asked for what is not on this disk. At most 64 MiB are found at once.
        """
        _check(kind)
        found: dict[int, bytes] = {}
        if self._disk.holds(document):
            try:
                found = await asyncio.to_thread(self._disk.find, document, kind, pages, _FOUND_BYTES)
            except OSError as error:
                self._note(error)
        rest = [page for page in pages if page not in found]
        if shared and rest:
            far = await self._shared.find(document, kind, rest, _FOUND_BYTES - sum(map(len, found.values())))
            if far:
                await self.keep(document, kind, far, shared=False)
                found |= far
        return found

    async def keep(self, document: DocumentKey, kind: str, pages: Mapping[int, bytes], *, shared: bool) -> None:
        """Keeps readings of pages: on the disk as far as there is room, and with `shared` in the store.

        A caller who leaves stops nothing.

        Args:
            document: Whose pages they are.
            kind: What they say, and how they were read.
            pages: By number. One of more than 16 MiB is not kept.
            shared: Whether reading them again would cost other replicas seconds.
        """
        await asyncio.shield(self._begin(document, kind, pages, shared=shared))

    def keep_soon(self, document: DocumentKey, kind: str, pages: Mapping[int, bytes]) -> None:
        """Keeps readings on this disk, without a wait: whoever asks before that is done has the pages read again."""
        self._begin(document, kind, pages, shared=False)

    async def forget(self, document: DocumentKey) -> None:
        """Deletes every reading of a document, here and in the store."""
        try:
            await asyncio.to_thread(self._disk.forget, document)
        except OSError as error:
            self._note(error)
        await self._shared.forget(document)

    async def sweep(self) -> None:
        """Forgets documents that are no longer in the store.

        Raises:
            PapermeshError: UNAVAILABLE when the store does not say which those are.
            TimeoutError: when it takes too long.
        """
        by_namespace: defaultdict[Namespace, list[str]] = defaultdict(list)
        for document in await asyncio.to_thread(self._disk.documents):
            by_namespace[document.namespace].append(document.sha256)
        for namespace, digests in by_namespace.items():
            digests.sort()  # neighbours are in one folder of the store
            for start in range(0, len(digests), _ASKED_AT_ONCE):
                async with asyncio.timeout(_SWEEP_S):
                    gone = await self._blobs.missing(namespace, digests[start : start + _ASKED_AT_ONCE])
                for sha256 in gone:
                    await self.forget(DocumentKey(namespace, sha256))

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except (PapermeshError, TimeoutError) as error:
                why = str(error) or "it takes too long"
                _LOG.warning("The store does not say which documents are gone; asking again: %s", why)
            except Exception:  # noqa: BLE001 - a bug in the housekeeping must not end the process that serves calls
                _LOG.exception("A bug in the sweep of readings; the next is in half a minute")
            await asyncio.sleep(_EVERY_S)

    def _begin(
        self, document: DocumentKey, kind: str, pages: Mapping[int, bytes], *, shared: bool
    ) -> "asyncio.Task[None]":
        _check(kind)
        task = asyncio.create_task(self._keep(document, kind, dict(pages), shared=shared))
        self._keeping.add(task)  # the loop itself would forget it
        task.add_done_callback(self._keeping.discard)
        return task

    async def _keep(self, document: DocumentKey, kind: str, pages: Mapping[int, bytes], *, shared: bool) -> None:
        entries = await asyncio.to_thread(self._pack, document, kind, pages)
        try:
            await asyncio.to_thread(self._disk.keep, document, kind, entries)
            self._note(None)
        except OSError as error:
            self._note(error)
        if shared and await self._shared.keep(document, kind, entries):
            await self.forget(document)

    def _pack(self, document: DocumentKey, kind: str, pages: Mapping[int, bytes]) -> dict[int, bytes]:
        return {
            page: pack(full_name(document, f"{self._engine}/{kind}/{page}"), content)
            for page, content in pages.items()
            if len(content) <= MAX_BYTES
        }

    def _note(self, error: OSError | None) -> None:
        """Logs a line when the disk fails and one when it works again, not one for each page."""
        if (error is not None) != self._disk_fails:
            self._disk_fails = error is not None
            if error:
                _LOG.warning("Pages that were read cannot be kept in %s: %s", self._folder, error)
            else:
                _LOG.warning("Pages that were read can be kept in %s again", self._folder)


def _check(kind: str) -> None:
    """Raises ValueError for a kind that cannot be part of a path."""
    if not _KIND.fullmatch(kind):
        raise ValueError(f"no kind of reading: {kind!r}")
