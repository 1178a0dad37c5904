"""Pictures of pages, in a folder and in a bucket."""

import secrets
import time
from hashlib import sha256
from pathlib import Path

import pytest

from services.base import page_images
from services.base.blobs import BlobStore, Namespace
from services.base.image_id import ImageId
from services.base.page_images import Drawn, PageImages
from services.base.stored_blob import Key

DRAWN = Drawn("png", {"page": 3})


@pytest.fixture
async def document(store: BlobStore, tmp_path: Path) -> Key:
    """A document in the store."""
    content = secrets.token_bytes(32)
    (tmp_path / "document").write_bytes(content)
    await store.put(Namespace.UPLOADS, digest := sha256(content).hexdigest(), tmp_path / "document")
    return Key(Namespace.UPLOADS, digest)


def image(document: Key, made_from: bytes = b"page 3") -> ImageId:
    return ImageId.make(b"k" * 32, document, made_from)


class TestEveryStore:
    async def test_gives_back_what_it_got(self, store: BlobStore, document: Key) -> None:
        images = PageImages(store)
        assert (await images.record(image(document)), await images.content(image(document))) == (None, None)
        await images.put(image(document), DRAWN, b"picture")
        assert (await images.record(image(document)), await images.content(image(document))) == (DRAWN, b"picture")
        assert await images.record(image(document, b"page 4")) is None

    async def test_keeps_none_of_a_document_that_has_gone(self, store: BlobStore, document: Key) -> None:
        await store.delete(*document)
        await PageImages(store).put(image(document), DRAWN, b"picture")
        assert await store.images.names(document) == {}

    async def test_makes_room_for_new_ones(
        self, store: BlobStore, document: Key, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_images, "MOST_KEPT", 2)
        monkeypatch.setattr(page_images, "MOST_RECORDS", 4)
        made = [image(document, b"%d" % page) for page in range(6)]
        for each in made:
            await PageImages(store).put(each, DRAWN, b"picture")
        names = await store.images.names(document)
        assert sum(name.startswith("bytes/") for name in names) == 2
        assert sum(name.startswith("record/") for name in names) == 4

    async def test_forgets_the_bytes_of_old_ones(self, store: BlobStore, document: Key) -> None:
        images = PageImages(store)
        await images.put(image(document), DRAWN, b"picture")
        await images.forget_bytes(document, time.time() - 100)
        assert await images.content(image(document)) == b"picture"
        await images.forget_bytes(document, time.time() + 100)
        assert (await images.record(image(document)), await images.content(image(document))) == (DRAWN, None)

    @pytest.mark.parametrize("damage", [b"", b"short", b"x" * 100])
    async def test_gives_none_that_is_not_whole(self, store: BlobStore, document: Key, damage: bytes) -> None:
        images = PageImages(store)
        await images.put(image(document), DRAWN, b"picture")
        for folder in ("bytes", "record"):
            await store.images.put(document, f"{folder}/{image(document).name}", damage)
        assert (await images.record(image(document)), await images.content(image(document))) == (None, None)

    async def test_keeps_them_apart_from_readings(self, store: BlobStore, document: Key) -> None:
        await PageImages(store).put(image(document), DRAWN, b"picture")
        assert await store.readings.names(document) == {}
        await store.images.delete(document)
        assert await store.images.names(document) == {}
