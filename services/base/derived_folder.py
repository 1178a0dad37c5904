"""What was made of documents, in the folder of a blob store, which all replicas on its file system share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from services.base.own_faults import Disk, using
from services.base.page_files import PageFiles
from services.base.stored_blob import Key, Namespace


class DerivedFolder:
    """As `services.base.derived_bucket` does it in a bucket."""

    def __init__(self, root: Path, namespace: Namespace) -> None:
        """Keeps them in a namespace below the store's root."""
        self._files = PageFiles(root / namespace)

    async def put(self, document: Key, name: str, content: bytes) -> None:
        """Stores one, in place of one of the same name."""
        with using(Disk.STORE):
            await asyncio.to_thread(self._files.write, document, name, content)

    async def get(self, document: Key, name: str, limit_bytes: int) -> bytes | None:
        """One of them, unproved; None if there is none, or one of more bytes."""
        with using(Disk.STORE):
            content = await asyncio.to_thread(self._files.read, document, name, limit_bytes + 1)
        return None if content is None or len(content) > limit_bytes else content

    async def names(self, document: Key, under: str = "") -> dict[str, float]:
        """What there is of a document, or in one of its folders, and when it was put, in seconds since 1970."""
        with using(Disk.STORE):
            found = await asyncio.to_thread(lambda: list(self._files.names(document, under)))
        return {name: status.st_mtime for name, status in found if "#" not in name}

    async def remove(self, document: Key, name: str) -> None:
        """Removes one. What is not there is removed already."""
        with using(Disk.STORE):
            await asyncio.to_thread(self._files.remove, document, name)

    async def delete(self, document: Key) -> None:
        """Deletes everything of a document."""
        with using(Disk.STORE):
            await asyncio.to_thread(self._files.delete, document)

    async def documents(self) -> AsyncIterator[Key]:
        """The documents of which there is something, in no order."""
        with using(Disk.STORE):
            found = await asyncio.to_thread(lambda: list(self._files.documents()))
        for document in found:
            yield document
