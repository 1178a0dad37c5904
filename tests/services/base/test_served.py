"""Counting the calls that are served, and waiting for the last of them."""

import asyncio

from services.base.served import UnderWay


async def test_with_no_call_there_is_nothing_to_wait_for() -> None:
    assert await UnderWay().all_ended(0.01)


async def test_the_wait_ends_with_the_last_call() -> None:
    under_way = UnderWay()
    under_way.begin()
    under_way.begin()
    waiting = asyncio.create_task(under_way.all_ended(10))
    under_way.end()
    await asyncio.sleep(0)
    assert (waiting.done(), under_way.calls) == (False, 1)
    under_way.end()
    assert await waiting


async def test_the_wait_is_given_up_when_a_call_does_not_end() -> None:
    under_way = UnderWay()
    under_way.begin()
    assert not await under_way.all_ended(0.01)
    assert under_way.calls == 1
