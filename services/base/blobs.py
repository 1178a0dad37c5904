"""The blob store: documents by the digest of their bytes, in a directory or in any S3-compatible bucket.

Namespaces keep apart what must not answer for each other: bytes from GitLab are no upload. Who may read a blob is not
known here; dispatch decides that before it names one. So whoever asks for a blob that is not there has met a loss of
ours, or a deletion since then; and bytes that lost their digest are given to nobody.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from services.base.blob_bucket import BlobBucket
from services.base.blob_folder import BlobFolder
from services.base.derived_bucket import DerivedBucket
from services.base.derived_folder import DerivedFolder
from services.base.stored_blob import Blob, Key, Namespace

__all__ = ["Blob", "BlobStore", "Namespace"]

Derived: TypeAlias = DerivedFolder | DerivedBucket
"""What was made of documents."""

_DERIVED = (Namespace.READINGS, Namespace.IMAGES, Namespace.REPORTS)


class BlobStore:
    """Documents by namespace and SHA-256.

    Every method raises PapermeshError: UNAVAILABLE when the store cannot be used, with the reason. Those that read
    raise ENGINE_FAIL when the store has lost the blob, or its bytes.
    """

    def __init__(self, url: str) -> None:
        """Opens the store; a directory is made when it is missing.

        Args:
            url: "file:///var/papermesh/blobs" or "s3://bucket/prefix". Credentials of a bucket come from the
                environment as AWS's own tools read them, never from the URL.
        """
        parts = urlsplit(url)
        self._store: BlobFolder | BlobBucket
        self.readings: Derived
        """What was read of documents at a price, for all replicas. It is deleted with its document, by whoever deletes
        that."""

        self.images: Derived
        """Pictures of pages (`services.base.page_images`), likewise."""

        self.reports: Derived
        """Reports of comparisons, by their left document: `services.base.reports` keeps and deletes them."""

        if parts.scheme == "file":
            root = Path(unquote(parts.path))
            self._store = BlobFolder(root)
            self.readings, self.images, self.reports = (DerivedFolder(root, each) for each in _DERIVED)
        else:
            self._store = BlobBucket(url)
            self.readings, self.images, self.reports = (DerivedBucket(url, each) for each in _DERIVED)

    async def put(self, namespace: Namespace, sha256: str, source: Path) -> None:
        """Stores a file under its digest, so that it lasts. The same bytes are stored once; damaged ones are mended.

        The caller has checked the digest. The file is left where it is.
        """
        await self._store.put(Key.of(namespace, sha256), source)

    async def size(self, namespace: Namespace, sha256: str) -> int:
        """The size of a blob in bytes."""
        return await self._store.size(Key.of(namespace, sha256))

    async def read(self, namespace: Namespace, sha256: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a blob, in pieces of at most 256 KiB.

        The last piece comes when all of them have proved to have the digest: who has not got it has not got all.
        """
        key, digest, held = Key.of(namespace, sha256), hashlib.sha256(), b""
        async with aclosing(self._store.read(key)) as pieces:
            async for piece in pieces:
                if held:
                    yield held
                digest.update(piece)
                held = piece
        if digest.hexdigest() != sha256:
            raise await self._store.set_aside(key)
        yield held

    async def place(self, namespace: Namespace, sha256: str, target: Path) -> None:
        """Puts a blob at a path of the local file system where nothing is yet, by a hard link where that is possible.

        What stands there after an error is not the blob.

        Raises:
            OSError: when the target cannot be written.
        """
        if isinstance(self._store, BlobFolder):
            await self._store.place(Key.of(namespace, sha256), target)
            return
        with target.open("xb") as file:
            async for piece in self.read(namespace, sha256):
                await asyncio.to_thread(file.write, piece)

    async def list(self, namespace: Namespace) -> AsyncIterator[Blob]:
        """All blobs of a namespace, in no order. One that is put or deleted meanwhile may be told or not."""
        async for blob in self._store.list(namespace):
            yield blob

    async def missing(self, namespace: Namespace, digests: Collection[str]) -> set[str]:
        """Those of the blobs that are not there. Thousands cost a bucket hundreds of requests, not thousands."""
        return await self._store.missing([Key.of(namespace, each) for each in digests])

    async def delete(self, namespace: Namespace, sha256: str) -> None:
        """Deletes a blob. One that is not there is deleted already."""
        await self._store.delete(Key.of(namespace, sha256))
