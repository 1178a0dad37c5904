import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

Answer = Callable[[dict[str, Any]], bytes]


def http(body: object, status: str = "200 OK", *headers: str) -> bytes:
    """An answer, whole; a body that is no bytes becomes JSON."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers])
    return head.encode() + b"\r\n\r\n" + content


def vectors(asked: dict[str, Any], dimension: int = 4) -> bytes:
    """What an endpoint should answer: the length of each text, and ones."""
    data = [
        {"object": "embedding", "index": place, "embedding": [float(len(text))] + [1.0] * (dimension - 1)}
        for place, text in enumerate(asked["input"])
    ]
    return http({"object": "list", "data": data, "model": asked["model"]})


@dataclass
class Server:
    """A stand-in for an OpenAI-compatible endpoint."""

    url: str = ""
    answer: Answer | None = vectors
    """None for one that hangs."""

    heads: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a caller who was kept waiting has left."""


@pytest.fixture
def serve() -> Callable[..., Any]:
    """Runs an endpoint that answers as it is told."""

    @asynccontextmanager
    async def run(answer: Answer | None = vectors) -> AsyncIterator[Server]:
        server = Server(answer=answer)
        talks: list[asyncio.Task[None]] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.lower().split("\r\n") if "content-length" in line)
            server.heads.append(head)
            server.asked.append(orjson.loads(await reader.readexactly(length)))
            if server.answer is None:
                await reader.read(1)
                server.hung_up.set()
            else:
                writer.write(server.answer(server.asked[-1]))
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.append(asyncio.create_task(talk(reader, writer)))

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
            server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
            yield server
        await asyncio.gather(*talks, return_exceptions=True)

    return run
