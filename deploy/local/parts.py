"""What each part is started with: its command line, its settings, and the question that tells whether it answers."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from deploy.local import readiness, redis_server
from deploy.local.folders import Folders
from deploy.local.part import Command
from deploy.local.ports import Ports
from deploy.local.services import SERVICES, Service
from envoy import binary
from envoy.topology import Address, Topology
from envoy.topology import Service as Upstream

NAMESPACE = "default"
AUDIENCE = "laptop"
"""The deployment's name in signatures: a call signed for it is worth nothing anywhere else."""

OWN_WORKLOADS = ("adapter", "operator", "envoy", "dispatch")
"""Who needs a certificate besides the services."""

_LOOPBACK = "127.0.0.1"
_ADMIN_SOCKET = "envoy-admin.sock"
_GRPC_EXPERIMENTS = ",".join(f"-event_engine_{what}" for what in ("client", "listener", "for_all_other_endpoints"))
"""grpc without its event engine, whose threads hand every event on once more (docs/decisions/0006). A release that no
longer knows these names says so in a log line and goes on."""

_DRAIN_S = "5"
"""What running calls get when Papermesh is stopped: on a laptop nobody waits twenty seconds for Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment on one machine: where its state lives, where its parts listen, what stands behind dispatch."""

    folders: Folders
    ports: Ports
    services: Sequence[Service] = SERVICES
    settings: Mapping[str, str] = field(default_factory=dict)
    """More PAPERMESH_ variables for every part; what the deployment itself sets wins."""

    @property
    def workloads(self) -> tuple[str, ...]:
        """Everyone who needs a certificate."""
        return (*OWN_WORKLOADS, *(service.name for service in self.services))

    @property
    def descriptors(self) -> tuple[Path, ...]:
        """Descriptor sets of the services that are not Papermesh's own."""
        return tuple(path.resolve() for service in self.services for path in service.descriptors)

    @property
    def redis_socket(self) -> Path:
        """Where the state role of Redis listens."""
        return self.folders.sockets / "redis-state.sock"

    @property
    def redis_configuration(self) -> Path:
        """The file that Redis reads."""
        return self.folders.redis_state / "redis.conf"

    @property
    def access_log(self) -> Path:
        """Envoy's log of calls; its log of itself is the part's own."""
        return self.folders.log / "envoy-access.jsonl"

    def topology(self) -> Topology:
        """This deployment as Envoy's configuration needs to know it."""
        return Topology(
            config_dir=str(self.folders.envoy),
            tls_dir=str(self.folders.certs / "envoy"),
            admin_socket=str(self.folders.sockets / _ADMIN_SOCKET),
            dispatch=(Address(_LOOPBACK, self.ports.dispatch),),
            services=tuple(
                Upstream(service.name, service.proto_services, (Address(_LOOPBACK, self.ports.of(service)),))
                for service in self.services
            ),
            namespace=NAMESPACE,
            edge=Address(_LOOPBACK, self.ports.edge),
            mesh=Address(_LOOPBACK, self.ports.mesh),
            operator_on_mesh=True,
            access_log=str(self.access_log),
            connection_limit=1000,
            heap_limit_bytes=256 * 1024 * 1024,
        )

    def redis(self) -> Command:
        """The state role of Redis."""
        return Command(
            "redis-state",
            (str(redis_server.find()), str(self.redis_configuration)),
            partial(readiness.redis_answers, self.redis_socket),
        )

    def dispatch(self) -> Command:
        """The front door."""
        settings = {
            "PAPERMESH_BIND_HOST": _LOOPBACK,
            "PAPERMESH_DISPATCH_PORT": str(self.ports.dispatch),
            "PAPERMESH_MESH_ADDRESS": f"localhost:{self.ports.mesh}",
            "PAPERMESH_CLIENTS_FILE": str(self.folders.secrets / "clients.json"),
            "PAPERMESH_AUDIENCE": AUDIENCE,
            "PAPERMESH_REDIS_STATE_URL": f"unix://{quote(str(self.redis_socket))}",
            "PAPERMESH_BLOBS_URL": self._blobs_url,
            "PAPERMESH_SPOOL_DIR": str(self.folders.spool("dispatch")),
            "PAPERMESH_SERVICES": ",".join(name for service in self.services for name in service.proto_services),
            "PAPERMESH_DESCRIPTORS": ",".join(str(path) for path in self.descriptors),
        }
        ready = partial(readiness.port_listens, self.ports.dispatch)
        return Command("dispatch", _module("services.dispatch"), ready, self._environment("dispatch", settings))

    def service(self, service: Service) -> Command:
        """A service behind the mesh listener."""
        port = self.ports.of(service)
        settings = {
            "PAPERMESH_BIND_HOST": _LOOPBACK,
            service.port_variable: str(port),
            "PAPERMESH_BLOBS_URL": self._blobs_url,
            "PAPERMESH_WORK_DIR": str(self.folders.work(service.name)),
        }
        ready = partial(readiness.port_listens, port)
        return Command(service.name, service.arguments, ready, self._environment(service.name, settings))

    def envoy(self, bootstrap: Path) -> Command:
        """Both listeners, in one process."""
        topology = self.topology()
        return Command(
            "envoy",
            tuple(binary.command(binary.find(), bootstrap, concurrency=topology.concurrency)),
            partial(readiness.envoy_healthy, Path(topology.admin_socket)),
        )

    def adapter(self) -> Command:
        """HTTP, for people and agents."""
        settings = {
            "PAPERMESH_HTTP_HOST": _LOOPBACK,
            "PAPERMESH_HTTP_PORT": str(self.ports.http),
            "PAPERMESH_EDGE_ADDRESS": f"localhost:{self.ports.edge}",
            "PAPERMESH_AUDIENCE": AUDIENCE,
            "PAPERMESH_KEY_FILE": str(self.folders.secrets / "adapter.json"),
            "PAPERMESH_SPOOL_DIR": str(self.folders.spool("adapter")),
        }
        ready = partial(readiness.http_ok, self.ports.http, "/readyz")
        return Command("adapter", _module("mcp_adapter"), ready, self._environment("adapter", settings))

    @property
    def _blobs_url(self) -> str:
        return self.folders.blobs.as_uri()

    def _environment(self, workload: str, settings: Mapping[str, str]) -> dict[str, str]:
        common = {"PAPERMESH_TLS_DIR": str(self.folders.certs / workload), "PAPERMESH_NAMESPACE": NAMESPACE}
        return {
            "GRPC_EXPERIMENTS": _GRPC_EXPERIMENTS,
            "PAPERMESH_DRAIN_S": _DRAIN_S,
            **self.settings,
            **common,
            **settings,
        }


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)
