"""Equal calls at once: computed once, within a process and across replicas."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack

import pytest

from services.base.errors import Code, FieldViolation, PapermeshError
from services.base.redis.link import RedisLink
from services.dispatch.answers import single_flight as flights_module
from services.dispatch.answers.single_flight import SingleFlight
from tests.e2e.support.waiting import eventually
from tests.support.redis_server import RedisServer


class Work:
    """A computation that is counted, ends when a test says so, and leaves its result where others find it."""

    def __init__(self) -> None:
        self.begun = 0
        self.was_cancelled = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.failure: PapermeshError | None = None
        self.kept: str | None = None
        self.has_begun = asyncio.Event()
        self.entered = 0
        self.left = 0
        self.was_left = asyncio.Event()

    async def compute(self) -> str:
        self.begun += 1
        self.has_begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled.set()
            raise
        if self.failure:
            raise self.failure
        self.kept = f"result {self.begun}"
        return self.kept

    async def find(self) -> str | None:
        return self.kept

    def acquire(self) -> ExitStack:
        self.entered += 1
        place = ExitStack()
        place.callback(self._leave)
        return place

    def _leave(self) -> None:
        self.left += 1
        self.was_left.set()


Replica = Callable[[], SingleFlight[str]]


@pytest.fixture
async def replica(redis_server: RedisServer) -> AsyncIterator[Replica]:
    """Makes one more process' worth of flights."""
    links: list[RedisLink] = []

    def make() -> SingleFlight[str]:
        links.append(RedisLink(redis_server.url))
        return SingleFlight(links[-1])

    yield make
    for link in links:
        await link.close()


def looks_of_followers(redis_server: RedisServer) -> int:
    """How often somebody has looked for another replica's result."""
    with redis_server.admin() as admin:
        return int(admin.info("commandstats").get("cmdstat_mget", {"calls": 0})["calls"])


def join(flights: SingleFlight[str], work: Work, key: str = "k") -> Awaitable[str]:
    return flights.join(key, work.compute, work.find, work.acquire)


async def test_fifty_callers_of_two_replicas_are_answered_by_one_computation(replica: Replica) -> None:
    work, replicas = Work(), (replica(), replica())
    work.may_end.clear()
    callers = [asyncio.create_task(join(replicas[each % 2], work)) for each in range(50)]
    await work.has_begun.wait()
    work.may_end.set()
    assert await asyncio.gather(*callers) == ["result 1"] * 50
    assert work.begun == 1


async def test_other_keys_are_other_computations(replica: Replica) -> None:
    works, flights = {key: Work() for key in "abc"}, replica()
    await asyncio.gather(*(join(flights, work, key) for key, work in works.items()))
    assert [work.begun for work in works.values()] == [1, 1, 1]


async def test_a_result_that_was_made_while_the_lease_was_waited_for_is_taken(replica: Replica) -> None:
    work, flights = Work(), replica()
    work.kept = "made by another replica"
    assert await join(flights, work) == "made by another replica"
    assert work.begun == 0


async def test_a_failure_reaches_everybody_who_waited_in_both_replicas(
    replica: Replica, redis_server: RedisServer
) -> None:
    work, replicas = Work(), (replica(), replica())
    work.may_end.clear()
    work.failure = PapermeshError(
        Code.BAD_ARG, "pages: too many", violations=(FieldViolation("pages", "too many"),), details={"pages": "3"}
    )
    looks = looks_of_followers(redis_server)
    callers = [asyncio.create_task(join(replicas[each % 2], work)) for each in range(10)]
    await work.has_begun.wait()
    await asyncio.to_thread(
        eventually, lambda: looks_of_followers(redis_server) > looks, what="the other replica's look"
    )
    work.may_end.set()
    failures = await asyncio.gather(*callers, return_exceptions=True)
    with redis_server.admin() as admin:
        (told,) = admin.keys("failed:*")
        assert 1_000 < admin.pttl(told) <= 5_000, "long enough for all who look ten times a second"
    assert work.begun == 1
    for failure in failures:
        assert isinstance(failure, PapermeshError)
        assert (failure.code, failure.message) == (Code.BAD_ARG, "pages: too many")
        assert failure.violations == (FieldViolation("pages", "too many"),)
        assert failure.details == {"pages": "3"}


async def test_each_waiter_gets_an_error_of_its_own_to_write_its_request_id_into(replica: Replica) -> None:
    work, flights = Work(), replica()
    work.failure = PapermeshError(Code.ENGINE_FAIL, "The engine crashed.", request_id="the first one's")
    failures = await asyncio.gather(*(join(flights, work) for _ in range(3)), return_exceptions=True)
    assert len({id(failure) for failure in failures}) == 3
    assert [failure.request_id for failure in failures if isinstance(failure, PapermeshError)] == [""] * 3


async def test_a_failure_is_not_kept_for_those_who_come_later(replica: Replica) -> None:
    work, first, second = Work(), replica(), replica()
    work.failure = PapermeshError(Code.UNAVAILABLE, "Not now.")
    with pytest.raises(PapermeshError):
        await join(first, work)
    work.failure = None
    assert await join(second, work) == "result 2"


async def test_the_work_goes_on_while_one_caller_waits_and_stops_when_the_last_has_left(replica: Replica) -> None:
    work, flights = Work(), replica()
    work.may_end.clear()
    first, second = (asyncio.create_task(join(flights, work)) for _ in range(2))
    await work.has_begun.wait()
    first.cancel()
    await asyncio.wait([first])
    assert not work.was_cancelled.is_set()
    second.cancel()
    await asyncio.wait([second])
    async with asyncio.timeout(1):
        await work.was_cancelled.wait()
    assert work.begun == 1


async def test_who_comes_while_a_flight_that_everybody_left_is_ending_gets_a_flight_that_others_can_join(
    replica: Replica,
) -> None:
    work, flights = Work(), replica()
    work.may_end.clear()
    first = asyncio.create_task(join(flights, work))
    await work.has_begun.wait()
    work.has_begun.clear()
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(join(flights, work))
    await work.has_begun.wait()
    third = asyncio.create_task(join(flights, work))
    await asyncio.sleep(0)  # to the point where it waits
    work.may_end.set()
    assert await asyncio.gather(second, third) == ["result 2"] * 2
    assert work.entered == 2


async def test_when_the_holder_leaves_another_replica_takes_over_at_once(replica: Replica) -> None:
    work, replicas = Work(), (replica(), replica())
    work.may_end.clear()
    holder = asyncio.create_task(join(replicas[0], work))
    await work.has_begun.wait()
    other = asyncio.create_task(join(replicas[1], work))
    holder.cancel()
    work.may_end.set()
    async with asyncio.timeout(2):
        assert await other == "result 2"


async def test_a_holder_that_was_killed_is_replaced_when_its_lease_ends(
    replica: Replica, redis_server: RedisServer
) -> None:
    with redis_server.admin() as admin:
        admin.set("flight:k", "a process that is no more", px=300)
    work = Work()
    async with asyncio.timeout(2):
        assert await join(replica(), work) == "result 1"


async def test_a_long_computation_keeps_its_lease(replica: Replica, redis_server: RedisServer) -> None:
    work, flights = Work(), replica()
    work.may_end.clear()
    caller = asyncio.create_task(join(flights, work))
    await work.has_begun.wait()
    with redis_server.admin() as admin:
        assert 0 < admin.pttl("flight:k") <= 3_000, "or nobody would soon replace a holder that was killed"
        admin.pexpire("flight:k", 1_500)
        await asyncio.to_thread(eventually, lambda: admin.pttl("flight:k") > 2_000, what="the lease's renewal")
    work.may_end.set()
    assert await caller == "result 1"


async def test_a_holder_that_lost_its_lease_leaves_the_next_ones_alone(
    replica: Replica, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights_module, "_RENEW_S", 0.01)
    work, flights = Work(), replica()
    work.may_end.clear()
    caller = asyncio.create_task(join(flights, work))
    await work.has_begun.wait()
    with redis_server.admin() as admin:

        def renewals() -> int:
            return int(admin.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

        admin.set("flight:k", "another process", px=60_000)
        before = renewals()
        await asyncio.to_thread(eventually, lambda: renewals() > before + 1, what="two tries to renew")
        assert admin.pttl("flight:k") > 30_000
        work.may_end.set()
        assert await caller == "result 1"
        assert admin.get("flight:k") == b"another process"


async def test_without_redis_each_process_computes_for_itself(replica: Replica, redis_server: RedisServer) -> None:
    redis_server.stop()
    work, flights = Work(), replica()
    assert await asyncio.gather(*(join(flights, work) for _ in range(5))) == ["result 1"] * 5


async def test_a_flight_is_entered_once_and_left_when_it_ends_whoever_has_left_before(replica: Replica) -> None:
    work, flights = Work(), replica()
    work.may_end.clear()
    first, *others = (asyncio.create_task(join(flights, work)) for _ in range(5))
    await work.has_begun.wait()
    first.cancel()
    await asyncio.wait([first])
    assert (work.entered, work.left) == (1, 0)
    work.may_end.set()
    await asyncio.gather(*others)
    assert (work.entered, work.left) == (1, 1)


async def test_a_flight_that_everybody_leaves_at_once_is_left_all_the_same(replica: Replica) -> None:
    work, flights = Work(), replica()
    caller = asyncio.create_task(join(flights, work))
    await asyncio.sleep(0)  # to the point where it waits, and no further
    caller.cancel()
    await asyncio.wait([caller])
    async with asyncio.timeout(1):
        await work.was_left.wait()
    assert (work.entered, work.left) == (1, 1)


async def test_who_may_not_enter_is_told_so_and_begins_nothing(replica: Replica) -> None:
    work, flights = Work(), replica()

    def refuse() -> Callable[[], None]:
        raise PapermeshError(Code.RATE_LIMIT, "Enough.", retry_after_ms=1000)

    with pytest.raises(PapermeshError, match="Enough"):
        await flights.join("k", work.compute, work.find, refuse)
    assert work.begun == 0
    assert await join(flights, work) == "result 1"
