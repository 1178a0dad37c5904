"""How each part is started: its command line, its settings, and the check that it answers."""

import logging
import resource
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from deploy.local import readiness, redis_server, replicas
from deploy.local.folders import Folders
from deploy.local.part import Command
from deploy.local.ports import Ports
from deploy.local.ready_socket import ReadySocket
from deploy.workloads import SERVICES, Workload, callers, variable
from envoy import binary, drain
from envoy.topology import Address, Service, Topology
from mcp_adapter.people.settings import PeopleSettings
from services.base import GRPC_ENVIRONMENT
from services.base.settings import SettingsError

_log = logging.getLogger(__name__)

NAMESPACE = "default"
AUDIENCE = "laptop"
"""The deployment's name in signatures: a call signed for it is accepted nowhere else."""

_LOOPBACK = "127.0.0.1"
_GRPC_EXPERIMENTS = ",".join(f"-event_engine_{what}" for what in ("client", "listener", "for_all_other_endpoints"))
"""grpc without its event engine, whose threads pass every event on once more (docs/decisions/0006). A release that no
longer knows these names logs that and goes on."""

_PROBE_PORT = "PAPERMESH_PROBE_PORT"
"""Only the adapter's: in pods, every part has its own address, but here one port would fit only one part."""

_DRAIN_S = "5"
"""Seconds that running calls get when Papermesh stops: on a laptop, nobody waits twenty seconds after Ctrl-C."""

_CONNECTIONS = 10_000

_MOST_RATE_SCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment on one machine: where its state lives, where its parts listen, what stands behind dispatch."""

    folders: Folders
    ports: Ports
    services: Sequence[Workload] = SERVICES
    settings: Mapping[str, str] = field(default_factory=dict)
    """More PAPERMESH_ variables for every part; what the deployment itself sets wins."""

    replicas: Mapping[str, int] = field(default_factory=dict)
    """How many of dispatch, of a service or of the adapter run, if more than one."""

    @property
    def descriptors(self) -> tuple[Path, ...]:
        """Descriptor sets of the services that are not Papermesh's own."""
        return tuple(path.resolve() for service in self.services for path in service.descriptors)

    @property
    def access_log(self) -> Path:
        """Envoy's log of calls; its log of itself is the part's own."""
        return self.folders.log / "envoy-access.jsonl"

    @property
    def admin_socket(self) -> Path:
        """Envoy's admin interface."""
        return self.folders.sockets / "envoy-admin.sock"

    @property
    def http_host(self) -> str:
        """Where the adapters listen: on loopback, unless PAPERMESH_HTTP_HOST names another address."""
        return self.settings.get("PAPERMESH_HTTP_HOST") or _LOOPBACK

    def check_people(self) -> None:
        """Checks the adapters' authentication settings as they will themselves, but before anything starts.

        Raises:
            SettingsError: for example, if they would listen to anybody beyond loopback.
        """
        named = {name: self.settings.get(f"PAPERMESH_{name.upper()}") for name in PeopleSettings.model_fields}
        given = {name: text for name, text in named.items() if text}
        PeopleSettings.read(**{**given, "tls_dir": self.folders.certs / "adapter", "namespace": NAMESPACE})

    def stages(self, bootstrap: Path, listener: socket.socket) -> tuple[tuple[Command, ...], ...]:
        """Every part, in stages: each stage must answer before the next is of use.

        Args:
            bootstrap: Envoy's configuration.
            listener: The socket that the adapters accept from.
        """
        behind = [self.dispatch(number) for number in replicas.numbers(self.replicas, "dispatch")]
        behind += [
            self.service(service, number)
            for service in self.services
            for number in replicas.numbers(self.replicas, service.name)
        ]
        adapters = [self.adapter(number, listener) for number in replicas.numbers(self.replicas, "adapter")]
        redis = tuple(self.redis(role) for role in redis_server.ROLES)
        return redis, tuple(behind), (self.envoy(bootstrap),), tuple(adapters)

    def topology(self) -> Topology:
        """This deployment, as Envoy's configuration describes it.

        Raises:
            SettingsError: when PAPERMESH_RATE_SCALE is not a valid number.
        """
        return Topology(
            config_dir=str(self.folders.envoy),
            tls_dir=str(self.folders.certs / "envoy"),
            admin_socket=str(self.admin_socket),
            dispatch=self._endpoints("dispatch", self.ports.dispatch),
            services=tuple(
                Service(each.name, each.proto_services, self._endpoints(each.name, port), callers(each, self.services))
                for each in self.services
                if (port := self.ports.of(each))
            ),
            namespace=NAMESPACE,
            edge=Address(_LOOPBACK, self.ports.edge),
            mesh=Address(_LOOPBACK, self.ports.mesh),
            operator_on_mesh=True,
            access_log=str(self.access_log),
            connection_limit=_connection_limit(),
            rate_scale=_rate_scale(self.settings.get("PAPERMESH_RATE_SCALE") or "1"),
        )

    def redis(self, role: str) -> Command:
        """Redis in a role."""
        ready = partial(readiness.redis_answers, self._redis_socket(role))
        return Command(f"redis-{role}", (str(redis_server.find()), str(self._redis_file(role))), ready)

    def dispatch(self, number: int = 1) -> Command:
        """The front door."""
        name = replicas.name("dispatch", number)
        port = replicas.port(self.ports.dispatch, number)
        settings = {
            "PAPERMESH_BIND_HOST": _LOOPBACK,
            "PAPERMESH_DISPATCH_PORT": str(port),
            "PAPERMESH_REPLICA": name,
            "PAPERMESH_MESH_ADDRESS": f"localhost:{self.ports.mesh}",
            "PAPERMESH_CLIENTS_FILE": str(self.folders.secrets / "clients.json"),
            "PAPERMESH_AUDIENCE": AUDIENCE,
            "PAPERMESH_AUDIT_DIR": str(self.folders.audit),
            "PAPERMESH_AUDIT_KEY_FILE": str(self.folders.secrets / "audit.json"),
            "PAPERMESH_REDIS_STATE_URL": self._redis_url("state"),
            "PAPERMESH_REDIS_CACHE_URL": self._redis_url("cache"),
            "PAPERMESH_BLOBS_URL": self._blobs_url,
            "PAPERMESH_SPOOL_DIR": str(self.folders.spool(name)),
            "PAPERMESH_SERVICES": ",".join(name for service in self.services for name in service.proto_services),
            "PAPERMESH_DESCRIPTORS": ",".join(str(path) for path in self.descriptors),
        }
        ready = partial(readiness.port_listens, port)
        return Command(name, _module("services.dispatch"), ready, self._environment("dispatch", settings))

    def service(self, service: Workload, number: int = 1) -> Command:
        """A service behind the mesh listener, or a worker that nobody calls and that reports itself ready."""
        name = replicas.name(service.name, number)
        settings = {"PAPERMESH_BIND_HOST": _LOOPBACK, "PAPERMESH_WORK_DIR": str(self.folders.work(name))}
        settings |= {f"PAPERMESH_REDIS_{role.upper()}_URL": self._redis_url(role) for role in service.redis}
        if service.blobs != "none":
            settings["PAPERMESH_BLOBS_URL"] = self._blobs_url
        if service.callees:
            settings["PAPERMESH_MESH_ADDRESS"] = f"localhost:{self.ports.mesh}"
        first = self.ports.of(service)
        if first is None:
            heard = ReadySocket(self.folders.sockets / f"{name}-ready.sock")
            environment = self._environment(service.name, settings)
            return Command(name, service.arguments, heard.heard, environment, ready_socket=heard)
        port = replicas.port(first, number)
        environment = self._environment(service.name, settings | {variable(service.name, "PORT"): str(port)})
        return Command(name, service.arguments, partial(readiness.port_listens, port), environment)

    def envoy(self, bootstrap: Path) -> Command:
        """Both listeners, in one process."""
        return Command(
            "envoy",
            tuple(binary.command(binary.find(), bootstrap, concurrency=self.topology().concurrency)),
            partial(readiness.envoy_healthy, self.admin_socket),
            drain=partial(_drain_envoy, self.admin_socket),
        )

    def adapter(self, number: int = 1, listener: socket.socket | None = None) -> Command:
        """HTTP, for people and agents."""
        name = replicas.name("adapter", number)
        settings = {
            "PAPERMESH_HTTP_HOST": self.http_host,
            "PAPERMESH_HTTP_PORT": str(self.ports.http),
            "PAPERMESH_EDGE_ADDRESS": f"localhost:{self.ports.edge}",
            "PAPERMESH_AUDIENCE": AUDIENCE,
            "PAPERMESH_KEY_FILE": str(self.folders.secrets / "adapter.json"),
            "PAPERMESH_TICKET_KEY_FILE": str(self.folders.secrets / "tickets.json"),
            "PAPERMESH_SPOOL_DIR": str(self.folders.spool(name)),
        }
        if probe_port := self.settings.get(_PROBE_PORT):
            settings[_PROBE_PORT] = _nth_port(probe_port, number)
        ready_socket = ReadySocket(self.folders.sockets / f"{name}-ready.sock")
        return Command(
            name,
            _module("mcp_adapter"),
            ready_socket.heard,  # a call of its port might be another replica's
            self._environment("adapter", settings),
            listener=listener,
            ready_socket=ready_socket,
        )

    def redis_configurations(self) -> dict[Path, str]:
        """The files that Redis reads, and their content."""
        return {
            self._redis_file(role): redis_server.configuration(role, self._redis_socket(role), self.folders.redis(role))
            for role in redis_server.ROLES
        }

    def _redis_file(self, role: str) -> Path:
        return self.folders.redis(role) / "redis.conf"

    def _redis_socket(self, role: str) -> Path:
        return self.folders.sockets / f"redis-{role}.sock"

    def _redis_url(self, role: str) -> str:
        return f"unix://{quote(str(self._redis_socket(role)))}"

    def _endpoints(self, part: str, first: int) -> tuple[Address, ...]:
        ports = (replicas.port(first, number) for number in replicas.numbers(self.replicas, part))
        return tuple(Address(_LOOPBACK, port) for port in ports)

    @property
    def _blobs_url(self) -> str:
        return self.folders.blobs.as_uri()

    def _environment(self, workload: str, settings: Mapping[str, str]) -> dict[str, str]:
        common = {"PAPERMESH_TLS_DIR": str(self.folders.certs / workload), "PAPERMESH_NAMESPACE": NAMESPACE}
        return {
            "GRPC_EXPERIMENTS": _GRPC_EXPERIMENTS,
            **GRPC_ENVIRONMENT,
            "PAPERMESH_DRAIN_S": _DRAIN_S,
            **{name: value for name, value in self.settings.items() if name != _PROBE_PORT},
            **common,
            **settings,
        }


def _connection_limit() -> int:
    """As many connections as on Kubernetes; fewer if this machine does not allow a process twice as many files."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _CONNECTIONS if most_files == resource.RLIM_INFINITY else min(_CONNECTIONS, most_files // 2)


def _nth_port(first: str, number: int) -> str:
    """A replica's port. Anything but a number stays as it is, for the part to refuse by the setting's name."""
    return str(replicas.port(int(first), number)) if first.isascii() and first.isdigit() and int(first) else first


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)


def _drain_envoy(admin: Path, limit_s: float) -> None:
    """Lets calls that run through Envoy end. Without any it goes at once: idle connections have nothing to wait for."""
    if readiness.envoy_busy(admin):
        try:
            drain.run(admin, notice_s=0, timeout_s=limit_s)
        except drain.DrainError as error:
            _log.warning("envoy: %s", error)  # and it is ended all the same


def _rate_scale(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) <= _MOST_RATE_SCALE:
            return float(text)
    raise SettingsError(f"PAPERMESH_RATE_SCALE must be a number above 0 and at most {_MOST_RATE_SCALE}.")
