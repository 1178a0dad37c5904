"""What runs beside the requests."""

import asyncio

import pytest

from mcp_adapter import app


async def test_what_keeps_keys_fresh_has_ended_when_the_adapter_has() -> None:
    ended = []

    async def watch() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as one that closes a connection does
            ended.append("watch")

    async with app._running(watch()):
        await asyncio.sleep(0)
    assert ended == ["watch"]


async def test_a_watch_that_fails_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with app._running(broken()):
        for _ in range(3):
            await asyncio.sleep(0)
        assert "A background task ended; restart the adapter." in caplog.text
