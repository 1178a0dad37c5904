"""SIGKILL for a container from outside, as in life: nobody inside can kill the first process of its namespace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cluster.support.kubectl import Object, execute, kubectl
from tests.cluster.support.pods import WAITS, own_namespace, running

_POD = "killer"
_KILL = """
import os, sys
from pathlib import Path
for folder in Path("/proc").glob("[0-9]*"):
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        if status["NSpid"].split()[1:] == ["1"] and sys.argv[1] in (folder / "cgroup").read_text():
            os.kill(int(folder.name), 9)
            print(folder.name)
    except (FileNotFoundError, ProcessLookupError):
        pass
"""


@dataclass(frozen=True)
class Killer:
    """A pod on the node that sees its processes. The cluster has one node."""

    namespace: str

    def kill(self, container: Object) -> bool:
        """Kills the first process of a container, given by its status; False when it does not run."""
        identity = container["containerID"].rpartition("/")[2]
        return bool(execute(self.namespace, _POD, "python", "-c", _KILL, identity).strip())


@contextmanager
def killer(namespace: str, image: str) -> Iterator[Killer]:
    """A killer for as long as the block lasts, in a namespace of its own that lets it in."""
    with own_namespace(namespace):
        kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")
        with running(namespace, _pod(image)):
            yield Killer(namespace)


def _pod(image: str) -> Object:
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": WAITS,
        "securityContext": {"privileged": True, "runAsUser": 0},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD},
        "spec": {"hostPID": True, "terminationGracePeriodSeconds": 1, "containers": [container]},
    }
