"""The state role when it is full, with a real Redis that is filled until it takes nothing more."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from services.base.actions import Rate
from services.base.audit_chain import AuditKey
from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisAway, RedisLink
from services.dispatch import memory_pressure
from services.dispatch.admission import state
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import Bucket, State
from services.dispatch.admission.verification import Caller
from services.dispatch.answers.idempotency import Idempotency, KeyedCall
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.audit.audit import Audit, Heads
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.measures_time

ROOM_BYTES = 4_000_000
MINUTE = Rate(60, 30)
MAX_AGE_S = 3600.0
MANY = 1000


@pytest.fixture
def admin(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """Asks Redis what it holds, and gives it all the memory back in the end."""
    with redis_server.admin() as admin:
        yield admin
        admin.config_set("maxmemory", 0)


@pytest.fixture
def fill(admin: redis.Redis) -> Callable[[], None]:
    """Limits Redis's memory and fills it, with large values and then with small ones, until it refuses each."""

    def fill() -> None:
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + ROOM_BYTES)
        for size in (100_000, 1000, 1):
            with suppress(redis.exceptions.OutOfMemoryError):
                while True:
                    admin.set(f"junk:{secrets.token_hex(8)}", bytes(size))
        # A little less, since what its own connections take comes and goes.
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] - ROOM_BYTES // 50)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            admin.set("one", "more")

    return fill


class Person:
    """A client and actor, its documents, and what dispatch does for it."""

    def __init__(self, link: RedisLink, folder: Path, client: Client) -> None:
        self.state = State(link, ReplayLog(), 1)
        self.blobs = BlobStore(f"file://{folder}/blobs")
        self.ownership = Ownership(link, self.blobs, Quota(10**9, 1000))
        self.idempotency = Idempotency(link, ReplayLog(), StoredAnswers(self.blobs, folder))
        self._client = client
        self._folder = folder

    @property
    def caller(self) -> Caller:
        return Caller(self._client, "김철수", secrets.token_hex(12), int(time.time()))

    async def upload(self, sha256: str) -> None:
        path = self._folder / "document"
        path.write_bytes(b"%PDF-")
        await self.ownership.check_room(self.caller, sha256, 5)
        await self.ownership.store(self.caller, sha256, 5, path)

    async def call(self, *digests: str, frees: bool = False) -> list[bool]:
        return await self.state.admit(self.caller, [Bucket("b", MINUTE)], digests, frees=frees)

    async def once(self, key: str) -> str:
        asked = KeyedCall("reports", "reports\x1fkim", "GUIDE", key, b"{}", repeatable=False)
        return await self.idempotency.once(asked, self.answer)

    async def answer(self) -> str:
        return "{}"


@pytest.fixture
def person(link: RedisLink, tmp_path: Path, known_clients: dict[str, Client]) -> Person:
    return Person(link, tmp_path, known_clients["reports"])


async def reason(attempt: Awaitable[object]) -> tuple[Code, str]:
    with pytest.raises(PapermeshError) as caught:
        await attempt
    return caught.value.code, caught.value.details["reason"]


FULL = (Code.UNAVAILABLE, "state_full")
ONE, TWO = "a" * 64, "b" * 64


async def test_a_full_redis_takes_calls_and_no_uploads(
    person: Person, fill: Callable[[], None], admin: redis.Redis
) -> None:
    await person.upload(ONE)
    fill()
    assert await person.call(ONE) == [True]
    assert await reason(person.upload(TWO)) == FULL
    assert await person.call(TWO) == [False]
    await person.upload(ONE)  # what is held needs no room
    assert await person.call(ONE, frees=True) == [True]
    await person.ownership.release(person.caller, ONE)
    assert not admin.exists(f"holders:{ONE}", "held:reports", "documents:reports", "used", "erasing")


async def test_documents_that_filled_it_can_be_deleted_by_their_owner_and_then_others_come_in(
    person: Person, admin: redis.Redis
) -> None:
    await person.upload(ONE)  # Redis keeps the scripts that it has run, which take room too
    assert await person.state.admit(person.caller, [], [ONE], frees=True) == [True]
    await person.ownership.release(person.caller, ONE)
    limit = int((admin.info("memory")["used_memory"] + 200_000) / memory_pressure.SOFT_LIMIT)
    admin.config_set("maxmemory", limit)
    stored: list[str] = []
    while len(stored) < MANY:
        try:
            await person.upload(f"{len(stored):064x}")
        except PapermeshError as error:
            assert error.details["reason"] == "state_full"  # noqa: PT017 - how many fit is Redis's own
            break
        stored.append(f"{len(stored):064x}")
    assert 10 < len(stored) < MANY

    admin.config_set("maxmemory", 1)  # as full as can be
    for sha256 in stored:
        assert await person.state.admit(person.caller, [], [sha256], frees=True) == [True]
        await person.ownership.release(person.caller, sha256)
    assert not admin.keys("holders:*")
    assert not admin.exists("used", "erasing")

    admin.delete(*admin.keys("nonce:*"), *admin.keys("deletion:*"))  # as minutes would
    admin.config_set("maxmemory", limit)

    async with asyncio.timeout(30):  # Redis shrinks its tables a little later
        while admin.info("memory")["used_memory"] > limit * memory_pressure.SOFT_LIMIT - 10_000:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await person.upload(ONE)


async def test_what_stays_for_long_is_refused_while_there_is_room_for_calls(person: Person, admin: redis.Redis) -> None:
    used = admin.info("memory")["used_memory"]
    admin.config_set("maxmemory", int(used / (memory_pressure.SOFT_LIMIT + 0.05)))
    assert await reason(person.upload(ONE)) == FULL
    assert await reason(person.once("k")) == FULL
    await person.call()
    admin.config_set("maxmemory", int(used / (memory_pressure.SOFT_LIMIT - 0.1)))
    await person.upload(ONE)
    assert await person.once("k") == "{}"


async def test_a_call_that_only_takes_memory_is_refused_beyond_the_overdraft(
    person: Person, admin: redis.Redis
) -> None:
    used = admin.info("memory")["used_memory"]
    admin.config_set("maxmemory", int(used / (memory_pressure.HARD_LIMIT - 0.1)))
    await person.call()
    admin.config_set("maxmemory", int(used / (memory_pressure.HARD_LIMIT + 0.1)))
    assert await reason(person.call()) == FULL
    await person.call(frees=True)


async def test_a_call_that_was_begun_with_a_key_ends_with_its_answer_kept(
    person: Person, fill: Callable[[], None]
) -> None:
    async def answer() -> str:
        fill()
        return '{"done": true}'

    person.answer = answer  # type: ignore[method-assign]
    assert await person.once("k") == '{"done": true}'
    assert await person.once("k") == '{"done": true}'


async def test_it_can_be_met_anew_and_is_told_what_it_may_have_lost(
    person: Person, link: RedisLink, redis_server: RedisServer, fill: Callable[[], None], admin: redis.Redis
) -> None:
    memory, asked = ReplayLog(), person.caller
    await State(link, memory, 1).admit(asked, [])
    admin.delete(*admin.keys("nonce:*"))
    fill()
    anew = RedisLink(redis_server.url, on_connect=memory.replay)
    with pytest.raises(PapermeshError) as caught:
        await State(anew, memory, 1).admit(asked, [])
    assert caught.value.code is Code.UNAUTHENTICATED
    assert admin.hget("fence", "run")
    await anew.close()


async def test_an_audit_log_can_be_begun(link: RedisLink, tmp_path: Path, fill: Callable[[], None]) -> None:
    fill()
    audit = Audit(tmp_path, "dispatch", AuditKey("k1", b"c" * 32, b"a" * 32), Heads(link, keep_days=1))
    await audit.start()
    assert audit.healthy
    await audit.stop()


async def test_what_nobody_used_for_long_goes(
    person: Person, link: RedisLink, fill: Callable[[], None], admin: redis.Redis
) -> None:
    await person.upload(ONE)
    admin.zadd("used", {ONE: time.time() - 2 * MAX_AGE_S})
    fill()
    retention = Retention(link, person.blobs, MAX_AGE_S)
    assert await retention.is_our_turn()
    await retention.sweep()
    assert not admin.exists(f"holders:{ONE}")


async def test_the_operator_is_told_once_and_told_when_it_is_over(
    link: RedisLink, fill: Callable[[], None], admin: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services.dispatch.memory_pressure")
    watch = memory_pressure.MemoryWatch(link)
    await watch.look()
    assert not caplog.records
    fill()
    for _ in range(3):
        await watch.look()
    admin.config_set("maxmemory", 0)
    for _ in range(3):
        await watch.look()
    assert [(each.levelname, "state_full" in each.message) for each in caplog.records] == [
        ("WARNING", True),
        ("INFO", False),
    ]


async def test_a_plain_write_is_refused_by_the_same_redis(link: RedisLink, fill: Callable[[], None]) -> None:
    fill()
    with pytest.raises(RedisAway, match="OOM"):
        await link.call("SET", "nonce", "")
    assert await link.call("EVAL", memory_pressure.SET, 1, "nonce", "", "EX", 60, "NX") == b"OK"
    assert await link.call("EVAL", memory_pressure.SET, 1, "nonce", "", "EX", 60, "NX") is None


def test_the_overdraft_is_what_the_charts_memory_limit_has_room_for() -> None:
    assert state.HARD_LIMIT * 256 * 2 <= 640
