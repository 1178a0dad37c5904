"""Load on a release from a pod inside the cluster: a port-forward would end with the one pod that it leads to."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.support.kubectl import execute, program
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release

CALLS = 2_000
"""The fewest around one disturbance."""

SAMPLE = Path(__file__).parents[3] / "samples" / "leave-policy.pdf"

_SCRIPT = Path(__file__).with_name("callers_in_a_pod.py")
_POD = "callers"
_CAPACITY_WITHIN_S = 120.0
_END_WITHIN_S = 400.0


@dataclass
class Load:
    """What the callers met. All but the capacity is known when the load has ended."""

    capacity: float
    """Calls a second that were answered when 20 callers waited for nothing but answers."""

    calls: int = 0
    seconds: float = 0.0
    median_ms: float = 0.0
    p99_ms: float = 0.0
    codes: dict[str, int] = field(default_factory=dict)
    """How often a first answer was not a correct one, by what it was instead."""

    lost: list[dict[str, Any]] = field(default_factory=list)
    """Each of them: at_s after the load began, what it was, retried_s until it was answered after all or None."""

    def figures(self) -> str:
        """One line for whoever looks on."""
        return (
            f"{self.calls} calls in {self.seconds:.0f} s at a third of {self.capacity:.0f} a second, "
            f"{len(self.lost)} lost {self.codes or ''}; median {self.median_ms:.0f} ms, p99 {self.p99_ms:.0f} ms"
        )


@contextmanager
def load(release: Release, calls: int = CALLS) -> Iterator[Load]:
    """Has 20 callers call at a third of the measured capacity while the block lasts, and until `calls` are made.

    The block begins when the capacity has been measured.
    """
    pod = restricted(_POD, release.image, labels={"test-role": "adapter-client"})
    key = {"secretKeyRef": {"name": f"{release.name}-api-key", "key": "api-key"}}
    container = pod["spec"]["containers"][0]
    container["env"] = [{"name": "PAPERMESH_API_KEY", "valueFrom": key}]
    container["resources"] = {"requests": {"cpu": "50m", "memory": "96Mi"}}
    with running(release.namespace, pod):
        execute(release.namespace, _POD, "sh", "-c", "cat >/tmp/document.pdf", given=SAMPLE.read_bytes())
        command = [program(), "-n", release.namespace, "exec", "-i", _POD, "--"]
        command += ["python", "-c", _SCRIPT.read_text(encoding="utf-8"), release.url, str(calls)]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as callers:
            try:
                met = Load(**_line(callers, _CAPACITY_WITHIN_S))
                yield met
                execute(release.namespace, _POD, "touch", "/tmp/stop")  # noqa: S108 - of the pod
                for name, value in _line(callers, _END_WITHIN_S).items():
                    setattr(met, name, value)
            finally:
                callers.kill()


def _line(process: "subprocess.Popen[str]", limit_s: float) -> dict[str, Any]:
    """The next line that a process prints, as JSON."""
    assert process.stdout is not None
    assert process.stderr is not None
    late = threading.Timer(limit_s, process.kill)
    late.start()
    line = process.stdout.readline()
    late.cancel()
    assert line, f"The callers ended without a word: {process.stderr.read()}"
    said: dict[str, Any] = json.loads(line)
    return said
