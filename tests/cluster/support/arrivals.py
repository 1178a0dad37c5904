"""When the first call reached a new pod: read from Envoy's access logs, which name where each call went."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.cluster.support.kubectl import Object, kubectl
from tests.cluster.support.release import Release, is_ready
from tests.e2e.support.waiting import eventually

PATHS = "/papermesh.pdf.v1.PdfService/"
"""What callers ask of pdf; dispatch's own question for its version is another service's."""

_ARRIVES_WITHIN_S = 120.0


@dataclass(frozen=True)
class Arrival:
    """A new pod's first call."""

    pod: str
    after_s: float
    """Seconds from its Ready condition, which Kubernetes dates by whole seconds, rounded down; negative before it."""


def envoys(release: Release) -> dict[str, int]:
    """Envoy's pods and how often their containers have begun anew."""
    names = {pod["metadata"]["name"] for pod in release.pods("envoy")}
    return {name: count for name, count in release.restarts().items() if name in names}


def first_calls(release: Release, pods: Iterable[Object], since: datetime) -> list[Arrival]:
    """Waits until each pod of pdf has its first call.

    Args:
        release: Where.
        pods: New ones, ready.
        since: When none of them was there yet.
    """
    wanted = {pod["status"]["podIP"]: pod for pod in pods}
    first: dict[str, datetime] = {}

    def all_called() -> bool:
        for envoy in release.pods("envoy"):
            for address, moment in _calls(release, envoy["metadata"]["name"], since):
                if address in wanted:
                    first[address] = min(moment, first.get(address, moment))
        return first.keys() == wanted.keys()

    eventually(all_called, _ARRIVES_WITHIN_S, "a call on each new pod")
    return [
        Arrival(pod["metadata"]["name"], (first[address] - _ready_at(pod)).total_seconds())
        for address, pod in wanted.items()
    ]


def new_pods(release: Release, part: str, before: Iterable[str]) -> list[Object]:
    """The pods of a part that are ready and whose names are not among those."""
    known = set(before)
    return [pod for pod in release.pods(part) if pod["metadata"]["name"] not in known and is_ready(pod)]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _calls(release: Release, envoy: str, since: datetime) -> Iterable[tuple[str, datetime]]:
    """The address that each good call went to, and when."""
    log = kubectl("-n", release.namespace, "logs", envoy, "-c", "envoy", f"--since-time={since:%Y-%m-%dT%H:%M:%SZ}")
    for line in log.splitlines():
        if PATHS in line:
            entry = json.loads(line)
            if entry["grpc_status"] == "OK" and entry["host"]:
                yield entry["host"].rpartition(":")[0], datetime.fromisoformat(entry["time"])


def _ready_at(pod: Object) -> datetime:
    (ready,) = (each for each in pod["status"]["conditions"] if each["type"] == "Ready")
    return datetime.fromisoformat(ready["lastTransitionTime"])
