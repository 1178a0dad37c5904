"""A client that calls at an even pace, every second call with a cached answer, and times each."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from benchmarks import flood_mesh, mesh, processes
from deploy.local.parts import AUDIENCE
from deploy.local.stack import Stack
from mcp_adapter.dispatch_client import DispatchClient
from services.base import signature
from services.base.channel import open_channel
from services.base.errors import PapermeshError

PER_SECOND = 20
"""Calls a second: a tenth of what the mesh can compute, so that waiting for oneself plays no part."""

CACHED, COMPUTED = "cached", "computed"


@dataclass(slots=True)
class Times:
    """What a run came to."""

    ms: dict[str, list[float]] = field(default_factory=lambda: {CACHED: [], COMPUTED: []})
    failed: Counter[str] = field(default_factory=Counter)
    cores: dict[str, float] = field(default_factory=dict)
    """What each part of the mesh used of the machine meanwhile, in cores."""

    def p50(self, kind: str) -> float:
        """The median of one kind, in milliseconds."""
        return median(self.ms[kind])

    def p99(self, kind: str) -> float:
        """What 99 of 100 calls of one kind stay below, in milliseconds."""
        return quantiles(self.ms[kind], n=100, method="inclusive")[98]


async def run(running: Stack, sha256: str, seconds: float) -> Times:
    """Calls for some seconds, whatever the answers take."""
    key = signature.read_key_file(running.key_file(flood_mesh.VICTIM))
    tls_dir: Path = flood_mesh.tls_dir(running, flood_mesh.VICTIM)
    times = Times()
    async with open_channel(running.edge_address, tls_dir) as channel:
        client = DispatchClient(channel, lambda: key, AUDIENCE)
        await _call(client, sha256, CACHED, Times())  # the connection, and the cache's entry
        before = _cpu_s(running)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            for number in range(int(seconds * PER_SECOND)):
                await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
                calls.create_task(_call(client, sha256, (CACHED, COMPUTED)[number % 2], times))
        wall_s = time.perf_counter() - began
        times.cores = {name: (used_s - before[name]) / wall_s for name, used_s in _cpu_s(running).items()}
    return times


def _cpu_s(running: Stack) -> dict[str, float]:
    used = {name: processes.cpu(pid) for name, pid in mesh.parts(running).items()}
    return {name: each.own + each.children for name, each in used.items()}


async def _call(client: DispatchClient, sha256: str, kind: str, times: Times) -> None:
    args = {"doc_ref": {"type": "UPLOAD", "sha256": sha256}}
    began = time.perf_counter()
    try:
        await client.invoke("PDF_METADATA", args, flood_mesh.person(), no_cache=kind == COMPUTED)
    except PapermeshError as error:
        times.failed[error.code] += 1
    else:
        times.ms[kind].append((time.perf_counter() - began) * 1e3)
