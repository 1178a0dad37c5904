"""What was read of a document goes with it: with a real Redis, and two replicas of pdf that share a real store."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.base.redis.link import RedisLink
from services.base.stored_blob import Key
from services.dispatch.admission.clients import Client
from services.dispatch.admission.verification import Caller
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from services.pdf.readings import readings as of_pdf
from services.pdf.readings.readings import Readings
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.disks import files_in
from tests.support.s3 import bucket

pytestmark = pytest.mark.measures_time

KEEP_S = 30 * 86_400
PAGES = {1: b"first page", 2: b"second page"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with bucket() as url:
        yield url


@pytest.fixture(params=["directory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    url = f"file://{tmp_path}/blobs" if request.param == "directory" else request.getfixturevalue("s3")
    return BlobStore(url)


def caller(actor: str) -> Caller:
    key = {"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}
    entry = Client.model_validate({"id": "reports", "keys": [key], "certificate": REPORTS_ID})
    return Caller(entry, actor, os.urandom(12).hex(), int(time.time()))


class Mesh:
    """Dispatch's side of documents, and two replicas of pdf."""

    def __init__(self, link: RedisLink, blobs: BlobStore, folder: Path) -> None:
        self.folder = folder
        self.link = link
        self.blobs = blobs
        self.ownership = Ownership(link, blobs, Quota(10**9, 1000))
        self.retention = Retention(link, blobs, KEEP_S)
        self.replicas = [Readings(folder / name, blobs, "engine", 10**7) for name in ("one", "two")]

    async def uploaded(self, *actors: str) -> Key:
        """A document that is uploaded, recognised by one replica, and seen by the other."""
        content, file = os.urandom(100), self.folder / "file"
        file.write_bytes(content)
        document = Key(Namespace.UPLOADS, hashlib.sha256(content).hexdigest())
        for actor in actors:
            await self.ownership.store(caller(actor), document.sha256, len(content), file)
        one, two = self.replicas
        await one.keep(document, "ocr-kor+eng", PAGES, shared=True)
        assert await two.find(document, [1, 2], "ocr-kor+eng") == PAGES
        await two.keep(document, "words", PAGES, shared=False)
        assert await self.copies(document) == [2, 4, 2]
        return document

    async def copies(self, document: Key) -> list[int]:
        """How many readings each replica's disk holds, and the store."""
        local = [sum(document.sha256 in str(file) for file in files_in(self.folder / name)) for name in ("one", "two")]
        return [*local, len(await self.blobs.readings.names(document))]

    async def until_gone(self, document: Key) -> None:
        async with asyncio.timeout(20):
            while await self.copies(document) != [0, 0, 0]:  # noqa: ASYNC110 - a file that goes sets no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def mesh(
    link: RedisLink, blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mesh]:
    monkeypatch.setattr(of_pdf, "_EVERY_S", 0.05)
    mesh = Mesh(link, blobs, tmp_path)
    one, two = mesh.replicas
    async with one, two:
        yield mesh


async def test_a_deletion_takes_every_copy(mesh: Mesh) -> None:
    document, other = await mesh.uploaded("kim"), await mesh.uploaded("kim")
    await mesh.ownership.release(caller("kim"), document.sha256)
    assert (await mesh.copies(document))[2] == 0, "the store's before the answer"
    await mesh.until_gone(document)
    assert await mesh.copies(other) == [2, 4, 2]


async def test_what_somebody_else_still_holds_keeps_its_readings(mesh: Mesh) -> None:
    document = await mesh.uploaded("kim", "lee")
    await mesh.ownership.release(caller("kim"), document.sha256)
    for replica in mesh.replicas:
        await replica.sweep()
    assert await mesh.copies(document) == [2, 4, 2]
    await mesh.ownership.release(caller("lee"), document.sha256)
    await mesh.until_gone(document)


async def test_what_nobody_used_for_long_goes_with_its_readings(mesh: Mesh) -> None:
    document = await mesh.uploaded("kim")
    await mesh.link.call("ZADD", "used", int(time.time()) - KEEP_S - 60, document.sha256)
    await mesh.retention.sweep()
    await mesh.until_gone(document)


async def test_readings_without_a_document_go_with_the_retention(mesh: Mesh) -> None:
    document = await mesh.uploaded("kim")
    orphans = [Key(namespace, os.urandom(32).hex()) for namespace in (Namespace.UPLOADS, Namespace.GITLAB)]
    orphans.append(Key(Namespace.GITLAB, document.sha256))
    for each in orphans:
        await mesh.blobs.readings.put(each, "engine/ocr/1", b"from a process that was killed")
    await mesh.retention.sweep()
    assert [await mesh.blobs.readings.names(each) for each in orphans] == [{}, {}, {}]
    assert await mesh.copies(document) == [2, 4, 2]


async def test_recognition_that_ends_during_a_deletion_leaves_nothing(mesh: Mesh) -> None:
    for _ in range(5):
        document = await mesh.uploaded("kim")
        deleting = asyncio.create_task(mesh.ownership.release(caller("kim"), document.sha256))
        for page in range(3, 8):
            await mesh.replicas[page % 2].keep(document, "ocr-kor+eng", {page: b"late"}, shared=True)
        await deleting
        await mesh.until_gone(document)
