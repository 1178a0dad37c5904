"""Where the parts of one deployment are: everything that differs between a laptop and Kubernetes."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from services.base.errors import OperatorError
from services.base.names import DNS_LABEL

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=DNS_LABEL)]
ServiceName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$")]

ENGINE_SERVICE = "papermesh.engine.v1.EngineService"
"""What every service on the mesh answers under the same name; the metadata x-service says whose."""

_SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path on Linux."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address where something listens."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    host: Annotated[str, Field(min_length=1)]
    """An IPv4 or IPv6 address; for an endpoint also a DNS name."""

    port: Port

    @property
    def is_name(self) -> bool:
        """Whether the host must be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return True
        return False


@dataclass(frozen=True, slots=True)
class Service:
    """A workload behind the mesh listener."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    workload: Name
    """Its name in its SPIFFE id, "pdf"; also the name of its cluster in Envoy's logs and counters."""

    serves: Annotated[tuple[ServiceName, ...], Field(min_length=1)]
    """Full names of its gRPC services; each must be in the action table."""

    endpoints: Annotated[tuple[Address, ...], Field(min_length=1)]
    callers: tuple[Name, ...] = ("dispatch",)
    """The workloads that may call it."""


@dataclass(frozen=True, slots=True)
class Topology:
    """One deployment of the mesh, as far as Envoy needs to know it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    config_dir: Annotated[str, Field(min_length=1)]
    """Folder where Envoy finds the rendered files; relative paths start where Envoy is started."""

    tls_dir: Annotated[str, Field(min_length=1)]
    """Folder with Envoy's own tls.crt and tls.key, and the mesh's ca.crt."""

    admin_socket: Annotated[str, Field(min_length=1, max_length=_SOCKET_PATH_LIMIT)]
    """Unix socket of the admin interface, made with mode 0600. At most 107 bytes."""

    dispatch: Annotated[tuple[Address, ...], Field(min_length=1)]
    """Endpoints of dispatch, the only workload behind the edge listener."""

    services: tuple[Service, ...] = ()
    """The workloads behind the mesh listener."""

    namespace: Name = "default"
    edge: Address = Address("127.0.0.1", 8443)
    mesh: Address = Address("127.0.0.1", 8444)

    probe: Address | None = None
    """Where Envoy serves `/ready` and `/stats/prometheus` over plain HTTP, for a kubelet and a scraper; None for
    nowhere."""

    operator_on_mesh: bool = False
    """Whether the operator may call services past dispatch's checks: convenient on a laptop, off elsewhere."""

    access_log: str | None = None
    """File of the access log; None means standard output."""

    connection_limit: Annotated[int, Field(ge=1)] = 10_000
    """The most downstream connections that the process holds; each listener takes at most half of them."""

    rate_scale: Annotated[float, Field(gt=0, le=1_000_000)] = 1
    """Multiplies every rate and burst of the flood limit at the edge; the same as dispatch's, PAPERMESH_RATE_SCALE."""

    heap_limit_bytes: Annotated[int, Field(ge=1)] = 512 * 1024 * 1024
    """The heap above which Envoy refuses calls. Keep it about a fifth below the container's memory limit."""

    concurrency: Annotated[int, Field(ge=1)] = 1
    """Envoy's worker threads. One carries thousands of calls a second; each further one takes a core from Python."""

    def __post_init__(self) -> None:
        """Refuses a topology that would make the configuration ambiguous."""
        workloads = [service.workload for service in self.services]
        if len({*workloads, "dispatch"}) <= len(workloads):
            raise ValueError("every service needs a workload name of its own, and dispatch has its own field")
        served = [name for service in self.services for name in service.serves]
        if len(set(served)) < len(served):
            raise ValueError("a gRPC service is served by two workloads")
        if ENGINE_SERVICE in served:
            raise ValueError(f"{ENGINE_SERVICE} is every service's own; leave it out")
        listeners = [self.edge, self.mesh, *([self.probe] if self.probe else [])]
        if len(set(listeners)) < len(listeners):
            raise ValueError("edge, mesh and probe need different addresses")
        for listener in listeners:
            if listener.is_name:
                raise ValueError(f"a listener's host must be an IP address, not {listener.host}")


def load(path: Path) -> Topology:
    """Reads a topology from YAML, with the field names above.

    Raises:
        OperatorError: with a line for each fault.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(Topology).validate_python(content)
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise OperatorError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'topology'}: {item['msg']}" for item in error.errors()
        ]
        raise OperatorError("\n".join([f"{path} is not a topology:", *lines])) from None
