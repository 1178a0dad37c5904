"""What the tests of several services stand on: the blob store in each of its kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.base.blobs import BlobStore
from tests.support.s3 import bucket


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of the module's own."""
    with bucket() as url:
        yield url


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """A store in a folder, and one in a bucket."""
    url = f"file://{tmp_path}/blobs" if request.param == "directory" else request.getfixturevalue("s3")
    return BlobStore(url)
