"""What the blob store keeps beside documents, in a folder and in a bucket."""

import asyncio
import errno
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.stored_blob import Key

LIMIT = 1000


@pytest.fixture
def document() -> Key:
    return Key(Namespace.UPLOADS, secrets.token_hex(32))


async def documents(store: BlobStore) -> set[Key]:
    return {each async for each in store.readings.documents()}


class TestEveryStore:
    async def test_gives_back_what_it_got(self, store: BlobStore, document: Key) -> None:
        readings = store.readings
        assert await readings.get(document, "engine/ocr-kor+eng/1", LIMIT) is None
        assert await readings.names(document) == {}
        for content in (b"first", b"second", b""):
            await readings.put(document, "engine/ocr-kor+eng/1", content)
            assert await readings.get(document, "engine/ocr-kor+eng/1", LIMIT) == content

    async def test_gives_nothing_that_is_too_large(self, store: BlobStore, document: Key) -> None:
        await store.readings.put(document, "engine/words/1", bytes(LIMIT))
        await store.readings.put(document, "engine/words/2", bytes(LIMIT + 1))
        assert await store.readings.get(document, "engine/words/1", LIMIT) == bytes(LIMIT)
        assert await store.readings.get(document, "engine/words/2", LIMIT) is None

    async def test_names_what_there_is_of_a_document(self, store: BlobStore, document: Key) -> None:
        names = {"old/words/1", "new/words/1", "new/words/10", "new/words2/1", "new/ocr/1"}
        for name in names:
            await store.readings.put(document, name, b"x")
        found = await store.readings.names(document)
        assert found.keys() == names
        assert all(abs(time.time() - stored_at) < 60 for stored_at in found.values())
        assert (await store.readings.names(document, "new/words")).keys() == {"new/words/1", "new/words/10"}

    async def test_removes_one(self, store: BlobStore, document: Key) -> None:
        for page in (1, 2):
            await store.readings.put(document, f"engine/words/{page}", b"x")
        for _ in range(2):  # again is no error
            await store.readings.remove(document, "engine/words/1")
        assert (await store.readings.names(document)).keys() == {"engine/words/2"}

    async def test_deletes_a_document_and_no_other(self, store: BlobStore, document: Key) -> None:
        other, same_bytes = Key(Namespace.UPLOADS, secrets.token_hex(32)), Key(Namespace.GITLAB, document.sha256)
        for each in (document, other, same_bytes):
            await store.readings.put(each, "engine/words/1", b"x")
        for _ in range(2):  # again is no error
            await store.readings.delete(document)
        assert await store.readings.names(document) == {}
        assert {other, same_bytes} <= await documents(store)
        assert document not in await documents(store)

    async def test_deletes_more_than_a_bucket_lists_at_once(self, store: BlobStore, document: Key) -> None:
        await asyncio.gather(*(store.readings.put(document, f"e/k/{page}", b"x") for page in range(1100)))
        assert len(await store.readings.names(document)) == 1100
        await store.readings.delete(document)
        assert await store.readings.names(document) == {}

    async def test_lists_no_reading_among_the_documents(self, store: BlobStore, document: Key) -> None:
        await store.readings.put(document, "engine/words/1", b"x")
        for namespace in (Namespace.UPLOADS, Namespace.GITLAB, Namespace.RESULTS):
            assert document.sha256 not in {blob.sha256 async for blob in store.list(namespace)}


async def test_in_a_folder_they_are_the_owners_alone(tmp_path: Path, document: Key) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")
    before = os.umask(0)
    try:
        await store.readings.put(document, "engine/words/1", b"x")
    finally:
        os.umask(before)
    made = [tmp_path / "blobs" / "readings", *(tmp_path / "blobs" / "readings").rglob("*")]
    assert len(made) == 6
    assert {file.stat().st_mode & 0o777 for file in made if file.is_dir()} == {0o700}
    assert {file.stat().st_mode & 0o777 for file in made if file.is_file()} == {0o600}


async def test_a_store_that_is_gone_is_not_made_again(tmp_path: Path, document: Key) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    with pytest.raises(PapermeshError) as caught:
        await store.readings.put(document, "engine/words/1", b"x")
    assert (caught.value.code, caught.value.details["reason"]) == (Code.UNAVAILABLE, "store_gone")
    assert not (tmp_path / "blobs").exists()


async def test_what_a_killed_process_left_half_written_goes_with_its_document(tmp_path: Path, document: Key) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")
    await store.readings.put(document, "engine/words/1", b"x")
    left = tmp_path / "blobs" / "readings" / "uploads" / document.sha256 / "engine" / "words" / "2#12345678"
    left.write_bytes(b"hal")
    assert (await store.readings.names(document)).keys() == {"engine/words/1"}
    await store.readings.delete(document)
    assert not left.exists()


@pytest.fixture
def threads_take_turns_often() -> Iterator[None]:
    """So often that they meet in every place where they can hinder each other."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.usefixtures("threads_take_turns_often")
async def test_writers_and_deleters_do_not_stop_each_other(tmp_path: Path, document: Key, number: int) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")

    async def write(page: int) -> None:
        for _ in range(30):
            await store.readings.put(document, f"engine/words/{page}", b"%d" % number)

    async def delete() -> None:
        for _ in range(30):
            await store.readings.delete(document)

    done = await asyncio.gather(*map(write, range(3)), *(delete() for _ in range(4)), return_exceptions=True)
    await store.readings.delete(document)
    assert not (tmp_path / "blobs" / "readings" / "uploads" / document.sha256).exists()
    assert not [each for each in done if each is not None], "each is told of no other"


async def test_what_a_deletion_that_was_cut_off_left_is_told_and_deleted(tmp_path: Path, document: Key) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")
    await store.readings.put(document, "engine/words/1", b"x")
    folder = tmp_path / "blobs" / "readings" / "uploads" / document.sha256
    folder.rename(folder.with_name(f"{folder.name}#"))
    assert await documents(store) == {document}
    await store.readings.put(document, "engine/words/1", b"x")
    await store.readings.delete(document)
    assert await documents(store) == set()
    assert list(folder.parent.iterdir()) == []


async def test_a_deletion_that_the_disk_refuses_is_told(
    tmp_path: Path, document: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BlobStore(f"file://{tmp_path}/blobs")
    await store.readings.put(document, "engine/words/1", b"x")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PapermeshError) as caught:
        await store.readings.delete(document)
    assert caught.value.details["reason"] == "store_failed"
