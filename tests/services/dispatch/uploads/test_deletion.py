"""A deletion whose store does not answer: with a real Redis, and a server that takes connections and is silent."""

import asyncio
import hashlib
import socket
from collections.abc import Iterator

import pytest

from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.uploads import deletion
from services.dispatch.uploads.deletion import ERASING, Deletion, deletion_key

SHA256 = hashlib.sha256(b"to go").hexdigest()


@pytest.fixture
def silent_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    """A bucket behind a server that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name, value in {
            "AWS_ENDPOINT": f"http://127.0.0.1:{server.getsockname()[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield BlobStore("s3://bucket/prefix")


async def test_a_deletion_that_takes_too_long_is_given_up_and_left_to_the_retention(
    link: RedisLink, silent_store: BlobStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deletion, "_DELETE_S", 0.1)
    async with asyncio.timeout(10):
        assert not await Deletion(link, silent_store).erase(SHA256)
    assert "Could not delete an upload's bytes; trying again later: it took too long" in caplog.text
    assert await link.call("ZRANGE", ERASING, 0, -1) == [SHA256.encode()]
    assert (await link.call("GET", deletion_key(SHA256))).startswith(b"now:")


async def test_who_waits_for_a_deletion_that_takes_long_is_told_to_come_again(
    link: RedisLink, silent_store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "_WAIT_S", 0.05)
    await link.call("SET", deletion_key(SHA256), "now:another replica")
    with pytest.raises(PapermeshError) as caught:
        async with asyncio.timeout(10):
            await Deletion(link, silent_store).last(SHA256)
    assert (caught.value.code, caught.value.retry_after_ms) == (Code.UNAVAILABLE, 1000)


def test_a_deletion_is_given_up_long_before_an_upload_of_the_same_bytes_may_begin() -> None:
    assert deletion._DELETE_S < deletion._MARKED_S / 2
