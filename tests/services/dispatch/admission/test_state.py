"""What dispatch keeps in Redis, with a real one."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from services.base.actions import Rate
from services.base.errors import ACTOR_RATE, CLIENT_RATE, Code, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.admission import epoch
from services.dispatch.admission.clients import Client
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import NONCE_KEPT_S, Bucket, State, holders_key, owner
from services.dispatch.admission.verification import Caller
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.redis_server import RedisServer

SHA, OTHER_SHA = "ab" * 32, "cd" * 32
SLOW = Rate(1, 2)  # one a minute, two at once

_numbers = itertools.count()


def caller(
    client: str = "reports", actor: str = "김철수", nonce: str | None = None, signed_at: float | None = None
) -> Caller:
    entry = Client.model_validate(
        {"id": client, "keys": [{"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}], "certificate": REPORTS_ID}
    )
    return Caller(entry, actor, nonce or f"nonce-{next(_numbers):016}", int(signed_at or time.time()))


async def refusal(state: State, who: Caller, buckets: Sequence[Bucket] = ()) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        await state.admit(who, buckets)
    return caught.value


async def admitted(state: State, buckets: Sequence[Bucket]) -> bool:
    try:
        await state.admit(caller(), buckets)
    except PapermeshError:
        return False
    return True


async def hold(link: RedisLink, who: Caller, sha256: str) -> None:
    await link.call("HSET", holders_key(sha256), owner(who), 1)


@pytest.fixture
async def other(redis_server: RedisServer) -> AsyncIterator[State]:
    """What another replica has."""
    link = RedisLink(redis_server.url)
    yield State(link, ReplayLog(), 1)
    await link.close()


class TestNonces:
    async def test_are_good_for_one_call(self, state: State) -> None:
        who = caller()
        assert await state.admit(who, []) == []
        assert (await refusal(state, who)).code is Code.UNAUTHENTICATED

    async def test_are_kept_for_more_than_twice_the_clock_skew(self, state: State, redis_server: RedisServer) -> None:
        who = caller()
        await state.admit(who, [])
        with redis_server.admin() as admin:
            kept = admin.ttl(f"nonce:reports:{who.nonce}")
        assert NONCE_KEPT_S == 660
        assert NONCE_KEPT_S - 10 < kept <= NONCE_KEPT_S

    async def test_are_each_clients_own(self, state: State) -> None:
        await state.admit(caller("one", nonce="n" * 16), [])
        await state.admit(caller("two", nonce="n" * 16), [])

    async def test_are_used_up_by_a_call_that_is_limited(self, state: State) -> None:
        buckets = [Bucket("b", SLOW)]
        for _ in range(2):
            await state.admit(caller(), buckets)
        who = caller()
        assert (await refusal(state, who, buckets)).code is Code.RATE_LIMIT
        assert (await refusal(state, who, buckets)).code is Code.UNAUTHENTICATED

    async def test_are_remembered_when_redis_forgets_the_script(self, state: State, redis_server: RedisServer) -> None:
        who = caller()
        await state.admit(who, [])
        with redis_server.admin() as admin:
            admin.script_flush()
        assert (await refusal(state, who)).code is Code.UNAUTHENTICATED
        await state.admit(caller(), [])

    async def test_are_known_to_every_replica(self, state: State, other: State) -> None:
        who = caller()
        await state.admit(who, [])
        assert (await refusal(other, who)).code is Code.UNAUTHENTICATED

    async def test_of_two_calls_at_once_let_exactly_one_in(self, state: State, other: State) -> None:
        for _ in range(20):
            who = caller()
            answers = await asyncio.gather(state.admit(who, []), other.admit(who, []), return_exceptions=True)
            assert sorted(type(answer) for answer in answers if isinstance(answer, Exception)) == [PapermeshError]


class TestBuckets:
    async def test_empty_after_their_burst_and_tell_when_to_come_back(self, state: State) -> None:
        buckets = [Bucket("b", Rate(60, 3))]
        for _ in range(3):
            await state.admit(caller(), buckets)
        error = await refusal(state, caller(), buckets)
        assert error.code is Code.RATE_LIMIT
        assert error.retry_after_ms is not None
        assert 0 < error.retry_after_ms <= 1000
        assert str(error.retry_after_ms) in error.message

    async def test_let_a_call_in_no_earlier_than_they_told(self, state: State) -> None:
        buckets = [Bucket("b", Rate(300, 1))]
        await state.admit(caller(), buckets)
        started = time.monotonic()
        told = (await refusal(state, caller(), buckets)).retry_after_ms
        assert told is not None
        async with asyncio.timeout(10):
            while not await admitted(state, buckets):
                pass
        assert (time.monotonic() - started) * 1000 >= told - 5

    async def test_of_a_slow_rate_tell_a_long_wait(self, state: State) -> None:
        buckets = [Bucket("b", SLOW)]
        for _ in range(2):
            await state.admit(caller(), buckets)
        waits = [(await refusal(state, caller(), buckets)).retry_after_ms or 0 for _ in range(3)]
        assert all(50_000 < wait <= 60_000 for wait in waits)
        assert waits == sorted(waits, reverse=True)  # being refused costs nothing

    async def test_are_apart_from_each_other(self, state: State) -> None:
        for name in ("one", "two"):
            for _ in range(2):
                await state.admit(caller(), [Bucket(name, SLOW)])

    async def test_are_both_checked_before_either_is_taken(self, state: State) -> None:
        wide, narrow = Bucket("wide", Rate(1, 3)), Bucket("narrow", Rate(1, 1))
        await state.admit(caller(), [wide, narrow])
        for buckets in ([wide, narrow], [narrow, wide]):
            assert (await refusal(state, caller(), buckets)).code is Code.RATE_LIMIT
        for _ in range(2):  # the refused calls took nothing from the wide one
            await state.admit(caller(), [wide])
        assert (await refusal(state, caller(), [wide])).code is Code.RATE_LIMIT

    async def test_tell_the_longer_of_two_waits(self, state: State) -> None:
        quick, slow = Bucket("quick", Rate(600, 1)), Bucket("slow", Rate(1, 1))
        await state.admit(caller(), [quick, slow])
        assert ((await refusal(state, caller(), [slow, quick])).retry_after_ms or 0) > 50_000

    @pytest.mark.parametrize(("client", "actor", "reason"), [(1, 9, CLIENT_RATE), (9, 1, ACTOR_RATE)])
    async def test_tell_whose_it_is_that_is_empty(self, state: State, client: int, actor: int, reason: str) -> None:
        buckets = [Bucket("client", Rate(1, client), CLIENT_RATE), Bucket("actor", Rate(1, actor))]
        await state.admit(caller(), buckets)
        assert (await refusal(state, caller(), buckets)).details == {"reason": reason}

    @pytest.mark.parametrize(("scale", "calls"), [(1, 2), (2.5, 5), (10, 20), (0.5, 1)])
    async def test_grow_with_the_deployments_scale(self, link: RedisLink, scale: float, calls: int) -> None:
        state = State(link, ReplayLog(), scale)
        for _ in range(calls):
            await state.admit(caller(), [Bucket("b", SLOW)])
        error = await refusal(state, caller(), [Bucket("b", SLOW)])
        assert 0 < (error.retry_after_ms or 0) <= 60_000 / scale

    async def test_of_the_largest_rate_and_scale_work(self, link: RedisLink) -> None:
        state = State(link, ReplayLog(), 1_000_000)
        for _ in range(50):
            await state.admit(caller(), [Bucket("b", Rate(1_000_000, 1_000_000)), Bucket("c", Rate(1_000_000, 1))])

    async def test_leave_no_key_behind(self, state: State, redis_server: RedisServer) -> None:
        await state.admit(caller(), [Bucket("b", Rate(60, 3))])
        with redis_server.admin() as admin:
            assert all(admin.pttl(key) > 0 for key in admin.keys("*") if key.decode() != epoch.KEY)


class TestHolders:
    async def test_may_read_what_they_uploaded(self, state: State, link: RedisLink) -> None:
        await hold(link, caller(), SHA)
        assert await state.admit(caller(), [], [SHA, OTHER_SHA, SHA]) == [True, False, True]

    async def test_are_a_client_together_with_an_actor(self, state: State, link: RedisLink) -> None:
        await hold(link, caller("reports", "kim"), SHA)
        for other in (caller("reports", "lee"), caller("adapter", "kim"), caller("reports", "reports")):
            assert await state.admit(other, [], [SHA]) == [False]

    async def test_may_be_several(self, state: State, link: RedisLink) -> None:
        for actor in ("kim", "lee"):
            await hold(link, caller(actor=actor), SHA)
        for actor in ("kim", "lee"):
            assert await state.admit(caller(actor=actor), [], [SHA]) == [True]

    @pytest.mark.parametrize(
        ("one", "other"), [(("a", "b:c"), ("a.b", "c")), (("a", "b"), ("ab", "")), (("a", "-b"), ("a-", "b"))]
    )
    async def test_do_not_collide(
        self, state: State, link: RedisLink, one: tuple[str, str], other: tuple[str, str]
    ) -> None:
        await hold(link, caller(*one), SHA)
        assert await state.admit(caller(*other), [], [SHA]) == [False]

    async def test_are_looked_up_beside_buckets(self, state: State, link: RedisLink) -> None:
        await hold(link, caller(), SHA)
        buckets = [Bucket("b", Rate(60, 3)), Bucket("c", Rate(60, 3))]
        assert await state.admit(caller(), buckets, [OTHER_SHA, SHA]) == [False, True]


class TestUse:
    async def test_by_a_holder_is_noted(self, state: State, link: RedisLink) -> None:
        await hold(link, caller(), SHA)
        await state.admit(caller(), [], [SHA])
        [now, _] = await link.call("TIME")
        assert float(await link.call("ZSCORE", "used", SHA)) == pytest.approx(int(now), abs=5)

    async def test_by_anybody_else_is_not(self, state: State, link: RedisLink) -> None:
        await hold(link, caller(actor="kim"), SHA)
        await state.admit(caller(actor="lee"), [], [SHA])
        assert await link.call("ZSCORE", "used", SHA) is None

    @pytest.mark.parametrize(("ago_s", "is_noted"), [(3500, False), (3700, True)])
    async def test_is_noted_once_an_hour(self, state: State, link: RedisLink, ago_s: int, is_noted: bool) -> None:  # noqa: FBT001 - a parameter of pytest
        await hold(link, caller(), SHA)
        [now, _] = await link.call("TIME")
        await link.call("ZADD", "used", int(now) - ago_s, SHA)
        await state.admit(caller(), [], [SHA])
        assert (float(await link.call("ZSCORE", "used", SHA)) > int(now) - ago_s) == is_noted

    async def test_is_not_noted_by_a_call_that_is_limited(self, state: State, link: RedisLink) -> None:
        await hold(link, caller(), SHA)
        await state.admit(caller(), [Bucket("b", Rate(1, 1))])
        with pytest.raises(PapermeshError):
            await state.admit(caller(), [Bucket("b", Rate(1, 1))], [SHA])
        assert await link.call("ZSCORE", "used", SHA) is None


class TestWithoutRedis:
    async def test_calls_are_refused_and_taken_again_when_it_is_back(
        self, state: State, redis_server: RedisServer
    ) -> None:
        await state.admit(caller(), [])
        assert await state.answers()
        redis_server.stop()
        assert not await state.answers()
        error = await refusal(state, caller())
        assert (error.code, error.retry_after_ms) == (Code.UNAVAILABLE, 1000)
        assert str(redis_server.folder) not in error.message
        redis_server.start()
        assert await state.answers()
        # Signed by a clock that runs ahead, since this Redis has lost everything (test_epoch.py).
        assert await state.admit(caller(signed_at=time.time() + 250), [Bucket("b", SLOW)], [SHA]) == [False]

    async def test_that_refuses_to_write_calls_are_refused(self, state: State, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            admin.config_set("maxmemory", "1")
            try:
                assert (await refusal(state, caller())).code is Code.UNAVAILABLE
            finally:
                admin.config_set("maxmemory", "0")

    async def test_that_hangs_calls_are_refused_within_seconds(self, state: State, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            admin.client_pause(30_000)
            try:
                async with asyncio.timeout(10):
                    assert (await refusal(state, caller())).code is Code.UNAVAILABLE
            finally:
                redis_server.stop()
