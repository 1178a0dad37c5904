"""Names in the environment that look like settings of Papermesh and are none: a mistyped setting is not heeded."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from deploy.local import ports, replicas
from deploy.workloads import Workload, variable
from mcp_adapter.settings import AdapterSettings
from services.base.settings import Settings
from services.dispatch.settings import DispatchSettings
from services.pdf.settings import PdfSettings

_SETTINGS: dict[str, type[Settings]] = {"adapter": AdapterSettings, "dispatch": DispatchSettings, "pdf": PdfSettings}
"""Of each part that is Papermesh's own."""

_BESIDES = ("PAPERMESH_VAR", "PAPERMESH_ENVOY", "PAPERMESH_RATE_SCALE", "PAPERMESH_TOKEN", "PAPERMESH_URL")
"""What the deployment reads itself, and what a person at the same terminal gives the command line."""

_NEAR = 0.85
"""How alike two names must be, of 1, for the one to be meant by the other. PAPERMESH_ alone makes them half alike."""


def unknown(environment: Iterable[str], services: Sequence[Workload]) -> Iterator[str]:
    """A sentence for each variable that starts with PAPERMESH_ and that nothing reads.

    Args:
        environment: The names of the variables.
        services: What stands behind dispatch. One of the company's own reads what it likes that starts with its name.
    """
    known = {f"PAPERMESH_{field.upper()}" for settings in _SETTINGS.values() for field in settings.model_fields}
    known.update(_BESIDES, ports.variables(services), replicas.variables(services))
    theirs = tuple(variable(service.name, "") for service in services if service.name not in _SETTINGS)
    for name in sorted(environment):
        if name.startswith("PAPERMESH_") and name not in known and not name.startswith(theirs):
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
            yield f"Nothing reads {name}." + (f" Did you mean {near[0]}?" if near else "")
