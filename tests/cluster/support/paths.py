"""Who reaches whom: the table of docs/kubernetes.md, and what connections from inside the pods say."""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.support.kubectl import execute, objects
from tests.cluster.support.release import Release, role

PAGE = Path(__file__).parents[3] / "docs" / "kubernetes.md"

Path_ = tuple[str, str, int]
"""Who, to whom, on which port."""

OPEN, REFUSED, CLOSED = "open", "refused", "closed"
"""A connection; an answer all the same, so that packets pass; and silence."""

_ROW = re.compile(r"^\|(?P<from>[^|]+)\|(?P<to>[^|]+)\|(?P<port>[^|]+)\|[^|]*\|$", re.MULTILINE)
_WORD = re.compile(r"`([^`]+)`")
_PROBE = """
for target in "$@"; do
  (timeout 3 bash -c "exec 3<>/dev/tcp/$target" 2>/dev/null; echo "$target $?") &
done
wait
"""
"""Every image here has bash and timeout; not all have Python."""

_SAID = {"0": OPEN, "1": REFUSED, "124": CLOSED}
_AT_ONCE = 4


@dataclass(frozen=True)
class Source:
    """A pod that connections are opened from."""

    role: str
    namespace: str
    pod: str


@dataclass(frozen=True)
class Target:
    """An address and port that connections are opened to."""

    role: str
    address: str
    port: int
    pod: str = ""
    """The pod that has the address, if it is one's."""

    @property
    def device(self) -> str:
        """As bash writes it."""
        return f"{self.address}/{self.port}"


def documented(meanings: Mapping[str, Iterable[str]]) -> set[Path_]:
    """The paths that the page's table says are open.

    Args:
        meanings: What stands for a placeholder such as `<service>`: names or ports; none when it is not there.
    """
    text = PAGE.read_text(encoding="utf-8")
    section = text.split("## Allowed paths", 1)[1].split("\n## ", 1)[0]
    return {
        (source, target, int(port))
        for row in _ROW.finditer(section)
        for source in _named(row["from"], meanings)
        for target in _named(row["to"], meanings)
        for port in _named(row["port"], meanings)
    }


def _named(cell: str, meanings: Mapping[str, Iterable[str]]) -> list[str]:
    found: list[str] = []
    for word in _WORD.findall(cell):
        found += meanings[word] if word.startswith("<") else [word]
    return found


def sources(release: Release) -> list[Source]:
    """Every pod of the release."""
    return [Source(role(pod), release.namespace, pod["metadata"]["name"]) for pod in release.pods()]


def targets(release: Release) -> list[Target]:
    """Every port that a container of the release names, on the address of each of its pods."""
    return [
        Target(role(pod), pod["status"]["podIP"], port["containerPort"], pod["metadata"]["name"])
        for pod in release.pods()
        for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
        for port in container.get("ports", ())
    ]


def of_the_cluster() -> list[Target]:
    """The API server by its Service and by its address outside the pods' network, a kubelet, and DNS."""
    (service,) = [each for each in objects("services", "-n", "default") if each["metadata"]["name"] == "kubernetes"]
    (slice_,) = objects("endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes")
    node = objects("nodes")[0]["status"]["addresses"]
    dns = objects("pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "--field-selector=status.phase=Running")
    return [
        Target("api server", service["spec"]["clusterIP"], service["spec"]["ports"][0]["port"]),
        Target("api server", slice_["endpoints"][0]["addresses"][0], slice_["ports"][0]["port"]),
        Target("kubelet", next(each["address"] for each in node if each["type"] == "InternalIP"), 10250),
        *(Target("dns", pod["status"]["podIP"], 53, pod["metadata"]["name"]) for pod in dns),
    ]


def connect(source: Source, wanted: Iterable[Target]) -> dict[Target, str]:
    """Opens a connection from a pod to each target but its own addresses; OPEN, REFUSED or CLOSED."""
    others = {target.device: target for target in wanted if target.pod != source.pod}
    said = execute(source.namespace, source.pod, "bash", "-c", _PROBE, "bash", *others)
    status = dict(line.split() for line in said.splitlines())
    return {target: _SAID[status[device]] for device, target in others.items()}


def connect_all(every: Iterable[Source], wanted: Iterable[Target]) -> dict[tuple[Source, Target], str]:
    """`connect` from each of the sources."""
    goals = list(wanted)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda source: (source, connect(source, goals)), every)
        return {(source, target): said for source, answers in found for target, said in answers.items()}


def resolves(source: Source) -> bool:
    """Whether a pod gets an answer from the cluster's DNS by its own resolver, over UDP."""
    ask = "RES_OPTIONS='attempts:1 timeout:2' getent ahostsv4 kubernetes.default.svc.cluster.local. || true"
    return bool(execute(source.namespace, source.pod, "bash", "-c", ask))
