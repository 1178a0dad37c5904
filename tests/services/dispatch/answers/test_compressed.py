"""Packing results, without holding up the event loop."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.answers.compressed import compress, decompress


@given(st.binary(max_size=200_000))
def test_what_was_packed_comes_back(data: bytes) -> None:
    async def there_and_back() -> bytes:
        return await decompress(await compress(data))

    assert asyncio.run(there_and_back()) == data


@pytest.mark.parametrize("size", [40_000, 4_000_000])
async def test_what_is_large_is_worked_on_while_the_loop_does_other_things(size: int) -> None:
    data = random.Random(1).randbytes(size)  # noqa: S311 - test data, the same in each run
    work = asyncio.create_task(compress(data))
    await asyncio.sleep(0)
    assert not work.done()  # though its first step has run
    assert await decompress(await work) == data
