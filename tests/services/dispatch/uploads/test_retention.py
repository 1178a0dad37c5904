"""What becomes of uploads that nobody uses, with a real Redis and a real store."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.base.blobs import BlobStore, Namespace
from services.base.redis.link import RedisLink
from services.dispatch.admission.clients import Client
from services.dispatch.admission.state import State
from services.dispatch.admission.verification import Caller
from services.dispatch.uploads.deletion import deletion_key
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.redis_server import RedisServer

KEEP_S = 30 * 86_400
HOUR_S = 3600


def caller(actor: str = "kim") -> Caller:
    key = {"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}
    entry = Client.model_validate({"id": "reports", "keys": [key], "certificate": REPORTS_ID})
    return Caller(entry, actor, os.urandom(12).hex(), int(time.time()))


class Shelf:
    """An empty Redis and store, and uploads in them."""

    def __init__(self, link: RedisLink, folder: Path) -> None:
        self.link = link
        self.folder = folder
        self.blobs = BlobStore(f"file://{folder}/blobs")
        self.ownership = Ownership(link, self.blobs, Quota(10**9, 1000))
        self.retention = Retention(link, self.blobs, KEEP_S)

    async def put(self, content: bytes, *actors: str) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        file = self.folder / "file"
        file.write_bytes(content)
        await self.blobs.put(Namespace.UPLOADS, sha256, file)
        for actor in actors:
            await self.ownership.store(caller(actor), sha256, len(content), file)
        return sha256

    async def used(self, sha256: str, ago_s: int) -> None:
        await self.link.call("ZADD", "used", int(time.time()) - ago_s, sha256)

    def stored(self, sha256: str, ago_s: int, namespace: Namespace = Namespace.UPLOADS) -> None:
        moment = time.time() - ago_s
        os.utime(self.folder / "blobs" / namespace / sha256[:2] / sha256, (moment, moment))

    async def there(self, namespace: Namespace = Namespace.UPLOADS) -> set[str]:
        return {blob.sha256 async for blob in self.blobs.list(namespace)}


@pytest.fixture
def shelf(link: RedisLink, tmp_path: Path) -> Shelf:
    return Shelf(link, tmp_path)


async def test_what_nobody_used_for_long_goes_from_all_its_owners(shelf: Shelf, state: State) -> None:
    old, new = await shelf.put(b"old", "kim", "lee"), await shelf.put(b"new!", "kim")
    await shelf.used(old, KEEP_S + 60)
    await shelf.used(new, KEEP_S - 60)
    await shelf.retention.sweep()
    assert await shelf.there() == {new}
    assert await state.admit(caller("kim"), [], [old, new]) == [False, True]
    assert await shelf.link.call("GET", "documents:reports") == b"1"


async def test_a_use_keeps_an_upload(shelf: Shelf, state: State) -> None:
    sha256 = await shelf.put(b"old", "kim")
    await shelf.used(sha256, KEEP_S + 60)
    shelf.stored(sha256, 2 * KEEP_S)
    await state.admit(caller("kim"), [], [sha256])
    await shelf.retention.sweep()
    assert await shelf.there() == {sha256}


async def test_many_go_in_one_sweep(shelf: Shelf) -> None:
    digests = [await shelf.put(bytes([number, 1]), "kim") for number in range(250)]
    for sha256 in digests[:240]:
        await shelf.used(sha256, KEEP_S + 60)
    await shelf.retention.sweep()
    assert await shelf.there() == set(digests[240:])
    assert await shelf.link.call("GET", "documents:reports") == b"10"


async def test_bytes_whose_owners_were_lost_with_redis_go_when_they_are_old(shelf: Shelf) -> None:
    old, new = await shelf.put(b"old", "kim"), await shelf.put(b"new", "kim")
    shelf.stored(old, KEEP_S + 60)
    shelf.stored(new, KEEP_S - 60)
    await shelf.link.call("FLUSHALL")
    await shelf.retention.sweep()
    assert await shelf.there() == {new}


async def test_bytes_that_were_put_and_never_owned_go_when_they_are_old(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"nobody's")
    await shelf.retention.sweep()
    assert await shelf.there() == {sha256}
    shelf.stored(sha256, KEEP_S + 60)
    await shelf.retention.sweep()
    assert await shelf.there() == set()


async def test_a_deletion_that_was_cut_off_is_made_again(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"to go")
    await shelf.link.call("ZADD", "erasing", int(time.time()), sha256)
    await shelf.link.call("SET", deletion_key(sha256), "now:killed")
    await shelf.retention.sweep()
    assert await shelf.there() == {sha256}, "its mark stands: another replica may be at it"
    await shelf.link.call("DEL", deletion_key(sha256))  # as its time runs out
    await shelf.retention.sweep()
    assert await shelf.there() == set()
    assert await shelf.link.call("EXISTS", "erasing") == 0


async def test_a_cut_off_deletion_of_what_was_uploaded_again_is_dropped(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"here again")
    await shelf.link.call("ZADD", "erasing", int(time.time()), sha256)
    await shelf.put(b"here again", "kim")
    await shelf.retention.sweep()
    assert await shelf.there() == {sha256}
    assert await shelf.link.call("EXISTS", "erasing") == 0


async def test_stored_results_go_with_their_records(shelf: Shelf) -> None:
    file = shelf.folder / "result"
    file.write_bytes(b"result")
    old, new = "ab" * 32, "cd" * 32
    for sha256, ago_s in ((old, 26 * HOUR_S), (new, 24 * HOUR_S)):
        await shelf.blobs.put(Namespace.RESULTS, sha256, file)
        shelf.stored(sha256, ago_s, Namespace.RESULTS)
    await shelf.retention.sweep()
    assert await shelf.there(Namespace.RESULTS) == {new}


async def test_documents_from_gitlab_stay(shelf: Shelf) -> None:
    file = shelf.folder / "gitlab"
    file.write_bytes(b"gitlab")
    await shelf.blobs.put(Namespace.GITLAB, "ab" * 32, file)
    shelf.stored("ab" * 32, 2 * KEEP_S, Namespace.GITLAB)
    await shelf.retention.sweep()
    assert await shelf.there(Namespace.GITLAB) == {"ab" * 32}


@pytest.fixture
async def run(shelf: Shelf) -> AsyncIterator[Callable[[], None]]:
    """Starts the sweeping of a replica."""
    tasks: list[asyncio.Task[None]] = []
    yield lambda: tasks.append(asyncio.create_task(shelf.retention.run()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until_swept(shelf: Shelf, sha256: str) -> None:
    async with asyncio.timeout(10):
        while sha256 in await shelf.there():  # noqa: ASYNC110 - a file that goes sets no event
            await asyncio.sleep(0)


async def test_one_replica_sweeps_an_hour(shelf: Shelf, run: Callable[[], None], redis_server: RedisServer) -> None:
    first = await shelf.put(b"first", "kim")
    await shelf.used(first, KEEP_S + 60)
    run()
    await until_swept(shelf, first)
    with redis_server.admin() as admin:
        assert HOUR_S - 60 < admin.ttl("retention:sweep") <= HOUR_S
        second = await shelf.put(b"second", "kim")
        await shelf.used(second, KEEP_S + 60)
        before = admin.info("commandstats")["cmdstat_set"]["calls"]
        run()
        async with asyncio.timeout(10):
            while admin.info("commandstats")["cmdstat_set"]["calls"] == before:  # noqa: ASYNC110 - Redis tells no event
                await asyncio.sleep(0)
    assert await shelf.there() == {second}


async def test_sweeping_goes_on_after_redis_was_away(
    shelf: Shelf, run: Callable[[], None], redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dispatch.uploads.retention._LOOK_S", 0.02)
    redis_server.stop()
    run()
    await asyncio.sleep(0)
    redis_server.start()
    sha256 = await shelf.put(b"old")
    shelf.stored(sha256, KEEP_S + 60)
    await shelf.link.call("DEL", "retention:sweep")
    await until_swept(shelf, sha256)


async def test_sweeping_goes_on_after_a_bug(
    shelf: Shelf,
    run: Callable[[], None],
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("services.dispatch.uploads.retention._LOOK_S", 0.02)
    sha256 = await shelf.put(b"old", "kim")
    await shelf.used(sha256, KEEP_S + 60)
    with redis_server.admin() as admin:
        admin.zadd("used", {b"\xff no digest": 0})
        run()
        async with asyncio.timeout(10):
            while "A bug in retention" not in caplog.text:  # noqa: ASYNC110 - a log line sets no event
                await asyncio.sleep(0)
        admin.zrem("used", b"\xff no digest")
        admin.delete("retention:sweep")
    await until_swept(shelf, sha256)
