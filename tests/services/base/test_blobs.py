import hashlib
import os
import shutil
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import IO

import pytest

from services.base import blob_folder
from services.base.blob_folder import BlobFolder
from services.base.blobs import Blob, BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.own_faults import COUNTS
from services.base.stored_blob import Key
from tests.support.disks import fill, needs_root, small_disk

MISSING = "ab" * 32


@pytest.fixture
def directory(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


def document(folder: Path, size: int = 1000) -> tuple[Path, bytes, str]:
    content = os.urandom(size)
    path = folder / "document.pdf"
    path.write_bytes(content)
    return path, content, hashlib.sha256(content).hexdigest()


def kept(folder: Path, sha256: str) -> Path:
    """Where a directory keeps an upload."""
    return folder / "blobs" / "uploads" / sha256[:2] / sha256


def damage(file: Path, how: str) -> None:
    """Does to a file what a disk, or somebody else's program, may do to it."""
    content = file.read_bytes()
    match how:
        case "truncated":
            os.truncate(file, len(content) // 2)
        case "emptied":
            os.truncate(file, 0)
        case "extended":
            file.write_bytes(content + b"\0")
        case "flipped":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


async def pieces(store: BlobStore, sha256: str, namespace: Namespace = Namespace.UPLOADS) -> list[bytes]:
    return [piece async for piece in store.read(namespace, sha256)]


async def refusal(attempt: Awaitable[object]) -> tuple[Code, str]:
    """The code and the reason that an attempt fails with."""
    with pytest.raises(PapermeshError) as caught:
        await attempt
    return caught.value.code, caught.value.details.get("reason", "")


async def listed(store: BlobStore, namespace: Namespace) -> list[Blob]:
    return [blob async for blob in store.list(namespace)]


class TestEveryStore:
    @pytest.mark.parametrize("size", [1, 256 * 1024, 256 * 1024 + 1, 12_000_000])
    async def test_gives_back_what_it_got(self, store: BlobStore, tmp_path: Path, size: int) -> None:
        path, content, sha256 = document(tmp_path, size)
        await store.put(Namespace.UPLOADS, sha256, path)
        assert await store.size(Namespace.UPLOADS, sha256) == size
        read = await pieces(store, sha256)
        assert b"".join(read) == content
        assert max(map(len, read)) <= 256 * 1024
        await store.place(Namespace.UPLOADS, sha256, tmp_path / "placed")
        assert (tmp_path / "placed").read_bytes() == content
        assert path.read_bytes() == content

    async def test_has_nothing_that_was_not_put(self, store: BlobStore, tmp_path: Path) -> None:
        for attempt in (
            store.size(Namespace.UPLOADS, MISSING),
            pieces(store, MISSING),
            store.place(Namespace.UPLOADS, MISSING, tmp_path / "placed"),
        ):
            assert await refusal(attempt) == (Code.ENGINE_FAIL, "stored_document_missing")

    async def test_tells_the_operator_of_a_missing_answer_and_leaves_documents_to_dispatch(
        self, store: BlobStore
    ) -> None:
        told = COUNTS.copy()
        assert await refusal(pieces(store, MISSING)) == (Code.ENGINE_FAIL, "stored_document_missing")
        assert told == COUNTS
        answer = pieces(store, MISSING, Namespace.RESULTS)
        assert await refusal(answer) == (Code.ENGINE_FAIL, "stored_answer_missing")
        assert COUNTS - told == {"stored_answer_missing": 1}

    async def test_keeps_namespaces_apart(self, store: BlobStore, tmp_path: Path) -> None:
        path, _, sha256 = document(tmp_path)
        await store.put(Namespace.GITLAB, sha256, path)
        assert await refusal(store.size(Namespace.UPLOADS, sha256)) == (Code.ENGINE_FAIL, "stored_document_missing")

    async def test_takes_the_same_bytes_again(self, store: BlobStore, tmp_path: Path) -> None:
        path, content, sha256 = document(tmp_path)
        for _ in range(2):
            await store.put(Namespace.UPLOADS, sha256, path)
        assert await pieces(store, sha256) == [content]
        assert [blob.sha256 for blob in await listed(store, Namespace.UPLOADS)].count(sha256) == 1

    async def test_lists_what_a_namespace_holds(self, store: BlobStore, tmp_path: Path) -> None:
        before = {blob.sha256 for blob in await listed(store, Namespace.RESULTS)}
        sizes = {}
        for size in (1, 2, 3):
            path, _, sha256 = document(tmp_path, size)
            await store.put(Namespace.RESULTS, sha256, path)
            sizes[sha256] = size
        path, _, _ = document(tmp_path)
        await store.put(Namespace.GITLAB, MISSING, path)
        found = [blob for blob in await listed(store, Namespace.RESULTS) if blob.sha256 not in before]
        assert {blob.sha256: blob.size for blob in found} == sizes
        assert all(abs(time.time() - blob.stored_at) < 60 for blob in found)

    async def test_says_which_of_many_are_missing(self, store: BlobStore, tmp_path: Path) -> None:
        there = set()
        for size in range(1, 6):
            path, _, sha256 = document(tmp_path, size)
            await store.put(Namespace.GITLAB, sha256, path)
            there.add(sha256)
        # Neighbours of what is there, others alone in their folders, and one of another namespace.
        gone = {each[:2] + "e" * 62 for each in there} | {f"{number:02x}" * 32 for number in range(20)}
        path, _, sha256 = document(tmp_path)
        await store.put(Namespace.UPLOADS, sha256, path)
        assert await store.missing(Namespace.GITLAB, there | gone | {sha256}) == gone | {sha256}
        assert await store.missing(Namespace.GITLAB, there) == set()
        assert await store.missing(Namespace.GITLAB, []) == set()

    async def test_has_nothing_of_what_was_deleted(self, store: BlobStore, tmp_path: Path) -> None:
        path, content, sha256 = document(tmp_path)
        for namespace in (Namespace.UPLOADS, Namespace.GITLAB):
            await store.put(namespace, sha256, path)
        for _ in range(2):  # again is no error
            await store.delete(Namespace.UPLOADS, sha256)
        assert await refusal(store.size(Namespace.UPLOADS, sha256)) == (Code.ENGINE_FAIL, "stored_document_missing")
        assert await pieces(store, sha256, Namespace.GITLAB) == [content]
        await store.put(Namespace.UPLOADS, sha256, path)
        assert await pieces(store, sha256) == [content]


async def test_a_directory_lists_no_file_but_blobs(directory: BlobStore, tmp_path: Path) -> None:
    assert await listed(directory, Namespace.UPLOADS) == []
    path, _, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    for name in ("notes", f"{sha256}#1", f"{sha256}.bak"):
        (tmp_path / "blobs" / "uploads" / sha256[:2] / name).touch()
    assert [blob.sha256 for blob in await listed(directory, Namespace.UPLOADS)] == [sha256]


async def test_a_directory_holds_the_same_bytes_once(directory: BlobStore, tmp_path: Path) -> None:
    path, _, sha256 = document(tmp_path)
    inodes = set()
    for _ in range(2):
        await directory.put(Namespace.UPLOADS, sha256, path)
        inodes.add(kept(tmp_path, sha256).stat().st_ino)
    files = [each for each in (tmp_path / "blobs").rglob("*") if each.is_file()]
    assert files == [kept(tmp_path, sha256)]
    assert len(inodes) == 1, "it is written once"


async def test_a_directory_places_a_document_by_a_hard_link(directory: BlobStore, tmp_path: Path) -> None:
    path, _, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    await directory.place(Namespace.UPLOADS, sha256, tmp_path / "placed")
    assert (tmp_path / "placed").samefile(kept(tmp_path, sha256))


async def test_a_directory_copies_a_document_where_links_cannot_go(
    directory: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cross_device(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    path, content, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    monkeypatch.setattr(os, "link", cross_device)
    await directory.place(Namespace.UPLOADS, sha256, tmp_path / "placed")
    assert (tmp_path / "placed").read_bytes() == content
    missing = directory.place(Namespace.UPLOADS, MISSING, tmp_path / "other")
    assert await refusal(missing) == (Code.ENGINE_FAIL, "stored_document_missing")
    damage(kept(tmp_path, sha256), "flipped")
    damaged = directory.place(Namespace.UPLOADS, sha256, tmp_path / "third")
    assert await refusal(damaged) == (Code.ENGINE_FAIL, "stored_document_damaged")


@pytest.mark.parametrize(
    "digest", ["", "ab", "../../etc/passwd", "/dev/zero", "ab/../" + MISSING, MISSING.upper(), "a\0"]
)
async def test_what_is_no_digest_names_no_file(directory: BlobStore, tmp_path: Path, digest: str) -> None:
    for use in (
        directory.place(Namespace.UPLOADS, digest, tmp_path / "target"),
        directory.put(Namespace.UPLOADS, digest, tmp_path / "source"),
        directory.size(Namespace.UPLOADS, digest),
        directory.delete(Namespace.UPLOADS, digest),
        anext(directory.read(Namespace.UPLOADS, digest)),
    ):
        with pytest.raises(PapermeshError) as caught:
            await use
        assert caught.value.code is Code.BAD_ARG
    assert not (tmp_path / "target").exists()


def test_a_directory_is_made_for_its_owner_only(directory: BlobStore, tmp_path: Path) -> None:
    assert directory is not None
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700


DAMAGES = ("truncated", "emptied", "extended", "flipped")


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("size", [1000, 900_000])
class TestADamagedBlob:
    """One that was whole when it was first given out, and one that nobody has asked for before."""

    async def test_is_placed_for_nobody(self, directory: BlobStore, tmp_path: Path, how: str, size: int) -> None:
        path, content, sha256 = document(tmp_path, size)
        await directory.put(Namespace.UPLOADS, sha256, path)
        damage(kept(tmp_path, sha256), how)
        placing = directory.place(Namespace.UPLOADS, sha256, tmp_path / "first")
        assert await refusal(placing) == (Code.ENGINE_FAIL, "stored_document_damaged")
        await directory.put(Namespace.UPLOADS, sha256, path)
        await directory.place(Namespace.UPLOADS, sha256, tmp_path / "second")
        assert (tmp_path / "second").read_bytes() == content
        damage(kept(tmp_path, sha256), how)
        placing = directory.place(Namespace.UPLOADS, sha256, tmp_path / "third")
        assert await refusal(placing) == (Code.ENGINE_FAIL, "stored_document_damaged")

    async def test_is_never_read_to_its_end(self, directory: BlobStore, tmp_path: Path, how: str, size: int) -> None:
        path, content, sha256 = document(tmp_path, size)
        await directory.put(Namespace.UPLOADS, sha256, path)
        damage(kept(tmp_path, sha256), how)
        damaged = kept(tmp_path, sha256).stat().st_size
        read = b""

        async def read_all() -> None:
            nonlocal read
            async for piece in directory.read(Namespace.UPLOADS, sha256):
                read += piece

        assert await refusal(read_all()) == (Code.ENGINE_FAIL, "stored_document_damaged")
        assert len(read) < damaged or damaged == 0
        assert content.startswith(read)

    async def test_is_put_aside_and_mended_by_the_same_bytes(
        self, directory: BlobStore, tmp_path: Path, how: str, size: int
    ) -> None:
        path, content, sha256 = document(tmp_path, size)
        await directory.put(Namespace.UPLOADS, sha256, path)
        damage(kept(tmp_path, sha256), how)
        bad = kept(tmp_path, sha256).read_bytes()
        met = COUNTS["stored_document_damaged"]
        await directory.put(Namespace.UPLOADS, sha256, path)
        assert b"".join(await pieces(directory, sha256)) == content
        aside = kept(tmp_path, sha256).with_name(f"{sha256}.damaged")
        assert aside.read_bytes() == bad
        assert [blob.sha256 for blob in await listed(directory, Namespace.UPLOADS)] == [sha256]
        assert COUNTS["stored_document_damaged"] == met + 1
        await directory.delete(Namespace.UPLOADS, sha256)
        assert not aside.exists(), "what a person deletes goes with all copies"


async def test_a_damaged_blob_is_told_to_the_operator(
    directory: BlobStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, _, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    damage(kept(tmp_path, sha256), "truncated")
    await refusal(pieces(directory, sha256))
    [told] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told.fields["fault"] == "stored_document_damaged"  # type: ignore[attr-defined]  # what `extra` adds
    assert sha256 in told.fields["blob"]  # type: ignore[attr-defined]  # as above


async def test_a_blob_that_is_mended_while_it_is_found_damaged_stays(directory: BlobStore, tmp_path: Path) -> None:
    path, content, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    damage(kept(tmp_path, sha256), "truncated")
    os.link(kept(tmp_path, sha256), tmp_path / "bad")  # as a worker has it
    kept(tmp_path, sha256).unlink()
    await directory.put(Namespace.UPLOADS, sha256, path)
    store = directory._store
    assert isinstance(store, BlobFolder)
    with pytest.raises(PapermeshError):
        store._prove(Key(Namespace.UPLOADS, sha256), tmp_path / "bad")
    assert await pieces(directory, sha256) == [content]
    assert not list((tmp_path / "blobs").rglob("*.damaged"))


async def test_a_blob_is_hashed_once_and_again_when_it_was_changed(
    directory: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = hashlib.file_digest

    def counting(file: IO[bytes], name: str) -> object:
        hashed.append(name)
        return original(file, name)

    path, content, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    monkeypatch.setattr(hashlib, "file_digest", counting)
    for number in range(5):
        await directory.place(Namespace.UPLOADS, sha256, tmp_path / f"placed-{number}")
    assert len(hashed) == 1
    kept(tmp_path, sha256).write_bytes(content)
    os.utime(kept(tmp_path, sha256), (1, 1))
    await directory.place(Namespace.UPLOADS, sha256, tmp_path / "again")
    assert len(hashed) == 2


async def test_so_many_blobs_are_known_to_be_whole_and_the_one_known_longest_is_forgotten(
    directory: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_folder, "_REMEMBERED", 2)
    path, _, sha256 = document(tmp_path)
    for namespace in (Namespace.UPLOADS, Namespace.GITLAB, Namespace.RESULTS):
        await directory.put(namespace, sha256, path)
        await directory.place(namespace, sha256, tmp_path / namespace)
    store = directory._store
    assert isinstance(store, BlobFolder)
    assert [key.namespace for key in store._proved] == [Namespace.GITLAB, Namespace.RESULTS]


async def test_a_bucket_gives_out_nothing_that_lost_its_digest(s3: str, tmp_path: Path) -> None:
    store = BlobStore(s3)
    path, content, sha256 = document(tmp_path, 900_000)
    path.write_bytes(content[:-1])
    await store.put(Namespace.UPLOADS, sha256, path)
    for attempt in (pieces(store, sha256), store.place(Namespace.UPLOADS, sha256, tmp_path / "first")):
        assert await refusal(attempt) == (Code.ENGINE_FAIL, "stored_document_damaged")
    path.write_bytes(content)
    await store.put(Namespace.UPLOADS, sha256, path)
    assert b"".join(await pieces(store, sha256)) == content


async def test_a_store_that_is_gone_is_no_missing_document(directory: BlobStore, tmp_path: Path) -> None:
    path, content, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    for attempt in (
        directory.size(Namespace.UPLOADS, sha256),
        pieces(directory, sha256),
        directory.place(Namespace.UPLOADS, sha256, tmp_path / "placed"),
        directory.put(Namespace.UPLOADS, sha256, path),
        directory.delete(Namespace.UPLOADS, sha256),
        directory.missing(Namespace.UPLOADS, [sha256]),
        listed(directory, Namespace.UPLOADS),
    ):
        assert await refusal(attempt) == (Code.UNAVAILABLE, "store_gone")
    (tmp_path / "elsewhere").rename(tmp_path / "blobs")
    assert await pieces(directory, sha256) == [content]


async def test_a_folder_of_the_store_that_vanished_is_made_again(directory: BlobStore, tmp_path: Path) -> None:
    path, content, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    shutil.rmtree(tmp_path / "blobs" / "uploads")
    assert await refusal(pieces(directory, sha256)) == (Code.ENGINE_FAIL, "stored_document_missing")
    await directory.put(Namespace.UPLOADS, sha256, path)
    assert await pieces(directory, sha256) == [content]


@needs_root
async def test_a_full_store_is_unavailable_and_keeps_nothing_half(directory: BlobStore, tmp_path: Path) -> None:
    path, content, sha256 = document(tmp_path, 100_000)
    with small_disk(tmp_path / "blobs", 1_000_000):
        filler = fill(tmp_path / "blobs")
        assert await refusal(directory.put(Namespace.UPLOADS, sha256, path)) == (Code.UNAVAILABLE, "store_full")
        assert not [file for file in (tmp_path / "blobs" / "uploads").rglob("*") if file.is_file()]
        filler.unlink()
        await directory.put(Namespace.UPLOADS, sha256, path)
        assert await pieces(directory, sha256) == [content]


async def test_where_a_blob_cannot_be_placed_is_no_fault_of_the_store(directory: BlobStore, tmp_path: Path) -> None:
    path, _, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    with pytest.raises(FileNotFoundError):
        await directory.place(Namespace.UPLOADS, sha256, tmp_path / "gone" / "placed")


async def test_a_store_that_cannot_be_used_is_unavailable_and_says_nothing_of_itself(
    directory: BlobStore, tmp_path: Path
) -> None:
    path, _, sha256 = document(tmp_path)
    (tmp_path / "blobs" / "uploads").write_text("in the way")
    with pytest.raises(PapermeshError) as caught:
        await directory.put(Namespace.UPLOADS, sha256, path)
    assert (caught.value.code, caught.value.details) == (Code.UNAVAILABLE, {"reason": "store_failed"})
    assert str(tmp_path) not in str(caught.value)


async def test_a_bucket_that_is_gone_is_no_missing_document(s3: str, tmp_path: Path) -> None:
    store = BlobStore(s3.replace("documents", "nowhere"))
    path, _, sha256 = document(tmp_path)
    for attempt in (
        store.put(Namespace.UPLOADS, sha256, path),
        store.size(Namespace.UPLOADS, sha256),
        pieces(store, sha256),
        store.delete(Namespace.UPLOADS, sha256),
        listed(store, Namespace.UPLOADS),
    ):
        with pytest.raises(PapermeshError) as caught:
            await attempt
        assert (caught.value.code, caught.value.details) == (Code.UNAVAILABLE, {"reason": "store_away"})
        assert "127.0.0.1" not in str(caught.value)
