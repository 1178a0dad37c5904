"""A Redis that lost everything, under replicas of dispatch that go on."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.admission import epoch
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import State
from services.dispatch.admission.verification import Caller
from tests.support.redis_server import RedisServer

AHEAD_S = 2
"""How far callers' clocks may run ahead; see epoch.lua."""

LOST = "state_lost"


@pytest.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[State]]:
    async with AsyncExitStack() as ending:
        made = []
        for _ in range(2):
            memory = ReplayLog()
            link = RedisLink(redis_server.url, on_connect=memory.replay)
            ending.push_async_callback(link.close)
            made.append(State(link, memory, 1))
            assert await made[-1].answers()
        yield made


@pytest.fixture
def call(known_clients: dict[str, Client]) -> Caller:
    """A call that was signed now."""
    return Caller(known_clients["reports"], "김철수", f"nonce-{time.monotonic_ns():032}", int(time.time()))


async def outcome(state: State, caller: Caller) -> str:
    """How a call ends: "admitted", the reason for which it is refused, or else the code."""
    try:
        await state.admit(caller, [])
    except PapermeshError as error:
        return error.details.get("reason") or error.code
    return "admitted"


async def admitted_once_signed_anew(state: State, caller: Caller) -> Caller:
    """Signs a call again and again, each time after the wait that its refusal tells, until it is admitted."""
    async with asyncio.timeout(30):
        for number in range(100):
            caller = replace(caller, nonce=f"again-{number:016}", signed_at=int(time.time()))
            try:
                await state.admit(caller, [])
            except PapermeshError as error:
                assert error.details["reason"] == LOST  # noqa: PT017 - it need not be raised
                assert 0 < (error.retry_after_ms or 0) <= (AHEAD_S + 1) * 1000  # noqa: PT017 - as above
                await asyncio.sleep((error.retry_after_ms or 0) / 1000)
            else:
                return caller
    raise AssertionError("no call is admitted")


def lose_everything(server: RedisServer) -> None:
    with server.admin() as admin:
        admin.flushall()


class TestAfterFlushall:
    async def test_a_call_that_was_made_before_is_refused_by_each_replica_and_a_new_one_is_admitted(
        self, redis_server: RedisServer, replicas: list[State], call: Caller
    ) -> None:
        assert await outcome(replicas[0], call) == "admitted"
        lose_everything(redis_server)
        assert [await outcome(each, call) for each in replicas] == [LOST, Code.UNAUTHENTICATED]
        again = await admitted_once_signed_anew(replicas[0], call)
        assert [await outcome(each, again) for each in replicas] == [Code.UNAUTHENTICATED] * 2
        assert await outcome(replicas[1], replace(call, nonce="n" * 16)) == LOST

    async def test_so_is_one_whose_signers_clock_ran_ahead_a_little(
        self, redis_server: RedisServer, replicas: list[State], call: Caller
    ) -> None:
        ahead = replace(call, signed_at=int(time.time()) + AHEAD_S)
        assert await outcome(replicas[0], ahead) == "admitted"
        lose_everything(redis_server)
        assert await outcome(replicas[1], ahead) == LOST

    async def test_each_replica_tells_the_operator_once(
        self, redis_server: RedisServer, replicas: list[State], call: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        lose_everything(redis_server)
        for number in range(3):
            for each in replicas:
                assert await outcome(each, replace(call, nonce=f"nonce-{number}-{id(each)}")) == LOST
        told = [each for each in caplog.records if each.levelno >= logging.ERROR]
        assert len(told) == len(replicas)
        assert {each.name for each in told} == {"services.dispatch.admission.epoch"}
        assert LOST in told[0].message


async def test_a_redis_that_comes_back_empty_admits_no_call_that_was_made_before(
    redis_server: RedisServer, replicas: list[State], call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    calls = [replace(call, nonce=f"nonce-{number:016}") for number in range(20)]
    assert {await outcome(replicas[0], each) for each in calls} == {"admitted"}
    await asyncio.to_thread(redis_server.kill)  # as a fail-over to a replica that never had anything
    await asyncio.to_thread(redis_server.start)
    while not await replicas[1].answers():  # noqa: ASYNC110 - nobody tells, it must be asked
        await asyncio.sleep(0)
    assert {await outcome(replicas[1], each) for each in calls} == {LOST}
    assert any(each.levelno >= logging.ERROR and LOST in each.message for each in caplog.records)


async def test_a_redis_that_got_back_an_older_state_admits_no_call_that_was_made_since(
    redis_server: RedisServer, replicas: list[State], call: Caller
) -> None:
    with redis_server.admin() as admin:
        admin.set(epoch.KEY, 1)  # it was lost once
        assert await outcome(replicas[0], call) == "admitted"
        admin.flushall()
        admin.set(epoch.KEY, 0)  # a backup from before that is brought back
    assert await outcome(replicas[0], call) == LOST


class TestAStartWithAnEmptyRedis:
    @pytest.fixture
    async def start(self, redis_server: RedisServer) -> AsyncIterator[Callable[..., Awaitable[State]]]:
        """Starts a dispatch that knows no epoch."""
        async with AsyncExitStack() as ending:

            async def start(*, is_first_start: bool) -> State:
                memory = ReplayLog(is_first_start=is_first_start)
                link = RedisLink(redis_server.url, on_connect=memory.replay)
                ending.push_async_callback(link.close)
                state = State(link, memory, 1)
                assert await state.answers()
                return state

            lose_everything(redis_server)
            yield start

    async def test_refuses_nobody_and_tells_of_no_loss_when_it_is_the_first(
        self, start: Callable[..., Awaitable[State]], call: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = await start(is_first_start=True), await start(is_first_start=False)
        late = replace(call, signed_at=call.signed_at - 290)
        assert await outcome(first, late) == "admitted"
        assert await outcome(second, replace(late, nonce="n" * 16)) == "admitted"
        assert not [each for each in caplog.records if each.levelno >= logging.WARNING]

    async def test_that_is_the_first_is_so_once(
        self, start: Callable[..., Awaitable[State]], redis_server: RedisServer, call: Caller
    ) -> None:
        first = await start(is_first_start=True)
        assert await outcome(first, call) == "admitted"
        await asyncio.to_thread(redis_server.kill)
        await asyncio.to_thread(redis_server.start)
        while not await first.answers():  # noqa: ASYNC110 - nobody tells, it must be asked
            await asyncio.sleep(0)
        assert await outcome(first, replace(call, nonce="n" * 16)) == LOST

    async def test_refuses_what_was_signed_before_and_tells_of_a_loss_when_calls_were_made_before(
        self, start: Callable[..., Awaitable[State]], call: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert await outcome(await start(is_first_start=False), call) == LOST
        assert [LOST in each.message for each in caplog.records if each.levelno >= logging.ERROR] == [True]

    async def test_refuses_nobody_when_only_an_earlier_version_has_met_that_redis(
        self, start: Callable[..., Awaitable[State]], redis_server: RedisServer, call: Caller
    ) -> None:
        with redis_server.admin() as admin:
            admin.hset("fence", mapping={"run": "an earlier one", "until": 0})
        assert await outcome(await start(is_first_start=False), call) == "admitted"


async def test_an_epoch_that_a_wrong_clock_made_keeps_nobody_out_for_long(
    redis_server: RedisServer, replicas: list[State], call: Caller
) -> None:
    with redis_server.admin() as admin:
        admin.set(epoch.KEY, int(time.time()) + 3600)
        assert await outcome(replicas[0], call) == LOST
        assert int(admin.get(epoch.KEY)) <= time.time() + AHEAD_S


async def test_a_restart_that_loses_nothing_keeps_the_epoch_and_refuses_nobody(
    redis_server: RedisServer, call: Caller
) -> None:
    lasting = RedisServer(redis_server.folder, options=("--appendonly", "yes", "--appendfsync", "always"))
    await asyncio.to_thread(redis_server.stop)
    memory = ReplayLog(is_first_start=True)
    link = RedisLink(lasting.url, on_connect=memory.replay)
    state = State(link, memory, 1)
    await asyncio.to_thread(lasting.start)
    try:
        assert await state.answers()
        before = memory.epoch.known
        signed = replace(call, signed_at=int(time.time()))
        await asyncio.to_thread(lasting.kill)
        await asyncio.to_thread(lasting.start)
        while not await state.answers():  # noqa: ASYNC110 - nobody tells, it must be asked
            await asyncio.sleep(0)
        assert await outcome(state, signed) == "admitted"
        assert memory.epoch.known == before
    finally:
        await link.close()
        await asyncio.to_thread(lasting.stop)
