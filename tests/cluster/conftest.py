import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.support import made_up
from tests.cluster.support.load import SHARE, Load, capacity, load
from tests.cluster.support.pods import LISTENS, own_namespace, restricted, running
from tests.cluster.support.release import Release, role


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade under load was like."""

    release: Release
    load: Load
    seconds: float
    """Until everything was ready."""

    kept: frozenset[str]
    """The parts with a pod that was there before."""


@pytest.fixture(scope="session")
def release() -> Release:
    """The release that `make cluster-test` has installed."""
    namespace = os.environ.get("PAPERMESH_CLUSTER_NAMESPACE")
    if not namespace:
        pytest.skip("PAPERMESH_CLUSTER_NAMESPACE names no namespace with a release; make cluster-test makes one")
    return Release(namespace, os.environ["PAPERMESH_CLUSTER_RELEASE"], os.environ["PAPERMESH_CLUSTER_IMAGE"])


@pytest.fixture(scope="session")
def pace(release: Release) -> float:
    """Calls a second, a third of what the release answers on this cluster."""
    found = capacity(release)
    sys.stdout.write(f"\ncapacity: {found:.0f} calls a second of 20 callers that wait for nothing else\n")
    return found * SHARE


@pytest.fixture(scope="session")
def outside(release: Release) -> Iterator[str]:
    """Another namespace, without policies, with one pod that listens on 8080."""
    name = f"{release.namespace}-outside"
    with own_namespace(name), running(name, restricted("outsider", release.image, LISTENS, port=8080)):
        yield name


@pytest.fixture(scope="session")
def upgraded(release: Release, pace: float, outside: str, tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    """The release after an upgrade under load, which changes its configuration and brings two services of one's own.

    It is the one upgrade of these tests, since each takes a minute and more: all others look at the release after it.
    """
    package = made_up.build(tmp_path_factory.mktemp("checkout"))
    made_up.publish_descriptors(package, release.namespace)
    values = {
        "logLevel": "WARNING",  # another environment of every Python part
        "envoy": {"connectionLimit": 9_000},  # another configuration of Envoy
        "services": made_up.entries(package, outside),
    }
    before = {pod["metadata"]["uid"] for pod in release.pods()}
    with load(release, pace) as met:
        seconds = release.upgrade(values)
        release.settle()
    kept = frozenset(role(pod) for pod in release.pods() if pod["metadata"]["uid"] in before)
    return Upgraded(release, met, seconds, kept)
