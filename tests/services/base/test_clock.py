"""One coarse timer for all that may take only so long."""

import asyncio

from services.base.clock import Clock


class Thing:
    """Something that is told when its time is over."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    def time_is_over(self) -> None:
        self.is_over.set()

    async def waited(self) -> None:
        async with asyncio.timeout(10):
            await self.is_over.wait()


async def test_it_ends_what_takes_too_long_and_does_so_again_after_a_rest() -> None:
    clock = Clock()
    for _ in range(2):
        thing = Thing()
        clock.start(thing, 0)
        await thing.waited()


async def test_what_has_ended_in_time_hears_nothing() -> None:
    clock, in_time, too_late = Clock(), Thing(), Thing()
    for thing in (in_time, too_late):
        clock.start(thing, 0)
    clock.stop(in_time)
    await too_late.waited()
    assert not in_time.is_over.is_set()
