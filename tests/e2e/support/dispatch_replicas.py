"""How Envoy spreads calls over the replicas of dispatch."""

from deploy.local import replicas
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.standins.deployed import Standins
from tests.e2e.support.waiting import eventually

NAMES = ("dispatch", "dispatch-2")
"""Two replicas, by the names of their parts."""

BACK_S = 30
"""The longest that Envoy leaves out a replica that was started again."""


def both_take_calls(standins: Standins) -> None:
    """Waits until Envoy gives calls to both replicas, and the stand-in answers them."""
    before = taken(standins.mesh)

    def seen() -> bool:
        works = standins.work()
        now = taken(standins.mesh)
        return works and all(now[name] >= before[name] + 3 for name in now)

    eventually(seen, BACK_S, "calls to both replicas")


def busy(mesh: Deployment) -> str:
    """The replica that has the only call under way."""
    (name,) = (name for name, count in under_way(mesh).items() if count)
    return name


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
