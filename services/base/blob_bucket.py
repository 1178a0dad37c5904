"""Blobs in a bucket of any S3-compatible store."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import from_url

from services.base.errors import PapermeshError
from services.base.names import is_digest
from services.base.own_faults import own_fault
from services.base.stored_blob import PIECE_BYTES, Blob, Key, Namespace, cut

_LISTED_AT_ONCE = 1000

_ASKED_AT_ONCE = 8
"""Folders of the bucket, while it is asked for many blobs: thousands must not wait for each other's round trips."""

_PARTS_AT_ONCE = 1
"""A large file is stored in parts of 5 MiB, each held in memory more than once; the default would take twelve."""

_RETRY_MS = 1000


class BlobBucket:
    """Blobs as objects. The store itself sees to it that what it has taken lasts."""

    def __init__(self, url: str) -> None:
        """Opens "s3://bucket/prefix"."""
        self._store = from_url(url)

    async def put(self, key: Key, source: Path) -> None:
        """Stores a file, in place of what is there: to find out whether that is whole would cost as much."""
        with reaching():
            await self._store.put_async(str(key), source, max_concurrency=_PARTS_AT_ONCE)

    async def size(self, key: Key) -> int:
        """The size of a blob in bytes."""
        with reaching():
            try:
                return int((await self._store.head_async(str(key)))["size"])
            except FileNotFoundError:
                await self._must_be_there()
                raise key.missing() from None

    async def read(self, key: Key) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob, unproved."""
        with reaching():
            try:
                answer = await self._store.get_async(str(key))
            except FileNotFoundError:
                await self._must_be_there()
                raise key.missing() from None
            async for piece in answer.stream(min_chunk_size=PIECE_BYTES):
                for part in cut(memoryview(piece)):
                    yield part

    async def list(self, namespace: Namespace) -> AsyncIterator[Blob]:
        """All blobs of a namespace, in no order."""
        with reaching():
            async for found in self._store.list(str(namespace), chunk_size=_LISTED_AT_ONCE):
                for meta in found:
                    name = meta["path"].rsplit("/", 1)[-1]
                    if is_digest(name):
                        yield Blob(name, meta["size"], meta["last_modified"].timestamp())

    async def missing(self, keys: Collection[Key]) -> set[str]:
        """The digests of those that are not there: each folder with more than one of them is listed once."""
        folders: defaultdict[str, set[str]] = defaultdict(set)
        for key in keys:
            folders[str(key).rpartition("/")[0]].add(key.sha256)
        asked = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def missing_in(folder: str, digests: set[str]) -> set[str]:
            async with asked:
                return await self._missing_in(folder, digests)

        with reaching():
            found = await asyncio.gather(*(missing_in(*each) for each in folders.items()))
            missing = set[str]().union(*found)
            if missing:
                await self._must_be_there()
        return missing

    async def delete(self, key: Key) -> None:
        """Deletes a blob."""
        with reaching():
            try:
                await self._store.delete_async(str(key))
            except FileNotFoundError:
                await self._must_be_there()

    async def set_aside(self, key: Key) -> PapermeshError:
        """The error for a blob that did not have its digest. It stays, given to nobody, and the next put mends it."""
        return key.damaged()

    async def _missing_in(self, folder: str, digests: set[str]) -> set[str]:
        if len(digests) == 1:
            [digest] = digests
            try:
                await self._store.head_async(f"{folder}/{digest}")
            except FileNotFoundError:
                return digests
            return set()
        left = set(digests)
        async for found in self._store.list(folder, chunk_size=_LISTED_AT_ONCE):
            left.difference_update(meta["path"].rsplit("/", 1)[-1] for meta in found)
        return left

    async def _must_be_there(self) -> None:
        """Tells an object that is not there from a bucket that is not there, of which lists alone speak clearly."""
        async for _ in self._store.list(chunk_size=1):
            return


@contextmanager
def reaching() -> Iterator[None]:
    """Translates what the store refuses. Its own words may name hosts and keys, and are for the log alone."""
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        message = "The document store cannot be reached. Try again, and tell whoever runs Papermesh: store_away."
        raise own_fault("store_away", message, retry_after_ms=_RETRY_MS, error=str(error)) from error
