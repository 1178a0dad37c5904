"""Where each part listens. All on loopback; every port can be moved by an environment variable.

A part that runs several times listens a hundred higher each time, so the same variable moves all of its replicas.
"""

import random
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from typing import Self

from deploy.local import replicas
from deploy.local.services import SERVICES, Service

_LOOPBACK = "127.0.0.1"

_OWN_VARIABLES = {
    "http": "PAPERMESH_HTTP_PORT",
    "edge": "PAPERMESH_EDGE_PORT",
    "mesh": "PAPERMESH_MESH_PORT",
    "dispatch": "PAPERMESH_DISPATCH_PORT",
}

FREE = range(20_000, 32_000)
"""Free ports are sought below those that the system gives to outgoing connections: one of these could take a port when
it was found free and no server has bound it yet."""

_FREE_REPLICAS = 3
"""Where a port is free for a part, so many replicas of it find theirs."""

_HIGHEST = 65_535

_TRIES = 1_000


class PortError(Exception):
    """A port cannot be had; the text is for the person who starts Papermesh."""


def variables(services: Sequence[Service] = SERVICES) -> tuple[str, ...]:
    """The names of the variables that move a port."""
    return (*_OWN_VARIABLES.values(), *(service.port_variable for service in services))


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one deployment."""

    http: int = 9000
    edge: int = 8443
    mesh: int = 8444
    dispatch: int = 9101
    services: Mapping[str, int] = field(default_factory=dict)
    """By service name; a service that is not in it listens where its own entry says."""

    @classmethod
    def free(cls, services: Sequence[Service] = SERVICES) -> Self:
        """Ports that nobody listens on right now, for tests; those of up to three replicas are free too."""
        count = len(_OWN_VARIABLES) + len(services)
        numbers: list[int] = []
        with ExitStack() as held:
            for number in random.SystemRandom().sample(FREE, _TRIES):
                if len(numbers) == count:
                    break
                with suppress(OSError):
                    for replica in range(1, _FREE_REPLICAS + 1):
                        held.enter_context(closing(_bound(replicas.port(number, replica))))
                    numbers.append(number)
        if len(numbers) < count:
            raise PortError(f"Fewer than {count} ports between {FREE.start} and {FREE.stop} are free.")
        own = dict(zip(_OWN_VARIABLES, numbers, strict=False))
        names = (service.name for service in services)
        return cls(**own, services=dict(zip(names, numbers[len(own) :], strict=True)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], services: Sequence[Service] = SERVICES) -> Self:
        """The default ports, moved by what the environment says.

        Raises:
            PortError: for a variable that is no port number.
        """
        own = {
            name: _number(variable, environment[variable])
            for name, variable in _OWN_VARIABLES.items()
            if environment.get(variable)
        }
        moved = {
            service.name: _number(service.port_variable, environment[service.port_variable])
            for service in services
            if environment.get(service.port_variable)
        }
        return cls(**own, services=moved)

    def of(self, service: Service) -> int:
        """The port of a service behind the mesh listener."""
        return self.services.get(service.name, service.port)

    def check(self, services: Sequence[Service] = SERVICES, counts: Mapping[str, int] | None = None) -> None:
        """Makes sure that every port can be bound.

        Args:
            services: What stands behind dispatch.
            counts: How many of each part run, where it is more than one.

        Raises:
            PortError: naming the first that is taken and the variable that moves it.
        """
        # The replicas of the adapter share its port; the others are looked up in `counts` by their parts' names.
        first = [(name, variable, getattr(self, name)) for name, variable in _OWN_VARIABLES.items()]
        first += [(service.name, service.port_variable, self.of(service)) for service in services]
        with ExitStack() as held:
            for part, variable, number in first:
                for replica in replicas.numbers(counts or {}, part):
                    # Held until all are: two parts that were given one port are found out as well.
                    held.enter_context(closing(_bindable(variable, number, replicas.port(number, replica))))


def _bindable(variable: str, first: int, number: int) -> socket.socket:
    """A socket bound to the port of a replica, whose variable moves the port of the first."""
    try:
        if number > _HIGHEST:
            raise PortError(f"{variable}={first} leaves no port for further replicas: take a lower one.")
        return _bound(number)
    except OSError as error:
        other = first + 10 if first + 10 <= _HIGHEST else first - 10
        raise PortError(
            f"Port {number} cannot be used: {error.strerror}. End what listens on it, or take another: "
            f"{variable}={other} make up"
        ) from None


def _bound(number: int) -> socket.socket:
    """A socket bound to the port, as a server would bind it, so that a connection still closing does not count."""
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_LOOPBACK, number))
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def _number(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _HIGHEST):
        raise PortError(f"{variable} must be a port number from 1 to 65535.")
    return int(text)
