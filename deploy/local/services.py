"""The services of this deployment: add an entry, and dispatch, Envoy, certificates and the supervisor follow."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service behind the mesh listener."""

    name: str
    """The workload's name, in its SPIFFE id, its folders and its PAPERMESH_<NAME>_PORT."""

    module: str
    """Started as `python -m <module>`."""

    port: int
    """Where it listens unless the deployment's `Ports` say otherwise."""

    proto_services: tuple[str, ...]
    """Full names of the proto services that it serves."""

    descriptors: tuple[Path, ...] = ()
    """Descriptor sets with those services, for one whose protos are not part of Papermesh itself."""

    command: tuple[str, ...] = ()
    """What to run instead of the module, for a service that is not a Python module."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line."""
        return self.command or (sys.executable, "-m", self.module)

    @property
    def port_variable(self) -> str:
        """The setting that moves it, PAPERMESH_PDF_PORT."""
        return f"PAPERMESH_{self.name.upper().replace('-', '_')}_PORT"


SERVICES: tuple[Service, ...] = (
    Service(name="pdf", module="services.pdf", port=9102, proto_services=("papermesh.pdf.v1.PdfService",)),
)
"""What runs behind dispatch."""
