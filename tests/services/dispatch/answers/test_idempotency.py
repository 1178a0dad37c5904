"""The same key again: the stored answer, a wait for the first call, or a plain word why not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.blobs import BlobStore
from services.base.errors import NOTHING_DONE, Code, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.answers import idempotency
from services.dispatch.answers.idempotency import (
    CLIENT_BUDGET_BYTES,
    KEPT_S,
    OWNER_BUDGET_BYTES,
    RECORD_BYTES,
    Idempotency,
    KeyedCall,
    check_key,
)
from services.dispatch.answers.stored_answers import MAX_INLINE_BYTES, StoredAnswers
from tests.e2e.support.waiting import eventually
from tests.support.redis_server import RedisServer


def asked(
    *, owner: str = "reports\x1freports", key: str = "k", args: bytes = b"{}", repeatable: bool = False
) -> KeyedCall:
    return KeyedCall(owner.partition("\x1f")[0], owner, "GITLAB_GUIDE", key, args, repeatable)


class Effect:
    """Something that must not happen twice."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.has_begun = asyncio.Event()
        self.failure: BaseException | None = None
        self.json = '{"run_id":"7"}'

    async def happen(self) -> str:
        self.times += 1
        self.has_begun.set()
        await self.may_end.wait()
        if self.failure:
            raise self.failure
        return self.json


@pytest.fixture
def answers(tmp_path: Path) -> StoredAnswers:
    spool = tmp_path / "spool"
    spool.mkdir()
    return StoredAnswers(BlobStore((tmp_path / "blobs").as_uri()), spool)


@pytest.fixture
async def records(redis_server: RedisServer, answers: StoredAnswers) -> AsyncIterator[Idempotency]:
    link = RedisLink(redis_server.url)
    yield Idempotency(link, ReplayLog(), answers)
    await link.close()


@pytest.fixture
def effect() -> Effect:
    return Effect()


async def refused(records: Idempotency, asked_: KeyedCall, effect: Effect) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        await records.once(asked_, effect.happen)
    return caught.value


async def test_the_second_call_gets_the_stored_answer(records: Idempotency, effect: Effect) -> None:
    assert await records.once(asked(), effect.happen) == await records.once(asked(), effect.happen) == effect.json
    assert effect.times == 1


async def test_a_large_answer_is_stored_whole_and_not_in_redis(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    effect.json = '{"text":"' + "".join(chr(0x4E00 + each * each % 20_000) for each in range(100_000)) + '"}'
    for _ in range(2):
        assert await records.once(asked(), effect.happen) == effect.json
    assert effect.times == 1
    with redis_server.admin() as admin:
        (record,) = admin.keys("idempotency:*")
        assert admin.hstrlen(record, "done") < MAX_INLINE_BYTES


async def test_equal_calls_at_once_wait_for_the_first(records: Idempotency, effect: Effect) -> None:
    effect.may_end.clear()
    calls = [asyncio.create_task(records.once(asked(), effect.happen)) for _ in range(20)]
    await effect.has_begun.wait()
    effect.may_end.set()
    assert set(await asyncio.gather(*calls)) == {effect.json}
    assert effect.times == 1


async def test_other_arguments_under_the_same_key_are_a_conflict(records: Idempotency, effect: Effect) -> None:
    await records.once(asked(), effect.happen)
    error = await refused(records, asked(args=b'{"guide":"other"}'), effect)
    assert error.code is Code.CONFLICT
    assert "other arguments" in error.message
    assert effect.times == 1


@pytest.mark.parametrize(
    "other",
    [
        asked(owner="reports\x1fbob"),
        asked(owner="other\x1freports"),
        asked(key="k2"),
        replace(asked(), action="GITLAB_GUIDE_CANCEL"),
    ],
)
async def test_another_actor_client_action_or_key_has_a_record_of_its_own(
    records: Idempotency, effect: Effect, other: KeyedCall
) -> None:
    await records.once(asked(), effect.happen)
    await records.once(other, effect.happen)
    assert effect.times == 2


@pytest.mark.parametrize(
    "failure",
    [
        PapermeshError(Code.BAD_ARG, "No such guide."),
        PapermeshError(Code.RATE_LIMIT, "Later.", retry_after_ms=5),
        PapermeshError(Code.UNAVAILABLE, "No host.", details=NOTHING_DONE),
    ],
    ids=lambda failure: failure.code,
)
async def test_a_refusal_before_anything_happened_leaves_the_key_free(
    records: Idempotency, effect: Effect, failure: PapermeshError
) -> None:
    effect.failure = failure
    assert (await refused(records, asked(), effect)).code is failure.code
    effect.failure = None
    assert await records.once(asked(), effect.happen) == effect.json


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.TIMEOUT, Code.ENGINE_FAIL, Code.INTERNAL])
async def test_a_side_effect_that_may_have_happened_is_never_tried_again(
    records: Idempotency, effect: Effect, code: Code
) -> None:
    effect.failure = PapermeshError(code, "Lost on the way.")
    assert (await refused(records, asked(), effect)).code is code
    effect.failure = None
    error = await refused(records, asked(), effect)
    assert (error.code, error.details["outcome"]) == (Code.CONFLICT, "unknown")
    assert effect.times == 1


async def test_a_side_effect_goes_on_when_its_caller_leaves_who_may_come_back_for_the_answer(
    records: Idempotency, effect: Effect
) -> None:
    effect.may_end.clear()
    call = asyncio.create_task(records.once(asked(), effect.happen))
    await effect.has_begun.wait()
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    again = asyncio.create_task(records.once(asked(), effect.happen))
    effect.may_end.set()
    assert await again == effect.json
    assert effect.times == 1


async def test_a_process_that_leaves_waits_for_side_effects_under_way(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    effect.may_end.clear()
    call = asyncio.create_task(records.once(asked(), effect.happen))
    await effect.has_begun.wait()
    call.cancel()
    settling = asyncio.create_task(records.settle(limit_s=10))
    await asyncio.wait([call])
    effect.may_end.set()
    await settling
    with redis_server.admin() as admin:
        assert admin.hexists(asked().name, "done")


async def test_what_has_no_side_effects_stops_when_its_caller_leaves(records: Idempotency, effect: Effect) -> None:
    effect.may_end.clear()
    call = asyncio.create_task(records.once(asked(repeatable=True), effect.happen))
    await effect.has_begun.wait()
    call.cancel()
    await asyncio.wait([call])
    effect.may_end.set()
    assert await records.once(asked(repeatable=True), effect.happen) == effect.json
    assert effect.times == 2


async def test_the_keys_of_an_actor_take_a_bounded_room_and_leave_others_theirs(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    with redis_server.admin() as admin:
        admin.set("idempotency-budget:reports\x1freports", OWNER_BUDGET_BYTES - RECORD_BYTES, ex=600)
    await records.once(asked(key="k1"), effect.happen)
    error = await refused(records, asked(key="k2"), effect)
    assert (error.code, error.details["reason"]) == (Code.RATE_LIMIT, "idempotency_keys")
    assert 0 < (error.retry_after_ms or 0) <= 600_000
    assert await records.once(asked(key="k1"), effect.happen) == effect.json, "what is stored stays"
    await records.once(asked(owner="reports\x1fbob", key="k2"), effect.happen)


async def test_the_keys_of_all_actors_of_a_client_take_a_bounded_room_together(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    with redis_server.admin() as admin:
        admin.set("idempotency-budget:reports", CLIENT_BUDGET_BYTES - RECORD_BYTES, ex=600)
    await records.once(asked(owner="reports\x1fkim"), effect.happen)
    error = await refused(records, asked(owner="reports\x1flee"), effect)
    assert (error.code, error.details["reason"]) == (Code.RATE_LIMIT, "idempotency_keys")
    assert 0 < (error.retry_after_ms or 0) <= 600_000
    await records.once(asked(owner="other\x1flee"), effect.happen)


async def test_large_answers_take_what_they_are_from_the_budget_of_the_whole_client_too(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    effect.json = '{"text":"' + "".join(chr(0x4E00 + each * each % 20_000) for each in range(200_000)) + '"}'
    await records.once(asked(), effect.happen)
    with redis_server.admin() as admin:
        for budget in asked().keys[1:]:
            assert int(admin.get(budget) or 0) > RECORD_BYTES
            assert 0 < admin.ttl(budget) <= KEPT_S


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.TIMEOUT, Code.ENGINE_FAIL])
async def test_what_has_no_side_effects_may_be_tried_again_after_any_failure(
    records: Idempotency, effect: Effect, code: Code
) -> None:
    effect.failure = PapermeshError(code, "Lost on the way.")
    await refused(records, asked(repeatable=True), effect)
    effect.failure = None
    assert await records.once(asked(repeatable=True), effect.happen) == effect.json


async def test_a_call_whose_process_was_killed_is_unknown_when_it_had_side_effects_and_made_again_when_not(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    for repeatable in (False, True):
        call = asked(key=f"repeatable {repeatable}".replace(" ", "-"), repeatable=repeatable)
        effect.may_end.clear()
        effect.has_begun.clear()
        holder = asyncio.create_task(records.once(call, effect.happen))
        await effect.has_begun.wait()
        with redis_server.admin() as admin:
            admin.hset(call.name, mapping={"token": "of a process that is no more", "until": 0})
        effect.may_end.set()
        if repeatable:
            assert await records.once(call, effect.happen) == effect.json
        else:
            assert (await refused(records, call, effect)).details["outcome"] == "unknown"
        await asyncio.wait([holder])


async def test_a_long_call_keeps_a_lease_that_ends_ten_seconds_after_its_process(
    records: Idempotency, effect: Effect, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_RENEW_S", 0.02)
    effect.may_end.clear()
    call = asyncio.create_task(records.once(asked(), effect.happen))
    await effect.has_begun.wait()
    with redis_server.admin() as admin:

        def lease() -> int:
            return int(admin.hget(asked().name, "until"))

        assert 0 < lease() - admin.time()[0] * 1000 <= 11_000
        admin.hset(asked().name, "until", 0)
        await asyncio.to_thread(eventually, lambda: lease() > 0, what="the lease's renewal")
        assert 0 < lease() - admin.time()[0] * 1000 <= 11_000
    effect.may_end.set()
    assert await call == effect.json


@pytest.mark.parametrize("failure", [None, PapermeshError(Code.BAD_ARG, "No."), PapermeshError(Code.TIMEOUT, "Lost.")])
async def test_who_lost_the_key_to_another_call_leaves_its_record_alone(
    records: Idempotency, effect: Effect, redis_server: RedisServer, failure: PapermeshError | None
) -> None:
    effect.may_end.clear()
    effect.failure = failure
    call = asyncio.create_task(records.once(asked(), effect.happen))
    await effect.has_begun.wait()
    with redis_server.admin() as admin:
        admin.hset(asked().name, mapping={"token": "another's", "until": 5})
        before = admin.hgetall(asked().name)
        effect.may_end.set()
        await asyncio.wait([call])
        assert admin.hgetall(asked().name) == before


async def test_a_side_effect_that_met_a_bug_may_have_happened(records: Idempotency, effect: Effect) -> None:
    effect.failure = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await records.once(asked(), effect.happen)
    assert (await refused(records, asked(), effect)).details["outcome"] == "unknown"
    assert effect.times == 1


async def test_a_process_that_leaves_waits_no_longer_than_it_may(records: Idempotency, effect: Effect) -> None:
    effect.may_end.clear()
    call = asyncio.create_task(records.once(asked(), effect.happen))
    await effect.has_begun.wait()
    async with asyncio.timeout(10):
        await records.settle(limit_s=0.01)
    assert not call.done()
    effect.may_end.set()
    await call


async def test_a_budget_is_of_a_day_from_the_first_key_on_and_not_from_the_last(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    await records.once(asked(key="k1"), effect.happen)
    with redis_server.admin() as admin:
        for budget in asked().keys[1:]:
            admin.expire(budget, 100)
        await records.once(asked(key="k2"), effect.happen)
        assert all(0 < admin.ttl(budget) <= 100 for budget in asked().keys[1:])


def test_a_lease_is_renewed_twice_before_it_would_end() -> None:
    assert 2 * idempotency._RENEW_S * 1000 < idempotency._LEASE_MS


async def test_a_record_lasts_a_day(records: Idempotency, effect: Effect, redis_server: RedisServer) -> None:
    await records.once(asked(), effect.happen)
    with redis_server.admin() as admin:
        assert KEPT_S - 60 < admin.ttl(asked().name) <= KEPT_S


class TestAfterRedisLostARecord:
    """Redis writes nothing to disk here: what a restart leaves is what it was told again."""

    @pytest.fixture
    async def records(self, redis_server: RedisServer, answers: StoredAnswers) -> AsyncIterator[Idempotency]:
        replay_log = ReplayLog()
        link = RedisLink(redis_server.url, on_connect=replay_log.replay)
        yield Idempotency(link, replay_log, answers)
        await link.close()

    @staticmethod
    async def restart(server: RedisServer) -> None:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    async def test_its_answer_is_still_given(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        await records.once(asked(), effect.happen)
        await self.restart(redis_server)
        assert await records.once(asked(), effect.happen) == effect.json
        assert effect.times == 1
        with redis_server.admin() as admin:
            assert KEPT_S - 60 < admin.ttl(asked().name) <= KEPT_S

    async def test_what_has_no_side_effects_is_not_told_again_and_made_again(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        await records.once(asked(repeatable=True), effect.happen)
        await self.restart(redis_server)
        await records.once(asked(repeatable=True), effect.happen)
        assert effect.times == 2

    async def test_other_arguments_are_still_a_conflict(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        await records.once(asked(), effect.happen)
        await self.restart(redis_server)
        assert "other arguments" in (await refused(records, asked(args=b"[]"), effect)).message

    async def test_a_call_under_way_is_still_waited_for(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        effect.may_end.clear()
        first = asyncio.create_task(records.once(asked(), effect.happen))
        await effect.has_begun.wait()
        await self.restart(redis_server)
        second = asyncio.create_task(records.once(asked(), effect.happen))
        with redis_server.admin() as admin:
            while not await asyncio.to_thread(admin.exists, asked().name):
                pass  # it is put back before the second call asks for it
        effect.may_end.set()
        assert await asyncio.gather(first, second) == [effect.json, effect.json]
        assert effect.times == 1

    async def test_an_answer_that_could_not_be_written_is_given_to_those_who_come_back(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        effect.may_end.clear()
        first = asyncio.create_task(records.once(asked(), effect.happen))
        await effect.has_begun.wait()
        await asyncio.to_thread(redis_server.kill)
        effect.may_end.set()
        with pytest.raises(PapermeshError) as caught:
            await first
        assert caught.value.code is Code.UNAVAILABLE
        await asyncio.to_thread(redis_server.start)
        assert await records.once(asked(), effect.happen) == effect.json
        assert effect.times == 1

    async def test_an_outcome_that_is_unknown_stays_so(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        effect.failure = PapermeshError(Code.TIMEOUT, "Lost on the way.")
        await refused(records, asked(), effect)
        await self.restart(redis_server)
        assert (await refused(records, asked(), effect)).details["outcome"] == "unknown"
        assert effect.times == 1

    async def test_a_key_that_was_free_again_is_free(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        effect.failure = PapermeshError(Code.BAD_ARG, "No such guide.")
        await refused(records, asked(), effect)
        await self.restart(redis_server)
        effect.failure = None
        assert await records.once(asked(), effect.happen) == effect.json

    async def test_nothing_is_taken_from_a_call_that_holds_the_key_now(
        self, records: Idempotency, effect: Effect, redis_server: RedisServer
    ) -> None:
        await records.once(asked(), effect.happen)
        await self.restart(redis_server)
        with redis_server.admin() as admin:
            admin.hset(asked().name, mapping={"args": asked().digest, "token": "of another replica", "until": 0})
        assert (await refused(records, asked(), effect)).details["outcome"] == "unknown"


async def test_without_redis_the_call_is_refused_before_it_happens(
    records: Idempotency, effect: Effect, redis_server: RedisServer
) -> None:
    redis_server.stop()
    assert (await refused(records, asked(), effect)).code is Code.UNAVAILABLE
    assert effect.times == 0


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=128))
def test_any_visible_ascii_up_to_128_characters_is_a_key(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["a b", "a\n", "x" * 129, "열쇠", "a\x7f"])
def test_anything_else_is_no_key(key: str) -> None:
    with pytest.raises(PapermeshError, match="idempotency_key"):
        check_key(key)
