"""The line of requests in front of the workers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import create_autospec

import pytest

from services.base.errors import Code, PapermeshError
from services.base.status import status_code
from services.pdf.idle import IdleWorkers
from services.pdf.process import WorkerProcess

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def worker() -> Any:
    return create_autospec(WorkerProcess, instance=True)


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def fill(idle: IdleWorkers, count: int, until: Until) -> list[asyncio.Task[WorkerProcess]]:
    tasks = [asyncio.create_task(idle.take(in_seconds(60))) for _ in range(count)]
    await until(lambda: idle.waiting == count)
    return tasks


async def test_who_comes_when_the_line_is_full_is_told_so_at_once(worker: Any, until: Until) -> None:
    idle = IdleWorkers(3)
    tasks = await fill(idle, 3, until)
    with pytest.raises(PapermeshError) as error:
        await idle.take(in_seconds(60))
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
        await idle.take(in_seconds(60))
    assert status_code(error.value, behind_mesh=True).name == "RESOURCE_EXHAUSTED"
    idle.refuse(error.value)


async def test_a_part_of_a_request_that_was_let_in_waits_behind_a_full_line(worker: Any, until: Until) -> None:
    idle = IdleWorkers(1)
    (first,) = await fill(idle, 1, until)
    part = asyncio.create_task(idle.take(in_seconds(60), admitted=True))
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
        await idle.take(in_seconds(0))
    assert idle.waiting == 0
    for task in await fill(idle, 2, until):
        task.cancel()


async def test_a_worker_that_is_free_is_had_however_short_the_line(worker: Any) -> None:
    idle = IdleWorkers(0)
    idle.give(worker)
    assert await idle.take(in_seconds(0)) is worker
