"""What is written in one turn of the loop is one packet, and nothing is lost or waits."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_adapter.http.corked import Corked


class Below(asyncio.Transport):
    """A transport that notes what reaches it, each call as one entry."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.packets.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def below() -> Below:
    return Below()


@pytest.fixture
async def corked(below: Below) -> Corked:
    return Corked(below, asyncio.get_running_loop())


async def test_head_and_body_are_one_packet(corked: Corked, below: Below) -> None:
    corked.write(b"head ")
    corked.write(b"body")
    corked.flush()
    assert below.packets == [b"head body"]
    await asyncio.sleep(0)
    assert below.packets == [b"head body"]


async def test_a_head_whose_body_is_late_waits_for_no_more_than_the_turn(corked: Corked, below: Below) -> None:
    for number in (b"1", b"2"):
        corked.write(number)
        await asyncio.sleep(0)
    assert below.packets == [b"1", b"2"]


async def test_who_writes_much_in_one_turn_meets_the_transport_below(corked: Corked, below: Below) -> None:
    for _ in range(16):
        corked.write(bytes(10_000))
    assert sum(map(len, below.packets)) > 90_000


async def test_closing_sends_what_is_held_and_then_no_more(corked: Corked, below: Below) -> None:
    corked.write(b"last")
    corked.close()
    assert (below.packets, below.closed) == ([b"last"], True)
    corked.write(b"too late")
    await asyncio.sleep(0)
    assert below.packets == [b"last"]


async def test_aborting_sends_nothing(corked: Corked, below: Below) -> None:
    corked.write(b"half an answer")
    corked.abort()
    await asyncio.sleep(0)
    assert (below.packets, below.closed) == ([], True)


@given(st.lists(st.binary(max_size=30_000) | st.sampled_from(["flush", "turn"]), max_size=20))
def test_every_byte_arrives_once_and_in_order(steps: list[bytes | str]) -> None:
    below = Below()

    async def take() -> None:
        corked = Corked(below, asyncio.get_running_loop())
        for step in steps:
            if isinstance(step, bytes):
                corked.write(step)
            elif step == "flush":
                corked.flush()
            else:
                await asyncio.sleep(0)
        corked.close()

    asyncio.run(take())
    assert b"".join(below.packets) == b"".join(step for step in steps if isinstance(step, bytes))
