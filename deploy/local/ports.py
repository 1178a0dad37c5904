"""Where each part listens: on loopback, and at a port that an environment variable can change.

Each further replica of a part listens a hundred higher, so one variable moves all replicas.
"""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from deploy.local import replicas
from deploy.workloads import SERVICES, Workload, variable
from services.base.errors import OperatorError

_LOOPBACK = "127.0.0.1"

_OWN = ("http", "edge", "mesh", "dispatch")

_HIGHEST = 65_535


class PortError(OperatorError):
    """A port is unavailable; the text is for the person who starts Papermesh."""


def variables(services: Sequence[Workload] = SERVICES) -> tuple[str, ...]:
    """The names of the variables that change a port."""
    return tuple(variable(name, "PORT") for name, _ in Ports().each(services))


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one deployment."""

    http: int = 9000
    edge: int = 8443
    mesh: int = 8444
    dispatch: int = 9101
    services: Mapping[str, int] = field(default_factory=dict)
    """By service name; a service that is missing here listens where its own entry says."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], services: Sequence[Workload] = SERVICES) -> Self:
        """The default ports, changed as the environment says.

        Raises:
            PortError: for a variable that is not a port number.
        """
        settings = {name: variable(name, "PORT") for name, _ in cls().each(services)}
        return cls.moved(
            {name: _number(each, environment[each]) for name, each in settings.items() if environment.get(each)}
        )

    @classmethod
    def moved(cls, numbers: Mapping[str, int]) -> Self:
        """The default ports, but for those that are given by name."""
        own = {name: numbers[name] for name in _OWN if name in numbers}
        return cls(**own, services={name: number for name, number in numbers.items() if name not in own})

    def of(self, service: Workload) -> int | None:
        """The port of a service behind the mesh listener; None for one that nobody calls."""
        return self.services.get(service.name, service.port)

    def listening(
        self, counts: Mapping[str, int], services: Sequence[Workload] = SERVICES
    ) -> Iterator[tuple[str, int]]:
        """Who shows a certificate, and on which port, for each replica.

        Args:
            counts: How many of each part run, if more than one.
            services: What stands behind dispatch.
        """
        yield from (("envoy", self.edge), ("envoy", self.mesh))
        for name, first in self.each(services):
            if name not in {"http", "edge", "mesh"}:
                yield from ((name, replicas.port(first, number)) for number in replicas.numbers(counts, name))

    def check(self, services: Sequence[Workload] = SERVICES, counts: Mapping[str, int] | None = None) -> None:
        """Checks that every port can be bound.

        Args:
            services: What stands behind dispatch.
            counts: How many of each part run, if more than one.

        Raises:
            PortError: naming the first that is taken and the variable that changes it.
        """
        # The replicas of the adapter share its port; the others are looked up in `counts` by their parts' names.
        with ExitStack() as held:
            for part, number in self.each(services):
                for replica in replicas.numbers(counts or {}, part):
                    # Held until all are: two parts that were given one port are found out as well.
                    held.enter_context(_bindable(variable(part, "PORT"), number, replicas.port(number, replica)))

    def each(self, services: Sequence[Workload]) -> Iterator[tuple[str, int]]:
        """All listeners: a name, and the port of the first replica."""
        yield from ((name, getattr(self, name)) for name in _OWN)
        yield from ((service.name, port) for service in services if (port := self.of(service)))


def _bindable(setting: str, first: int, number: int) -> socket.socket:
    """A socket bound to the port of a replica, whose setting moves the port of the first."""
    try:
        if number > _HIGHEST:
            raise PortError(f"{setting}={first} leaves no port for more replicas: use a lower one.")
        return bound(number)
    except OSError as error:
        other = first + 10 if first + 10 <= _HIGHEST else first - 10
        raise PortError(
            f"Port {number} cannot be used: {os.strerror(error.errno or 0)}. Stop what listens on it, or use another: "
            f"{setting}={other} make up"
        ) from None


def bound(number: int) -> socket.socket:
    """A socket bound to the port, as a server would bind it, so that a connection still closing does not count."""
    return socket.create_server((_LOOPBACK, number))


def _number(setting: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _HIGHEST):
        raise PortError(f"{setting} must be a port number from 1 to 65535.")
    return int(text)
