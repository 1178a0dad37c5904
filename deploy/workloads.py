"""Every workload of Papermesh, once: add an entry, and certificates, Envoy, dispatch, the laptop and the chart follow.

The chart and Envoy's examples have it in files of their own, which `make gen` writes: `python -m deploy.workloads`.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml


@dataclass(frozen=True, slots=True)
class Workload:
    """A service behind dispatch, or a worker that nobody calls, and what it needs."""

    name: str
    """In its SPIFFE id, its folders and its PAPERMESH_<NAME>_PORT. At most 20 letters a-z, digits and -."""

    module: str = ""
    """Started as `python -m <module>`."""

    port: int | None = None
    """Where it listens unless a deployment says otherwise; None for one that nobody calls."""

    proto_services: tuple[str, ...] = ()
    """Full names of the proto services that it serves at its port."""

    descriptors: tuple[Path, ...] = ()
    """Descriptor sets with those services, for one whose protos are not part of Papermesh itself."""

    command: tuple[str, ...] = ()
    """What to run instead of the module, for one that is not a Python module."""

    callees: tuple[str, ...] = ()
    """Workloads that it calls through Envoy's mesh listener."""

    blobs: Literal["none", "read", "readings", "write"] = "none"
    """Whether it sees the documents. With "readings" it reads them, and writes what it has read of them beside them."""

    redis: tuple[Literal["state", "cache"], ...] = ()
    """Which roles of Redis it uses."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line."""
        return self.command or (sys.executable, "-m", self.module)


def variable(name: str, what: str) -> str:
    """A setting of a workload: PAPERMESH_PDF_PORT of "pdf" and "PORT"."""
    return f"PAPERMESH_{name.upper().replace('-', '_')}_{what}"


_ROOT = Path(__file__).parents[1]
_EXAMPLES = {"laptop": "127.0.0.1", "kubernetes": "{}.papermesh.svc.cluster.local"}
"""Envoy's example topologies, and where a service is in each."""

_LISTED = re.compile(r"^services:.*\n(?:[ -].*\n)*", re.MULTILINE)

OWN = ("adapter", "dispatch", "envoy", "operator")
"""The way that every call takes, which each deployment wires itself; the operator is a person."""

SERVICES: tuple[Workload, ...] = (
    Workload("pdf", "services.pdf", 9102, ("papermesh.pdf.v1.PdfService",), blobs="readings"),
)
"""What runs behind dispatch: services, and workers that nobody calls."""


def names(services: Sequence[Workload] = SERVICES) -> tuple[str, ...]:
    """Everybody who has a certificate of the mesh."""
    return (*OWN, *(service.name for service in services))


def callers(service: Workload, services: Sequence[Workload] = SERVICES) -> tuple[str, ...]:
    """Who may call a service: dispatch, and whoever names it among its callees."""
    return ("dispatch", *(other.name for other in services if service.name in other.callees))


def for_the_chart(services: Sequence[Workload] = SERVICES) -> str:
    """What the chart reads of the list."""
    ours = {service.name: _entry(service) for service in _ours(services)}
    return "# Written by `make gen` from deploy/workloads.py.\n" + _yaml({"own": list(OWN), "services": ours})


def written(services: Sequence[Workload] = SERVICES) -> dict[Path, str]:
    """The files that follow from the list, and what must be in them."""
    found = {_ROOT / "deploy" / "helm" / "papermesh" / "files" / "workloads.yaml": for_the_chart(services)}
    for name, host in _EXAMPLES.items():
        listed = [
            {
                "workload": service.name,
                "serves": list(service.proto_services),
                "endpoints": [{"host": host.format(service.name), "port": service.port}],
                "callers": list(callers(service, services)),
            }
            for service in _ours(services)
            if service.port
        ]
        file = _ROOT / "envoy" / "topologies" / f"{name}.yaml"
        found[file] = _LISTED.sub(_yaml({"services": listed}), file.read_text(encoding="utf-8"))
    return found


def _ours(services: Sequence[Workload]) -> list[Workload]:
    """Those whose protos are a company's own stand in that company's values and topology."""
    return [service for service in services if not service.descriptors]


def _entry(service: Workload) -> dict[str, object]:
    entry = {
        "command": list(service.command) or ["python", "-m", service.module],
        "port": service.port,
        "protoServices": list(service.proto_services),
        "callees": list(service.callees),
        "blobs": service.blobs,
        "redis": list(service.redis),
    }
    return {name: value for name, value in entry.items() if value}


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, default_flow_style=None, sort_keys=False)


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
