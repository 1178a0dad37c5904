"""The workers that have nothing to do, and who gets the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from unittest.mock import create_autospec

import pytest

from services.base.errors import Code, PapermeshError
from services.base.flow import NOBODY, Flow
from services.base.status import status_code
from services.pdf.idle import IdleWorkers
from services.pdf.process import WorkerProcess

ADA, BOB = Flow("company", "ada"), Flow("company", "bob")
OTHER = Flow("other", "cleo")

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def worker() -> Any:
    return create_autospec(WorkerProcess, instance=True)


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def fill(idle: IdleWorkers, count: int, until: Until) -> list[asyncio.Task[WorkerProcess]]:
    return await line_up(idle, [NOBODY] * count, until)


async def line_up(idle: IdleWorkers, flows: Sequence[Flow], until: Until) -> list[asyncio.Task[WorkerProcess]]:
    """Requests that wait, in this order."""
    before = idle.waiting
    tasks = [asyncio.create_task(idle.take(flow, in_seconds(60))) for flow in flows]
    await until(lambda: idle.waiting == before + len(flows))
    return tasks


async def test_who_comes_when_the_line_is_full_is_told_so_at_once(worker: Any, until: Until) -> None:
    idle = IdleWorkers(3)
    tasks = await fill(idle, 3, until)
    with pytest.raises(PapermeshError) as error:
        await idle.take(NOBODY, in_seconds(60))
    assert error.value.code is Code.RATE_LIMIT
    assert error.value.retry_after_ms == 1000
    assert error.value.details == {"reason": "busy"}
    for _ in tasks:
        idle.give(worker)
    assert await asyncio.gather(*tasks) == [worker] * 3


async def test_being_busy_ejects_no_host_and_is_not_tried_elsewhere(until: Until) -> None:
    idle = IdleWorkers(1)
    await fill(idle, 1, until)
    with pytest.raises(PapermeshError) as error:
        await idle.take(NOBODY, in_seconds(60))
    assert status_code(error.value, behind_mesh=True).name == "RESOURCE_EXHAUSTED"
    idle.refuse(error.value)


async def test_a_part_of_a_request_that_was_let_in_waits_behind_a_full_line(worker: Any, until: Until) -> None:
    idle = IdleWorkers(1)
    (first,) = await fill(idle, 1, until)
    part = asyncio.create_task(idle.take(NOBODY, in_seconds(60), admitted=True))
    await until(lambda: idle.waiting == 2)
    idle.give(worker)
    assert await first is worker
    assert not part.done()
    idle.give(worker)
    assert await part is worker


async def test_whoever_leaves_the_line_makes_room(worker: Any, until: Until) -> None:
    idle = IdleWorkers(2)
    served, cancelled = await fill(idle, 2, until)
    cancelled.cancel()
    idle.give(worker)
    await asyncio.wait([served, cancelled])
    with pytest.raises(PapermeshError, match="No worker became free"):
        await idle.take(NOBODY, in_seconds(0))
    assert idle.waiting == 0
    for task in await fill(idle, 2, until):
        task.cancel()


async def test_a_worker_that_is_free_is_had_however_short_the_line(worker: Any) -> None:
    idle = IdleWorkers(0)
    idle.give(worker)
    assert await idle.take(NOBODY, in_seconds(0)) is worker


async def test_a_client_that_comes_to_a_long_line_waits_for_one_request_of_the_other(worker: Any, until: Until) -> None:
    idle = IdleWorkers(64)
    many = await line_up(idle, [ADA] * 10, until)
    (late,) = await line_up(idle, [OTHER], until)
    idle.give(worker)
    idle.give(worker)
    assert await late is worker
    assert [task.done() for task in many] == [True] + [False] * 9
    idle.refuse(PapermeshError(Code.UNAVAILABLE, "That is all."))
    await asyncio.wait(many)


async def test_when_the_line_is_full_the_last_of_the_longest_gives_way(worker: Any, until: Until) -> None:
    idle = IdleWorkers(4)
    many = await line_up(idle, [ADA] * 4, until)
    late = asyncio.create_task(idle.take(OTHER, in_seconds(60)))
    await until(many[-1].done)
    assert idle.waiting == 4
    error = many.pop().exception()
    assert isinstance(error, PapermeshError)
    assert (error.code, error.details) == (Code.RATE_LIMIT, {"reason": "busy"})
    with pytest.raises(PapermeshError, match="busy"):
        await idle.take(ADA, in_seconds(60))
    for _ in range(4):
        idle.give(worker)
    assert await asyncio.gather(late, *many) == [worker] * 4


async def test_a_worker_that_has_ended_is_counted_as_nobodys(until: Until) -> None:
    idle = IdleWorkers(64)
    first, second = create_autospec(WorkerProcess, instance=True), create_autospec(WorkerProcess, instance=True)
    idle.give(first)
    assert await idle.take(ADA, in_seconds(60)) is first
    ada, bob = await line_up(idle, [ADA, BOB], until)
    idle.forget(first)  # it crashed; another one takes its place
    idle.give(second)
    assert await ada is second
    idle.give(second)
    assert await bob is second


async def test_who_left_at_the_moment_of_its_turn_leaves_the_worker_to_the_next(worker: Any, until: Until) -> None:
    idle = IdleWorkers(64)
    gone, other, next_one = await line_up(idle, [ADA, OTHER, ADA], until)
    idle.give(worker)
    gone.cancel()
    await asyncio.wait([gone])
    assert await other is worker
    idle.give(worker)
    assert await next_one is worker
