"""Variables that look like Papermesh's settings but are not: a mistyped setting has no effect."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from deploy.local import ports, replicas
from deploy.workloads import Workload, variable
from mcp_adapter.settings import AdapterSettings
from services.base.settings import Settings
from services.dispatch.settings import DispatchSettings
from services.pdf.settings import PdfSettings

_SETTINGS: dict[str, type[Settings]] = {"adapter": AdapterSettings, "dispatch": DispatchSettings, "pdf": PdfSettings}
"""The settings of each of Papermesh's own parts."""

_BESIDES = ("PAPERMESH_VAR", "PAPERMESH_ENVOY", "PAPERMESH_RATE_SCALE", "PAPERMESH_TOKEN", "PAPERMESH_URL")
"""Variables that the deployment itself reads, and those for the command line in the same terminal."""

_NEAR = 0.85
"""How alike, up to 1, two names must be to suggest one for the other. PAPERMESH_ alone makes them half alike."""


def unknown(environment: Iterable[str], services: Sequence[Workload]) -> Iterator[str]:
    """A sentence for each variable that starts with PAPERMESH_ and that nothing reads.

    Args:
        environment: The names of the variables.
        services: What stands behind dispatch. Your own may read any variable that starts with its name.
    """
    known = {f"PAPERMESH_{field.upper()}" for settings in _SETTINGS.values() for field in settings.model_fields}
    known.update(_BESIDES, ports.variables(services), replicas.variables(services))
    theirs = tuple(variable(service.name, "") for service in services if service.name not in _SETTINGS)
    for name in sorted(environment):
        if name.startswith("PAPERMESH_") and name not in known and not name.startswith(theirs):
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
            yield f"Nothing reads {name}." + (f" Did you mean {near[0]}?" if near else "")
