"""Documents in a real store, and what replicas keep of them."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.base.stored_blob import Key
from services.pdf.readings.readings import Readings

MIB = 1024 * 1024

MakeReadings = Callable[..., Readings]


@pytest.fixture
def blobs(store: BlobStore) -> BlobStore:
    """Where the documents are."""
    return store


@pytest.fixture
def replica(blobs: BlobStore, tmp_path: Path) -> MakeReadings:
    """Makes a replica's readings, in a folder of the replica's name."""

    def make(name: str = "one", *, engine: str = "pdf-1", limit_bytes: int = 64 * MIB) -> Readings:
        return Readings(tmp_path / name, blobs, engine, limit_bytes)

    return make


async def stored(blobs: BlobStore, folder: Path, namespace: Namespace = Namespace.UPLOADS) -> Key:
    """A document that is in the store; what it says is nobody's concern here."""
    content, sha256 = folder / "content", secrets.token_hex(32)
    content.write_bytes(b"%PDF-")
    await blobs.put(namespace, sha256, content)
    return Key(namespace, sha256)
