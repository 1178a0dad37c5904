"""What a killed Redis forgot, with one that writes nothing to disk: each restart loses everything."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base import readiness
from services.base.errors import Code, PapermeshError
from services.base.redis.link import Part, RedisLink
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import FENCE_MS, KEEP_S, ReplayLog
from services.dispatch.admission.state import NONCE_KEPT_S, State
from services.dispatch.admission.verification import Caller
from tests.support.redis_server import RedisServer

SOME = 200
MANY = 10_000
CLOCK = "services.dispatch.admission.replay_log.monotonic"


@dataclass
class Replica:
    """What one dispatch has."""

    replay_log: ReplayLog
    link: RedisLink
    state: State


@pytest.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[Replica]]:
    """Two, each of which looks whether Redis is there, as a server does."""

    async def tell(*, serving: bool) -> None:
        assert isinstance(serving, bool)

    async with AsyncExitStack() as ending:
        made = []
        for _ in range(2):
            memory = ReplayLog()
            link = RedisLink(redis_server.url, on_connect=memory.replay)
            ending.push_async_callback(link.close)
            made.append(Replica(memory, link, State(link, memory, 1)))
        watching = [asyncio.create_task(readiness.watch(each.state.answers, tell)) for each in made]
        ending.callback(lambda: [each.cancel() for each in watching])
        yield made


@pytest.fixture
def client(known_clients: dict[str, Client]) -> Client:
    return known_clients["reports"]


@pytest.fixture
def callers(client: Client) -> list[Caller]:
    """Their clocks run so far ahead that the epoch of a Redis that lost everything does not keep them out."""
    return [Caller(client, "김철수", f"nonce-{number:016}", int(time.time()) + 250) for number in range(SOME)]


async def decided(state: State, caller: Caller) -> bool:
    """Whether a call was admitted, after as many tries as it takes to know."""
    while True:
        try:
            await state.admit(caller, [])
        except PapermeshError as error:
            if error.code is Code.UNAUTHENTICATED:
                return False
            assert error.code is Code.UNAVAILABLE  # noqa: PT017 - it need not be raised
            await asyncio.sleep(0)  # Redis is away, and asked again
        else:
            return True


async def admitted(state: State, callers: list[Caller]) -> int:
    return sum(await asyncio.gather(*(decided(state, each) for each in callers)))


async def until_it_answers(state: State) -> None:
    while not await state.answers():  # noqa: ASYNC110 - nobody tells, it must be asked
        await asyncio.sleep(0)


async def restart(server: RedisServer) -> None:
    """Kills Redis and starts it anew, while the replicas go on."""
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


class TestAfterRedisWasKilled:
    async def test_it_would_admit_all_calls_again_if_nobody_told_it(
        self, redis_server: RedisServer, state: State, callers: list[Caller]
    ) -> None:
        assert await admitted(state, callers) == SOME
        await restart(redis_server)
        assert await admitted(state, callers) == SOME

    async def test_no_call_is_admitted_again_by_the_replica_that_admitted_it_or_by_another(
        self, redis_server: RedisServer, replicas: list[Replica], callers: list[Caller]
    ) -> None:
        for number, caller in enumerate(callers):
            assert await decided(replicas[number % 2].state, caller)
        await restart(redis_server)
        again = await asyncio.gather(*(admitted(each.state, callers) for each in replicas))
        assert again == [0, 0]

    async def test_nor_after_it_was_killed_once_more(
        self, redis_server: RedisServer, replicas: list[Replica], callers: list[Caller]
    ) -> None:
        assert await admitted(replicas[0].state, callers) == SOME
        for _ in range(2):
            await restart(redis_server)
            await until_it_answers(replicas[0].state)
            assert await admitted(replicas[1].state, callers) == 0

    async def test_nor_when_it_was_away_for_long(
        self,
        redis_server: RedisServer,
        replicas: list[Replica],
        callers: list[Caller],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert await admitted(replicas[0].state, callers) == SOME
        await asyncio.to_thread(redis_server.kill)
        later = time.monotonic() + 3600
        monkeypatch.setattr(CLOCK, lambda: later)
        await asyncio.to_thread(redis_server.start)
        assert await admitted(replicas[0].state, callers) == 0

    async def test_nor_what_was_admitted_four_seconds_before(
        self,
        redis_server: RedisServer,
        replicas: list[Replica],
        callers: list[Caller],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Redis writes every second, and puts that off for up to two while its disk is busy.
        await replicas[0].state.admit(callers[0], [])
        later = time.monotonic() + 4
        monkeypatch.setattr(CLOCK, lambda: later)
        await replicas[0].state.admit(callers[1], [])
        await restart(redis_server)
        assert await admitted(replicas[0].state, callers[:2]) == 0

    async def test_nonces_are_kept_for_their_whole_time_again(
        self, redis_server: RedisServer, replicas: list[Replica], callers: list[Caller]
    ) -> None:
        await replicas[0].state.admit(callers[0], [])
        await restart(redis_server)
        await until_it_answers(replicas[0].state)
        assert await replicas[0].link.call("TTL", f"nonce:reports:{callers[0].nonce}") > NONCE_KEPT_S - 60

    async def test_new_calls_are_admitted_once_every_replica_had_the_time_to_tell(
        self, redis_server: RedisServer, replicas: list[Replica], callers: list[Caller]
    ) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(redis_server.kill)
        starting = loop.time()
        await asyncio.to_thread(redis_server.start)
        assert await decided(replicas[0].state, callers[0])
        assert loop.time() - starting > FENCE_MS / 1000

    async def test_ten_thousand_calls_are_told(self, redis_server: RedisServer, replicas: list[Replica]) -> None:
        assert await replicas[0].state.answers()
        for number in range(MANY):
            replicas[0].replay_log.record(f"k{number}", "SET", f"k{number}", "", "EX", 60, "NX")
        await restart(redis_server)
        await until_it_answers(replicas[0].state)
        assert await replicas[0].link.call("DBSIZE") == MANY + len(["fence", "epoch"])


class TestTheFence:
    async def test_counts_from_the_first_replica_that_meets_a_run_and_for_each_run_anew(
        self, redis_server: RedisServer, replicas: list[Replica]
    ) -> None:
        async def fence() -> list[bytes]:
            found: list[bytes] = await replicas[0].link.call("HMGET", "fence", "run", "until")
            return found

        await asyncio.gather(*(until_it_answers(each.state) for each in replicas))
        first = await fence()
        late = RedisLink(redis_server.url, on_connect=ReplayLog().replay)
        assert await late.call("PING") == b"PONG"
        await late.close()
        assert await fence() == first
        await restart(redis_server)
        await until_it_answers(replicas[0].state)
        run, until = await fence()
        assert run != first[0]
        assert int(until) > int(first[1])

    async def test_lasts_no_longer_when_the_clock_was_set_back(self, link: RedisLink) -> None:
        await ReplayLog().replay(link.call)
        await link.call("HSET", "fence", "until", 10**15)
        async with asyncio.timeout(10 * FENCE_MS / 1000):
            await ReplayLog().replay(link.call)

    async def test_is_not_passed_while_redis_refuses_what_it_is_told(
        self, redis_server: RedisServer, replicas: list[Replica], callers: list[Caller]
    ) -> None:
        await replicas[0].state.admit(callers[0], [])
        await asyncio.to_thread(redis_server.kill)
        second = RedisServer(redis_server.folder, options=("--replicaof", "127.0.0.1", "1"))
        await asyncio.to_thread(second.start)
        try:
            assert not await replicas[0].state.answers()
            with second.admin() as admin:
                assert admin.dbsize() == 0
                admin.replicaof("no", "one")
            assert not await decided(replicas[0].state, callers[0])
        finally:
            await asyncio.to_thread(second.stop)


class Told:
    """Notes what it is sent, as a Redis that was met before."""

    def __init__(self) -> None:
        self.commands: list[tuple[Part, ...]] = []

    def __call__(self, *parts: Part) -> Awaitable[Any]:
        self.commands.append(parts)
        answer = asyncio.get_running_loop().create_future()
        answer.set_result([0, 0, 0])
        return answer


gaps = st.floats(0, 2 * KEEP_S, allow_nan=False) | st.just(0.0) | st.just(KEEP_S)


@given(st.lists(st.tuples(gaps, st.integers(0, 5)), min_size=1, max_size=30))
async def test_what_is_told_is_the_latest_of_each_key_in_the_last_seconds_in_order(
    notes: list[tuple[float, int]],
) -> None:
    now, kept = 0.0, dict[str, tuple[float, int]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CLOCK, lambda: now)
        memory = ReplayLog()
        for number, (gap, key) in enumerate(notes):
            now += gap
            memory.record(f"k{key}", "SET", f"k{key}", number)
            kept.pop(f"k{key}", None)
            kept[f"k{key}"] = now, number
        told = Told()
        await memory.replay(told)
    expected = [("SET", key, number) for key, (at, number) in kept.items() if at >= now - KEEP_S]
    assert told.commands[:-1] == expected
    assert told.commands[-1][0] == "EVAL"
