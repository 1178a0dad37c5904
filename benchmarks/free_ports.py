"""Ports for a mesh of one's own, beside whatever runs on this machine; tests start theirs on them too."""

import random
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from deploy.local import replicas
from deploy.local.ports import Ports, bound
from deploy.workloads import SERVICES, Workload

FREE = range(20_000, 32_000)
"""Free ports are sought below those that the system gives to outgoing connections, which could take a port after it was
found free and before a server has bound it."""

_REPLICAS = 3
"""A port is free for a part if this many replicas find theirs free."""

_TRIES = 1_000


class NoPortsError(Exception):
    """Too few ports are free."""


def free_ports(services: Sequence[Workload] = SERVICES) -> Ports:
    """Ports that nobody listens on right now; also free for up to three replicas.

    Raises:
        NoPortsError: when there are too few.
    """
    names = [name for name, _ in Ports().each(services)]
    numbers: list[int] = []
    with ExitStack() as held:
        for number in random.SystemRandom().sample(FREE, _TRIES):
            if len(numbers) == len(names):
                break
            with suppress(OSError):
                for replica in range(1, _REPLICAS + 1):
                    held.enter_context(bound(replicas.port(number, replica)))
                numbers.append(number)
    if len(numbers) < len(names):
        raise NoPortsError(f"Fewer than {len(names)} ports between {FREE.start} and {FREE.stop} are free.")
    return Ports.moved(dict(zip(names, numbers, strict=True)))
