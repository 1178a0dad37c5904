"""What the mesh has lost is told as its own fault, and comes right when somebody brings the bytes again."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.support.deployment import Deployment
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import pdf_bytes


@pytest.fixture
def content(mesh: Deployment) -> bytes:
    """A good document that nobody else has."""
    return mesh.good_document.read_bytes() + b"%" + os.urandom(8).hex().encode()


def kept(mesh: Deployment, sha256: str) -> Path:
    """Where the blob store keeps an upload."""
    return mesh.stack.folders.blobs / "uploads" / sha256[:2] / sha256


@pytest.mark.parametrize("given_out_before", [False, True])
def test_a_truncated_document_is_served_to_nobody_until_it_is_uploaded_again(
    mesh: Deployment, content: bytes, *, given_out_before: bool
) -> None:
    reference = mesh.adapter.reference(content)
    args = {"doc_ref": reference}
    if given_out_before:
        assert mesh.adapter.invoke("PDF_METADATA", args).ok
    os.truncate(kept(mesh, reference["sha256"]), 20_000)
    refused = mesh.adapter.invoke("PDF_METADATA", args, Cache_Control="no-cache")
    refused.must_be("ENGINE_FAIL", says="upload", reason="stored_document_damaged")
    refused = mesh.adapter.invoke("PDF_METADATA", args, Cache_Control="no-cache")
    refused.must_be("ENGINE_FAIL", says="upload", reason="stored_document_missing")
    assert mesh.told_faults("pdf") == ["stored_document_damaged"]
    assert mesh.told_faults("dispatch") == ["stored_document_missing"], "pdf cannot know that nobody deleted it"
    assert mesh.adapter.upload(content).ok
    assert mesh.adapter.invoke("PDF_METADATA", args, Cache_Control="no-cache").data["size"] == len(content)


def test_a_download_of_a_damaged_document_never_looks_complete(mesh: Deployment) -> None:
    content = pdf_bytes(2_000_000)
    reference = mesh.adapter.reference(content)
    kept(mesh, reference["sha256"]).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(httpx.RemoteProtocolError):
        mesh.adapter.http.get(f"/documents/{reference['sha256']}")
    assert mesh.told_faults("dispatch") == ["stored_document_damaged"]
    eventually(lambda: "An answer was cut short" in mesh.log("adapter"), what="the adapter's line")
    mesh.told_faults("adapter")  # uvicorn logs an error for an answer that stays short
    assert mesh.adapter.upload(content).ok
    assert mesh.adapter.http.get(f"/documents/{reference['sha256']}").content == content


@pytest.fixture
def without_store(mesh: Deployment) -> Iterator[Path]:
    """The blob store is gone for as long as the test lasts."""
    blobs = mesh.stack.folders.blobs
    elsewhere = blobs.rename(blobs.with_name("elsewhere"))
    yield elsewhere
    elsewhere.rename(blobs)


def test_a_store_that_is_gone_is_nobodys_missing_document(
    mesh: Deployment, content: bytes, request: pytest.FixtureRequest
) -> None:
    reference = mesh.adapter.reference(content)
    request.getfixturevalue("without_store")
    download = mesh.adapter.request("GET", f"/documents/{reference['sha256']}")
    download.must_be("UNAVAILABLE", reason="store_gone")
    mesh.adapter.upload(content).must_be("UNAVAILABLE", reason="store_gone")
    refused = mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}, Cache_Control="no-cache")
    refused.must_be("UNAVAILABLE", reason="store_gone")
    assert mesh.told_faults("dispatch") == ["store_gone", "store_gone"]
    assert mesh.told_faults("pdf") == ["store_gone"], "it is tried once: no other host has another store"
