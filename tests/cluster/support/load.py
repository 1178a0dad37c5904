"""Load on a release from a pod inside the cluster: a port-forward would end with the one pod that it leads to."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.support.pods import restricted
from tests.cluster.support.release import Release
from tests.cluster.support.talking import Talker, talking

CALLS = 2_000
"""The fewest around one disturbance."""

SHARE = 1 / 3
"""The part of the capacity that a load asks for."""

_SCRIPT = Path(__file__).with_name("callers_in_a_pod.py")
_POD = "callers"
_BEGINS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 400.0


@dataclass
class Load:
    """What the callers met. All but the pace and the beginning is known when the load has ended."""

    per_second: float
    """The pace that was asked for."""

    began: float
    """By time.monotonic()."""

    calls: int = 0
    seconds: float = 0.0
    median_ms: float = 0.0
    p99_ms: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    """How often a first answer was not a correct one, by what it was instead."""

    lost: list[dict[str, Any]] = field(default_factory=list)
    """Each: at_s after the beginning it ended; took_s; what it was; retried_s until it was answered well, or None."""

    def must_have_lost_nothing(self, what: str) -> None:
        """Shows the figures; fails when a call was lost, or when there were too few to say so."""
        sys.stdout.write(f"\n{what}: {self.figures()}\n")
        assert self.lost == []
        assert self.calls >= CALLS

    def figures(self) -> str:
        """One line for whoever looks on."""
        return (
            f"{self.calls} calls in {self.seconds:.0f} s, {self.per_second:.0f} a second asked for, "
            f"{len(self.lost)} lost {self.codes or ''}; median {self.median_ms:.0f} ms, p99 {self.p99_ms:.0f} ms"
        )


def capacity(release: Release) -> float:
    """How many calls a second are answered when 20 callers wait for nothing but answers."""
    with _callers(release) as callers:
        return float(callers.line(_BEGINS_WITHIN_S)["capacity"])


@contextmanager
def load(release: Release, per_second: float, calls: int = CALLS) -> Iterator[Load]:
    """Has 20 callers call at a steady pace while the block lasts, and until `calls` are made."""
    with _callers(release, f"{per_second:.1f}", str(calls)) as callers:
        callers.line(_BEGINS_WITHIN_S)
        met = Load(per_second, time.monotonic())
        yield met
        callers.stop()
        for name, value in callers.line(_ENDS_WITHIN_S).items():
            setattr(met, name, value)


def _callers(release: Release, *pace: str) -> AbstractContextManager[Talker]:
    pod = restricted(_POD, release.image, labels={"test-role": "adapter-client"})
    key = {"secretKeyRef": {"name": f"{release.name}-api-key", "key": "api-key"}}
    container = pod["spec"]["containers"][0]
    container["env"] = [{"name": "PAPERMESH_API_KEY", "valueFrom": key}]
    container["resources"] = {"requests": {"cpu": "50m", "memory": "96Mi"}}
    return talking(release.namespace, pod, _SCRIPT, release.url, *pace)
