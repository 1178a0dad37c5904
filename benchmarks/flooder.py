"""The flood: `python -m benchmarks.flooder`, a client in a process of its own that sends at an even pace, unasked.

Its argument is a JSON object, see `Flood`. It writes a line when it begins, and another, `Flooded`, when it has sent
its last call. It never tries again and never slows down; only when a hundred answers are outstanding does it
wait. It runs at the lowest priority: it stands for another machine, and is not to take this one's CPU from the mesh.
"""

import asyncio
import itertools
import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import uvloop

from mcp_adapter.dispatch_client import DispatchClient
from services.base import signature
from services.base.channel import open_channel
from services.base.errors import PapermeshError
from services.base.signed_client import Person
from services.base.telemetry import continue_trace

_AT_ONCE = 90
"""Calls under way; a connection carries 100."""

ACTION = "PDF_METADATA"


@dataclass(frozen=True, slots=True)
class Flood:
    """What to send."""

    edge_address: str
    tls_dir: str
    key_file: str
    audience: str
    seconds: float
    per_second: float
    sha256: str
    """The document that is asked about."""

    actors: tuple[str, ...] = ("",)
    """On whose behalf, in turn; "" is the client itself."""

    invented_actions: bool = False
    """Whether each call names another action that does not exist."""


@dataclass(frozen=True, slots=True)
class Flooded:
    """What came of it."""

    codes: dict[str, int]
    """Calls by how they ended, "OK" or an error's code."""

    cpu_s: float
    """What the flooder itself used of the machine."""


def main() -> None:
    """Floods as the argument says."""
    yield_to_others()
    flood = Flood(**json.loads(sys.argv[1]))
    print(json.dumps(asdict(uvloop.run(_run(flood)))))


def yield_to_others() -> None:
    """Takes the lowest priority there is."""
    os.nice(19)
    # Linux shares CPU out among sessions first, where it groups them; niceness counts only within one.
    with suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")


async def _run(flood: Flood) -> Flooded:
    key = signature.read_key_file(Path(flood.key_file))
    codes: Counter[str] = Counter()
    room = asyncio.Semaphore(_AT_ONCE)
    async with open_channel(flood.edge_address, Path(flood.tls_dir)) as channel, asyncio.TaskGroup() as tasks:
        client = DispatchClient(channel, lambda: key, flood.audience)
        print("begun", flush=True)
        began, used = time.monotonic(), sum(os.times()[:2])
        for number, call in enumerate(_calls(flood, client)):
            now = time.monotonic() - began
            if now >= flood.seconds:
                break
            await asyncio.sleep(max(0.0, number / flood.per_second - now))
            await room.acquire()
            tasks.create_task(_count(call, codes, room))
    return Flooded(dict(codes), sum(os.times()[:2]) - used)


def _calls(flood: Flood, client: DispatchClient) -> Iterator[Callable[[], Awaitable[object]]]:
    """What to do, call for call, without end."""
    args = {"doc_ref": {"type": "UPLOAD", "sha256": flood.sha256}}
    for actor in itertools.cycle(flood.actors):
        action = f"FLOOD_{secrets.token_hex(6)}" if flood.invented_actions else ACTION
        yield partial(client.invoke, action, args, Person(actor, continue_trace("")), no_cache=True)


async def _count(call: Callable[[], Awaitable[object]], codes: Counter[str], room: asyncio.Semaphore) -> None:
    try:
        await call()
        codes["OK"] += 1
    except PapermeshError as error:
        codes[error.code] += 1
    finally:
        room.release()


if __name__ == "__main__":
    main()
