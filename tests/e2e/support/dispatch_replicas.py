"""How Envoy spreads calls over the replicas of dispatch."""

from deploy.local import replicas
from tests.e2e.support.deployment import Deployment

NAMES = ("dispatch", "dispatch-2")
"""Two replicas, by the names of their parts."""


def taken(mesh: Deployment) -> dict[str, int]:
    """How many calls Envoy has handed to each replica so far."""
    return _figures(mesh, "rq_total")


def under_way(mesh: Deployment) -> dict[str, int]:
    """How many calls each replica is at work on now."""
    return _figures(mesh, "rq_active")


def _figures(mesh: Deployment, figure: str) -> dict[str, int]:
    hosts = {
        f"127.0.0.1:{replicas.port(mesh.stack.ports.dispatch, number)}": name for number, name in enumerate(NAMES, 1)
    }
    found = dict.fromkeys(NAMES, 0)
    for line in mesh.envoy("/clusters").text.splitlines():
        match line.split("::"):
            case ["dispatch", host, name, value] if name == figure:
                found[hosts[host]] = int(value)
    return found
