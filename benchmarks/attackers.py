"""Attacks on shared places: `python -m benchmarks.attackers`, in a process of its own, bounded in time.

Its argument is a JSON object, see `Attack`. It writes a line when it begins, and another with what it met when it has
ended. What is closed on it, it opens again. It runs at the lowest priority, since it stands for another machine.
"""

import asyncio
import json
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import uvloop

from benchmarks.flooder import yield_to_others
from services.base.channel import open_channel

SILENT_STREAMS, IDLE_CONNECTIONS, PLAIN_CONNECTIONS, SLOW_UPLOADS = (
    "silent streams",
    "idle connections",
    "plain connections",
    "slow uploads",
)

_STREAMS, _CHANNELS = 256, 3
_IDLE, _ASK_EVERY_S = 512, 20.0
_PLAIN = 600
_UPLOADS_OF_ONE, _BYTE_EVERY_S = 6, 20.0
_PAUSE_S = 0.5
"""Before it knocks again where it was turned away."""

_PUT = "/papermesh.dispatch.v1.DispatchService/PutDocument"


@dataclass(frozen=True, slots=True)
class Attack:
    """What to do, and for how long."""

    name: str
    seconds: float
    url: str
    """The adapter's."""

    edge_address: str
    tls_dir: str
    """A client's certificate; no key belongs to it here."""

    api_keys: tuple[str, ...]
    """Of the people who upload slowly."""


async def _silent_stream(attack: Attack, channel: grpc.aio.Channel, met: Counter[str]) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.sleep(attack.seconds)
        yield b""

    put: Any = channel.stream_unary(_PUT)
    try:
        await put(nothing(), timeout=attack.seconds, metadata=(("x-client", "nobody"),))
    except grpc.aio.AioRpcError as error:
        met[error.code().name] += 1


async def _idle_connection(attack: Attack, met: Counter[str]) -> None:
    reader, writer = await _connect(attack.url)
    try:
        while True:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if not await reader.read(4096):
                break
            met["answered"] += 1
            if await _closed_within(reader, _ASK_EVERY_S):
                break
    finally:
        writer.close()
    met["closed"] += 1


async def _plain_connection(attack: Attack, met: Counter[str]) -> None:
    host, _, port = attack.edge_address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        await reader.read(1)
    finally:
        writer.close()
    met["closed"] += 1


async def _slow_upload(attack: Attack, key: str, met: Counter[str]) -> None:
    reader, writer = await _connect(attack.url)
    try:
        head = (
            f"POST /documents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: 1000000\r\n"
        )
        writer.write(head.encode() + b"\r\n%PDF-1.7\n")
        while not await _closed_within(reader, _BYTE_EVERY_S):
            writer.write(b"x")
    finally:
        writer.close()
    met["ended"] += 1


async def _closed_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the other side closes, or answers, within so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await reader.read(4096)
            return True
    return False


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _again_and_again(once: Callable[[], Awaitable[None]], met: Counter[str]) -> None:
    while True:
        try:
            await once()
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            met["refused"] += 1
        await asyncio.sleep(_PAUSE_S)


async def _run(attack: Attack) -> Counter[str]:
    met: Counter[str] = Counter()
    print("begun", flush=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(attack.seconds), asyncio.TaskGroup() as tasks:
            if attack.name == SILENT_STREAMS:
                for number in range(_CHANNELS):
                    # Streams over one connection's hundred wait in the channel, and begin when one ends.
                    share = _STREAMS // _CHANNELS + (number < _STREAMS % _CHANNELS)
                    tasks.create_task(_over_one_connection(attack, share, met))
            for _ in range(_IDLE if attack.name == IDLE_CONNECTIONS else 0):
                tasks.create_task(_again_and_again(lambda: _idle_connection(attack, met), met))
            for _ in range(_PLAIN if attack.name == PLAIN_CONNECTIONS else 0):
                tasks.create_task(_again_and_again(lambda: _plain_connection(attack, met), met))
            for key in attack.api_keys if attack.name == SLOW_UPLOADS else ():
                for _ in range(_UPLOADS_OF_ONE):
                    tasks.create_task(_again_and_again(partial(_slow_upload, attack, key, met), met))
    return met


async def _over_one_connection(attack: Attack, streams: int, met: Counter[str]) -> None:
    # A subchannel pool of its own: channels with the same target would share one connection.
    async with open_channel(attack.edge_address, Path(attack.tls_dir)) as channel, asyncio.TaskGroup() as tasks:
        for _ in range(streams):
            tasks.create_task(_again_and_again(lambda: _silent_stream(attack, channel, met), met))


def main() -> None:
    """Attacks as the argument says."""
    yield_to_others()
    fields = json.loads(sys.argv[1])
    attack = Attack(**{**fields, "api_keys": tuple(fields["api_keys"])})
    print(json.dumps(uvloop.run(_run(attack))))


if __name__ == "__main__":
    main()
