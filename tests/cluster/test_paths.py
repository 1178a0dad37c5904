"""The table of allowed paths in docs/kubernetes.md, tried from inside every pod against every address and port.

"Outside" is what is not the release's: another namespace, the API server, a kubelet. That these are there to be reached
is proved by a pod without policies. Ways that lead out of the cluster, to a bucket, an OpenID issuer, a Redis of one's
own, are tested where the chart is rendered.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support import made_up, paths
from tests.cluster.support.kubectl import Object, kubectl, objects
from tests.cluster.support.paths import CLOSED, OPEN, Path_, Source, Target
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(900)

HOOKS = ("setup", "test")
"""Parts that run for a moment only; others stand here in their places, with their labels and policies."""

GUESTS = ("adapter-client", "edge-client", "scraper")
"""Those whom a value lets in."""

MEANINGS = {
    "<service>": [made_up.NAME],
    "<port>": [str(made_up.PORT)],
    "<caller>": [made_up.BYSTANDER],
    "<egress>": ["outsider"],
    "<egress port>": ["8080"],
    "<adapterClients>": ["adapter-client"],
    "<edgeClients>": ["edge-client"],
    "<scrapers>": ["scraper"],
    "<redis caller>": [],
    "<every part>": [],
    "<otlp>": [],
    "<otlp port>": [],
    "<s3>": [],
    "<redis>": [],
    "<oidc>": [],
}

LIMIT_S = 30

FEWEST = 400
"""Connections that are tried at least."""


@dataclass(frozen=True)
class Found:
    """What every pod reached."""

    allowed: set[Path_]
    inside: set[Source]
    """The release's pods, and those in the hooks' places."""

    outsiders: set[Source]
    """Pods that no policy covers."""

    connections: dict[tuple[Source, Target], str]

    def may(self, source: Source, target: Target) -> bool:
        """Whether the table says so, or nobody holds the source back from what is not the release's."""
        free = source in self.outsiders and target.role in {"api server", "kubelet", "dns", "outsider"}
        return free or (source.role, target.role, target.port) in self.allowed


@pytest.fixture(scope="module")
def hooks(upgraded: Upgraded) -> Iterator[set[str]]:
    """The names of pods in the places of the setup Job and of `helm test`, with the policies that stand meanwhile."""
    release = upgraded.release
    policies = release.hooks("NetworkPolicy")
    named = [f"networkpolicy/{each['metadata']['name']}" for each in policies]
    kubectl("-n", release.namespace, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": policies})
    try:
        with running(release.namespace, *(stand_in(release, part) for part in HOOKS)):
            yield {stand_in(release, part)["metadata"]["name"] for part in HOOKS}
    finally:
        kubectl("-n", release.namespace, "delete", *named)


def stand_in(release: Release, part: str) -> Object:
    """A pod with a part's labels."""
    return restricted(f"in-place-of-{part}", release.image, labels=release.labels(part))


@pytest.fixture(scope="module")
def found(upgraded: Upgraded, hooks: set[str], outside: str) -> Iterator[Found]:
    """Every connection that the tests look at."""
    release = upgraded.release
    guests = [restricted(name, release.image, labels={"test-role": name}) for name in GUESTS]
    with running(release.namespace, restricted("stranger", release.image), *guests):
        outsiders = {Source(name, release.namespace, name) for name in ("stranger", *GUESTS)}
        outsiders.add(Source("outsider", outside, "outsider"))
        inside = set(paths.sources(release))
        assert hooks <= {source.pod for source in inside}
        (listener,) = objects("pods", "-n", outside)
        goals = [
            *paths.targets(release),
            *paths.of_the_cluster(),
            Target("outsider", listener["status"]["podIP"], 8080, "outsider"),
        ]
        yield Found(paths.documented(MEANINGS), inside, outsiders, paths.connect_all(inside | outsiders, goals))


def connects(source: Source, target: Target) -> bool:
    return paths.connect(source, [target])[target] == OPEN


def test_every_part_is_looked_at(found: Found) -> None:
    parts = {"adapter", "envoy", "dispatch", "pdf", "redis-state", "redis-cache", made_up.NAME, made_up.BYSTANDER}
    assert {source.role for source in found.inside} == parts | set(HOOKS)
    said = Counter(found.connections.values())
    sys.stdout.write(
        f"\n{sum(said.values())} connections from {len(found.inside | found.outsiders)} pods: {dict(said)}\n"
    )
    assert sum(said.values()) > FEWEST


def test_nothing_is_open_that_the_table_does_not_name(found: Found) -> None:
    wrong = {
        (source.pod, f"{target.role} {target.device}", said)
        for (source, target), said in found.connections.items()
        if said != CLOSED and not found.may(source, target)
    }
    assert wrong == set()


def test_each_pod_reaches_what_the_table_allows_it(found: Found) -> None:
    """One try may be lost on a busy machine; the second goes to what was not reached."""
    shut = [pair for pair, said in found.connections.items() if said != OPEN and found.may(*pair)]
    for source, target in shut:
        what = f"a connection from {source.pod} to {target.role} {target.device}"
        eventually(partial(connects, source, target), LIMIT_S, what)


def test_each_row_of_the_table_was_tried(found: Found) -> None:
    tried = {(source.role, target.role, target.port) for source, target in found.connections}
    assert found.allowed - tried == set()


def test_names_are_resolved_by_those_alone_who_may_reach_dns(found: Found) -> None:
    for source in found.inside:
        if (source.role, "dns", 53) in found.allowed:
            eventually(partial(paths.resolves, source), LIMIT_S, f"an answer to {source.pod}")
        else:
            assert not paths.resolves(source), source
