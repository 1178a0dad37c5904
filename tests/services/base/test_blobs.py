import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from services.base.blobs import Blob, BlobStore, Namespace
from services.base.errors import Code, PapermeshError

MISSING = "ab" * 32


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of an S3 server, and the environment that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    httpx.put(f"{endpoint}/documents").raise_for_status()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT", endpoint)
        patch.setenv("AWS_ALLOW_HTTP", "true")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield "s3://documents/prefix"
    server.stop()


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    url = f"file://{tmp_path}/blobs" if request.param == "directory" else request.getfixturevalue("s3")
    return BlobStore(url)


@pytest.fixture
def directory(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


def document(folder: Path, size: int = 1000) -> tuple[Path, bytes, str]:
    content = os.urandom(size)
    path = folder / "document.pdf"
    path.write_bytes(content)
    return path, content, hashlib.sha256(content).hexdigest()


async def pieces(store: BlobStore, sha256: str, namespace: Namespace = Namespace.UPLOADS) -> list[bytes]:
    return [piece async for piece in store.read(namespace, sha256)]


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
            with pytest.raises(PapermeshError) as caught:
                await attempt
            assert caught.value.code is Code.NOT_FOUND

    async def test_keeps_namespaces_apart(self, store: BlobStore, tmp_path: Path) -> None:
        path, _, sha256 = document(tmp_path)
        await store.put(Namespace.GITLAB, sha256, path)
        with pytest.raises(PapermeshError) as caught:
            await store.size(Namespace.UPLOADS, sha256)
        assert caught.value.code is Code.NOT_FOUND

    async def test_does_not_write_the_same_bytes_twice(self, store: BlobStore, tmp_path: Path) -> None:
        path, content, sha256 = document(tmp_path)
        await store.put(Namespace.UPLOADS, sha256, path)
        path.write_bytes(b"the second writer's file is not even looked at")
        await store.put(Namespace.UPLOADS, sha256, path)
        assert await pieces(store, sha256) == [content]

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

    async def test_has_nothing_of_what_was_deleted(self, store: BlobStore, tmp_path: Path) -> None:
        path, content, sha256 = document(tmp_path)
        for namespace in (Namespace.UPLOADS, Namespace.GITLAB):
            await store.put(namespace, sha256, path)
        for _ in range(2):  # again is no error
            await store.delete(Namespace.UPLOADS, sha256)
        with pytest.raises(PapermeshError) as caught:
            await store.size(Namespace.UPLOADS, sha256)
        assert caught.value.code is Code.NOT_FOUND
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
    for _ in range(2):
        await directory.put(Namespace.UPLOADS, sha256, path)
    files = [each for each in (tmp_path / "blobs").rglob("*") if each.is_file()]
    assert files == [tmp_path / "blobs" / "uploads" / sha256[:2] / sha256]


async def test_a_directory_places_a_document_by_a_hard_link(directory: BlobStore, tmp_path: Path) -> None:
    path, _, sha256 = document(tmp_path)
    await directory.put(Namespace.UPLOADS, sha256, path)
    await directory.place(Namespace.UPLOADS, sha256, tmp_path / "placed")
    assert (tmp_path / "placed").samefile(tmp_path / "blobs" / "uploads" / sha256[:2] / sha256)


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
    with pytest.raises(PapermeshError) as caught:
        await directory.place(Namespace.UPLOADS, MISSING, tmp_path / "other")
    assert caught.value.code is Code.NOT_FOUND


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


async def test_a_store_that_cannot_be_used_is_unavailable_and_says_nothing_of_itself(
    directory: BlobStore, tmp_path: Path
) -> None:
    path, _, sha256 = document(tmp_path)
    (tmp_path / "blobs" / "uploads").write_text("in the way")
    with pytest.raises(PapermeshError) as caught:
        await directory.put(Namespace.UPLOADS, sha256, path)
    assert caught.value.code is Code.UNAVAILABLE
    assert str(tmp_path) not in str(caught.value)
