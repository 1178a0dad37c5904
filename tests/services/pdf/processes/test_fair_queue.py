"""The places at work, and who gets the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from services.base.errors import Code, PapermeshError
from services.base.flow import NOBODY, Flow
from services.base.status import status_code
from services.pdf.processes.fair_queue import FairQueue

ADA = Flow("company", "ada")
OTHER = Flow("other", "cleo")

Until = Callable[[Callable[[], object]], Awaitable[None]]


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def taken(size: int, limit: int) -> FairQueue:
    """So many places, all of them nobody's."""
    places = FairQueue(size, limit)
    for _ in range(size):
        await places.take(NOBODY, in_seconds(0))
    return places


async def fill(places: FairQueue, count: int, until: Until) -> list[asyncio.Task[None]]:
    return await line_up(places, [NOBODY] * count, until)


async def line_up(places: FairQueue, flows: Sequence[Flow], until: Until) -> list[asyncio.Task[None]]:
    """Requests that wait, in this order."""
    before = places.waiting
    tasks = [asyncio.create_task(places.take(flow, in_seconds(60))) for flow in flows]
    await until(lambda: places.waiting == before + len(flows))
    return tasks


async def test_who_comes_when_the_line_is_full_is_told_so_at_once(until: Until) -> None:
    places = await taken(1, 3)
    tasks = await fill(places, 3, until)
    with pytest.raises(PapermeshError) as error:
        await places.take(NOBODY, in_seconds(60))
    assert error.value.code is Code.RATE_LIMIT
    assert error.value.retry_after_ms == 1000
    assert error.value.details == {"reason": "busy"}
    for _ in tasks:
        places.give(NOBODY)
    assert await asyncio.gather(*tasks) == [None] * 3


async def test_being_busy_ejects_no_host_and_is_not_tried_elsewhere(until: Until) -> None:
    places = await taken(1, 1)
    await fill(places, 1, until)
    with pytest.raises(PapermeshError) as error:
        await places.take(NOBODY, in_seconds(60))
    assert status_code(error.value, behind_mesh=True).name == "RESOURCE_EXHAUSTED"
    places.refuse(error.value)


async def test_a_part_of_a_request_that_was_let_in_waits_behind_a_full_line(until: Until) -> None:
    places = await taken(1, 1)
    (first,) = await fill(places, 1, until)
    part = asyncio.create_task(places.take(NOBODY, in_seconds(60), admitted=True))
    await until(lambda: places.waiting == 2)
    places.give(NOBODY)
    await first
    assert not part.done()
    places.give(NOBODY)
    await part


async def test_whoever_leaves_the_line_makes_room(until: Until) -> None:
    places = await taken(1, 2)
    served, cancelled = await fill(places, 2, until)
    cancelled.cancel()
    places.give(NOBODY)
    await asyncio.wait([served, cancelled])
    with pytest.raises(PapermeshError, match="No worker became free"):
        await places.take(NOBODY, in_seconds(0))
    assert places.waiting == 0
    for task in await fill(places, 2, until):
        task.cancel()


async def test_a_place_that_is_free_is_had_however_short_the_line() -> None:
    places = FairQueue(1, 0)
    await places.take(NOBODY, in_seconds(0))
    assert places.free == 0
    places.give(NOBODY)
    assert places.free == 1


async def test_a_client_that_comes_to_a_long_line_waits_for_one_request_of_the_other(until: Until) -> None:
    places = await taken(2, 64)
    many = await line_up(places, [ADA] * 10, until)
    (late,) = await line_up(places, [OTHER], until)
    places.give(NOBODY)
    places.give(NOBODY)
    await late
    assert [task.done() for task in many] == [True] + [False] * 9
    places.refuse(PapermeshError(Code.UNAVAILABLE, "That is all."))
    await asyncio.wait(many)


async def test_when_the_line_is_full_the_last_of_the_longest_gives_way(until: Until) -> None:
    places = await taken(4, 4)
    many = await line_up(places, [ADA] * 4, until)
    late = asyncio.create_task(places.take(OTHER, in_seconds(60)))
    await until(many[-1].done)
    assert places.waiting == 4
    error = many.pop().exception()
    assert isinstance(error, PapermeshError)
    assert (error.code, error.details) == (Code.RATE_LIMIT, {"reason": "busy"})
    with pytest.raises(PapermeshError, match="busy"):
        await places.take(ADA, in_seconds(60))
    for _ in range(4):
        places.give(NOBODY)
    await asyncio.gather(late, *many)


async def test_who_left_at_the_moment_of_its_turn_leaves_the_place_to_the_next(until: Until) -> None:
    places = await taken(1, 64)
    gone, other, next_one = await line_up(places, [ADA, OTHER, ADA], until)
    places.give(NOBODY)
    gone.cancel()
    await asyncio.wait([gone])
    await other
    places.give(OTHER)
    await next_one
    places.give(ADA)
    assert places.free == 1
