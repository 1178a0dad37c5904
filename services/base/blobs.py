"""The blob store: documents by the digest of their bytes, in a directory or in any S3-compatible bucket.

Namespaces keep apart what must not answer for each other: bytes from GitLab are no upload. Who may read a blob is not
known here; dispatch decides that before it names one.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from services.base.documents import check_digest, is_digest
from services.base.errors import Code, PapermeshError

_READ_BYTES = 256 * 1024

_LISTED_AT_ONCE = 1000

_PARTS_AT_ONCE = 1
"""A large file is stored in parts of 5 MiB, each held in memory more than once; the default would take twelve."""


class Namespace(StrEnum):
    """Where the bytes came from: a client, GitLab, or an action whose large result an idempotency key keeps."""

    UPLOADS = "uploads"
    GITLAB = "gitlab"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Blob:
    """What the store tells of a blob without reading it."""

    sha256: str
    size: int
    """In bytes."""

    stored_at: float
    """When it was put, in seconds since 1970 by the store's clock."""


class BlobStore:
    """Documents by namespace and SHA-256."""

    def __init__(self, url: str) -> None:
        """Opens the store; a directory is made when it is missing.

        Args:
            url: "file:///var/papermesh/blobs" or "s3://bucket/prefix". Credentials of a bucket come from the
                environment as AWS's own tools read them, never from the URL.
        """
        parts = urlsplit(url)
        self._directory = Path(unquote(parts.path)) if parts.scheme == "file" else None
        if self._directory is not None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(self._directory)
        else:
            self._store = from_url(url)

    async def put(self, namespace: Namespace, sha256: str, source: Path) -> None:
        """Stores a file under its digest; the same bytes twice are stored once.

        Args:
            namespace: Where the bytes came from.
            sha256: Their digest; the caller has checked it.
            source: The file; it is left where it is.
        """
        key = _key(namespace, sha256)
        try:
            if not await self._exists(key):
                await self._store.put_async(key, source, max_concurrency=_PARTS_AT_ONCE)
        except BaseError as error:
            raise _away() from error

    async def size(self, namespace: Namespace, sha256: str) -> int:
        """The size of a blob in bytes.

        Raises:
            PapermeshError: NOT_FOUND, or UNAVAILABLE when the store cannot be reached.
        """
        try:
            meta = await self._store.head_async(_key(namespace, sha256))
        except FileNotFoundError:
            raise _missing() from None
        except BaseError as error:
            raise _away() from error
        return int(meta["size"])

    async def read(self, namespace: Namespace, sha256: str) -> AsyncIterator[bytes]:
        """The bytes of a blob, in pieces of at most 256 KiB.

        Raises:
            PapermeshError: NOT_FOUND, or UNAVAILABLE when the store cannot be reached.
        """
        try:
            answer = await self._store.get_async(_key(namespace, sha256))
            async for piece in answer.stream(min_chunk_size=_READ_BYTES):
                data = memoryview(piece)
                for start in range(0, len(data), _READ_BYTES):
                    yield bytes(data[start : start + _READ_BYTES])
        except FileNotFoundError:
            raise _missing() from None
        except BaseError as error:
            raise _away() from error

    async def place(self, namespace: Namespace, sha256: str, target: Path) -> None:
        """Puts a blob at a path of the local file system where nothing is yet, by a hard link where that is possible.

        Raises:
            PapermeshError: NOT_FOUND, or UNAVAILABLE when the store cannot be reached.
        """
        if self._directory is not None:
            source = self._directory / _key(namespace, sha256)
            try:
                await _link(source, target)
            except FileNotFoundError:
                raise _missing() from None
            return
        with target.open("wb") as file:
            async for piece in self.read(namespace, sha256):
                file.write(piece)

    async def list(self, namespace: Namespace) -> AsyncIterator[Blob]:
        """All blobs of a namespace, in no order. One that is put or deleted meanwhile may be told or not.

        Raises:
            PapermeshError: UNAVAILABLE when the store cannot be reached.
        """
        try:
            async for found in self._store.list(str(namespace), chunk_size=_LISTED_AT_ONCE):
                for meta in found:
                    name = meta["path"].rsplit("/", 1)[-1]
                    if is_digest(name):
                        yield Blob(name, meta["size"], meta["last_modified"].timestamp())
        except BaseError as error:
            raise _away() from error

    async def delete(self, namespace: Namespace, sha256: str) -> None:
        """Deletes a blob. One that is not there is deleted already.

        Raises:
            PapermeshError: UNAVAILABLE when the store cannot be reached.
        """
        try:
            await self._store.delete_async(_key(namespace, sha256))
        except FileNotFoundError:
            return
        except BaseError as error:
            raise _away() from error

    async def _exists(self, key: str) -> bool:
        try:
            await self._store.head_async(key)
        except FileNotFoundError:
            return False
        return True


async def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:  # never write into what stands there: it may be a link to another blob
        raise
    except OSError:  # another file system, or one without hard links
        await asyncio.to_thread(shutil.copyfile, source, target)


def _key(namespace: Namespace, sha256: str) -> str:
    """Spread over 256 folders, which keeps each of them small. No key is made but from a digest."""
    check_digest(sha256, "sha256")
    return f"{namespace}/{sha256[:2]}/{sha256}"


def _missing() -> PapermeshError:
    return PapermeshError(Code.NOT_FOUND, "There is no such document. Upload it, or check its digest.")


def _away() -> PapermeshError:
    """Says nothing of the store's own words, which may name hosts and keys; they stay in the log as the cause."""
    return PapermeshError(Code.UNAVAILABLE, "The document store cannot be reached right now. Try again.")
