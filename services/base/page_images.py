"""Pictures of pages in the blob store, below their document: pdf puts them there, and dispatch gives them out.

Of each there is a record, which says how to draw it, and for some time its bytes. So what went to make room is drawn
again when somebody asks for it. All of it goes with the document.
"""

import hashlib
from typing import NamedTuple

import orjson

from services.base.blobs import BlobStore
from services.base.image_id import ImageId
from services.base.stored_blob import Key

MOST_BYTES = 8 * 1024 * 1024
"""Of one picture."""

MOST_KEPT = 64
"""Pictures of one document whose bytes are kept, at most 512 MiB. The oldest goes."""

MOST_RECORDS = 1000
"""Pictures of one document that can be fetched, at most 64 MB of records. The oldest goes."""

_MOST_RECORD_BYTES = 64 * 1024
"""200 boxes take 30 KB."""

_RECORD, _BYTES = "record", "bytes"
"""Folders of a document's."""

_DIGEST_BYTES = 32


class Drawn(NamedTuple):
    """What a record says."""

    format: str
    """"png" or "webp"."""

    arguments: dict[str, object]
    """The request that it answered, as JSON, without the document."""


class PageImages:
    """The pictures in a blob store. Every method raises PapermeshError: UNAVAILABLE when the store cannot be used."""

    def __init__(self, blobs: BlobStore) -> None:
        """Keeps them in `blobs`."""
        self._blobs = blobs

    async def put(self, image: ImageId, drawn: Drawn, content: bytes) -> None:
        """Keeps a picture, unless its document has been deleted. The oldest of the document's go to make room."""
        images, document = self._blobs.images, image.document
        # Nothing is synced to the disk: after a power failure the digest tells, and the picture is drawn again.
        await images.put(document, f"{_BYTES}/{image.name}", hashlib.sha256(content).digest() + content)
        await images.put(document, f"{_RECORD}/{image.name}", orjson.dumps(drawn._asdict()))
        # Dispatch deletes the document before its pictures: if it is there now, these go with it.
        if await self._blobs.missing(document.namespace, [document.sha256]):
            await images.delete(document)
            return
        for folder, most in ((_BYTES, MOST_KEPT), (_RECORD, MOST_RECORDS)):
            await self._make_room(document, folder, most)

    async def record(self, image: ImageId) -> Drawn | None:
        """How a picture was drawn; None if there is none of this id."""
        content = await self._blobs.images.get(image.document, f"{_RECORD}/{image.name}", _MOST_RECORD_BYTES)
        try:
            found = orjson.loads(content or b"")
            return Drawn(str(found["format"]), dict(found["arguments"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None

    async def content(self, image: ImageId) -> bytes | None:
        """A picture's bytes; None if they are not there any more, or not whole."""
        name = f"{_BYTES}/{image.name}"
        found = await self._blobs.images.get(image.document, name, _DIGEST_BYTES + MOST_BYTES) or b""
        digest, content = found[:_DIGEST_BYTES], found[_DIGEST_BYTES:]
        return content if content and hashlib.sha256(content).digest() == digest else None

    async def forget_bytes(self, document: Key, before: float) -> None:
        """Removes the bytes of pictures that were drawn before a moment, in seconds since 1970."""
        for name, stored_at in (await self._blobs.images.names(document, _BYTES)).items():
            if stored_at < before:
                await self._blobs.images.remove(document, name)

    async def _make_room(self, document: Key, folder: str, most: int) -> None:
        names = await self._blobs.images.names(document, folder)
        for name in sorted(names, key=names.__getitem__)[: max(0, len(names) - most)]:
            await self._blobs.images.remove(document, name)
