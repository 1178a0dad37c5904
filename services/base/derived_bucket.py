"""What was made of documents, in a bucket: it lies beside the document, and goes with it."""

from collections.abc import AsyncIterator
from contextlib import suppress

from obstore.store import from_url

from services.base.blob_bucket import reaching
from services.base.names import is_digest
from services.base.page_files import DOCUMENTS
from services.base.stored_blob import Key, Namespace

_LISTED_AT_ONCE = 1000


class DerivedBucket:
    """Objects under "readings/<namespace>/<digest>/", with names that may have parts of their own, "engine/kind/page".

    Every method raises PapermeshError: UNAVAILABLE when the store cannot be used.
    """

    def __init__(self, url: str, namespace: Namespace) -> None:
        """Opens "s3://bucket/prefix", for what is below this name there."""
        self._store = from_url(url)
        self._namespace = namespace

    async def put(self, document: Key, name: str, content: bytes) -> None:
        """Stores one, in place of one of the same name."""
        with reaching():
            await self._store.put_async(self._path(document, name), content, use_multipart=False)

    async def get(self, document: Key, name: str, limit_bytes: int) -> bytes | None:
        """One of them, unproved; None if there is none, or one of more bytes."""
        with reaching():
            try:
                answer = await self._store.get_async(self._path(document, name))
            except FileNotFoundError:
                return None
            return bytes(await answer.bytes_async()) if answer.meta["size"] <= limit_bytes else None

    async def names(self, document: Key, under: str = "") -> dict[str, float]:
        """What there is of a document, or in one of its folders, and when it was put, in seconds since 1970."""
        names: dict[str, float] = {}
        start = len(self._path(document, ""))
        with reaching():
            async for found in self._store.list(self._path(document, under), chunk_size=_LISTED_AT_ONCE):
                # The store's own prefix stands neither in what is asked for nor in what is listed.
                names |= {each["path"][start:]: each["last_modified"].timestamp() for each in found}
        return names

    async def remove(self, document: Key, name: str) -> None:
        """Removes one. What is not there is removed already."""
        with reaching(), suppress(FileNotFoundError):
            await self._store.delete_async(self._path(document, name))

    async def delete(self, document: Key) -> None:
        """Deletes everything of a document."""
        with reaching():
            async for found in self._store.list(self._path(document, ""), chunk_size=_LISTED_AT_ONCE):
                await self._store.delete_async([each["path"] for each in found])

    async def documents(self) -> AsyncIterator[Key]:
        """The documents of which there is something, in no order."""
        for namespace in DOCUMENTS:
            with reaching():
                found = await self._store.list_with_delimiter_async(f"{self._namespace}/{namespace}")
            for prefix in found["common_prefixes"]:
                name = prefix.rstrip("/").rsplit("/", 1)[-1]
                if is_digest(name):
                    yield Key(namespace, name)

    def _path(self, document: Key, name: str) -> str:
        return f"{self._namespace}/{document.namespace}/{document.sha256}/{name}"
