"""What is asked of an issuer, and what of its answers is not taken, over real connections."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from mcp_adapter.people import fetching
from mcp_adapter.people.fetching import FetchError, fetch_json

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def issuer(answer: Answer) -> AsyncIterator[str]:
    """The URL of a server that hands the head of each request to `answer`."""

    served: list[asyncio.Task[object] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with suppress(ConnectionError):
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
        await asyncio.gather(*(task for task in served if task))


async def test_nothing_packed_is_asked_for_and_nothing_is_unpacked() -> None:
    heads = []

    async def packed(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.lower())
        writer.write(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"keys": []}'))
        await writer.drain()

    async with issuer(packed) as url:
        with pytest.raises(FetchError, match="did not answer with JSON"):
            await fetch_json(url)
    assert b"accept-encoding: identity\r\n" in heads[0]


async def test_an_answer_that_comes_drop_by_drop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.3)

    async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with issuer(drip) as url:
        with pytest.raises(FetchError, match=r"did not answer within 0\.3 seconds"):
            async with asyncio.timeout(20):
                await fetch_json(url)


async def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens to discard
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def keys(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b'\r\n{"keys": []}')
        await writer.drain()

    async with issuer(keys) as url:
        assert await fetch_json(url) == {"keys": []}
