"""Papermesh itself, the whole mesh on this machine, with the service that does nothing beside the real ones."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bare.descriptors import SERVICE, compile_into
from benchmarks.free_ports import free_ports
from deploy.local.stack import Stack
from deploy.workloads import SERVICES, Workload

RATE_SCALE = 10_000
"""What every rate is multiplied by; all limits are still evaluated for each call."""


def stack(folder: Path, services: Sequence[Workload] = SERVICES) -> Stack:
    """The mesh, not started, with its state under a folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptors = compile_into(folder)
    bare = Workload("bare", "benchmarks.bare", 9190, (SERVICE,), descriptors=(descriptors,))
    everything = (*services, bare)
    settings = {
        "PAPERMESH_RATE_SCALE": str(RATE_SCALE),
        "PAPERMESH_DESCRIPTORS": str(descriptors),
        "PAPERMESH_LOG_LEVEL": "WARNING",
    }
    return Stack(folder, free_ports(everything), everything, settings=settings)


def parts(running: Stack) -> dict[str, int]:
    """The process ids of its parts."""
    return {name: part.pid for name, part in running.parts.items() if part.pid is not None}
