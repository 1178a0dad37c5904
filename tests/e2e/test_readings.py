"""What was read of a document goes with it, from the store and from pdf's disk, while everything runs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.pdf.engine_version import engine_version
from services.pdf.readings.readings import DocumentKey, Readings
from tests.e2e.support.deployment import Deployment, deployed
from tests.e2e.support.waiting import eventually
from tests.support.disks import files_in
from tests.support.pdfs import pdf_bytes


@pytest.fixture(scope="module")
def mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document) as deployment:
        yield deployment


def copies(mesh: Deployment, sha256: str) -> list[Path]:
    """Every file of the whole deployment whose path names a document."""
    return [file for file in files_in(mesh.stack.folders.root) if sha256 in str(file)]


async def recognised(mesh: Deployment, *digests: str) -> None:
    """Keeps a page of each document, as pdf does that is not running just now."""
    folders = mesh.stack.folders
    store = BlobStore(folders.blobs.as_uri())
    async with Readings(folders.work("pdf") / "readings", store, engine_version(), 10**7) as readings:
        for sha256 in digests:
            document = DocumentKey(Namespace.UPLOADS, sha256)
            await readings.keep(document, "ocr-kor+eng", {1: b"what the page says"}, shared=True)


def test_a_deleted_document_leaves_nothing_within_a_minute(mesh: Deployment) -> None:
    gone, other = (mesh.adapter.reference(pdf_bytes(size))["sha256"] for size in (5000, 6000))
    mesh.stack.part("pdf").stop()
    asyncio.run(recognised(mesh, gone, other))
    mesh.stack.part("pdf").start()
    mesh.stack.wait_until_ready()
    eventually(mesh.works, 30, "a good call")
    # The document, its reading in the store, and the one on pdf's disk.
    assert len(copies(mesh, gone)) == len(copies(mesh, other)) == 3
    assert mesh.adapter.request("DELETE", f"/documents/{gone}").ok
    assert all(file.is_relative_to(mesh.stack.folders.work("pdf")) for file in copies(mesh, gone))
    eventually(lambda: not copies(mesh, gone), 60, "the last copy's end")
    assert len(copies(mesh, other)) == 3
