import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cluster.support import made_up
from tests.cluster.support.load import SHARE, Load, capacity, load
from tests.cluster.support.pods import LISTENS, own_namespace, restricted, running
from tests.cluster.support.release import Release, role
from tests.deploy.helm import chart


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade under load was like."""

    release: Release
    load: Load
    seconds: float
    """Until everything was ready."""

    kept: frozenset[str]
    """The parts with a pod that was there before."""

    old_image: str
    images: frozenset[str]
    """Those of all containers when it had ended."""

    wanted_chart: str
    chart: str
    """The version that it was asked for, and the one that it led to."""


@pytest.fixture(scope="session")
def release() -> Release:
    """The release that `make cluster-test` has installed."""
    namespace = os.environ.get("PAPERMESH_CLUSTER_NAMESPACE")
    if not namespace:
        pytest.fail(
            "PAPERMESH_CLUSTER_NAMESPACE names no namespace with a release; make cluster-test makes one", pytrace=False
        )
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
    """The release after an upgrade under load: of image, chart and configuration, with two new services of one's own.

    It is the one upgrade of these tests, since each takes a minute and more: all others look at the release after it.
    """
    newer = replace(release, image=os.environ["PAPERMESH_CLUSTER_NEW_IMAGE"])
    folder, version = newer_chart(tmp_path_factory.mktemp("chart"))
    package = made_up.build(tmp_path_factory.mktemp("checkout"))
    made_up.publish_descriptors(package, release.namespace)
    values = {
        "image": newer.image_values(),
        "logLevel": "WARNING",  # another environment of every Python part
        "envoy": {"connectionLimit": 9_000},  # another configuration of Envoy
        "services": made_up.entries(package, outside),
    }
    before = {pod["metadata"]["uid"] for pod in release.pods()}
    with load(release, pace) as met:
        seconds = release.upgrade(values, folder)
        release.settle()
    kept = frozenset(role(pod) for pod in release.pods() if pod["metadata"]["uid"] in before)
    images = frozenset(each["image"] for pod in release.pods() for each in chart.containers(pod["spec"]))
    return Upgraded(newer, met, seconds, kept, release.image, images, version, release.chart_version())


def newer_chart(scratch: Path) -> tuple[Path, str]:
    """A copy of the chart, of the next version, and that version."""
    folder = scratch / "papermesh"
    shutil.copytree(chart.CHART, folder)
    about = folder / "Chart.yaml"
    text = about.read_text(encoding="utf-8")
    ((minor, patch),) = re.findall(r"^version: (\d+\.\d+)\.(\d+)$", text, re.MULTILINE)
    newer = f"{minor}.{int(patch) + 1}"
    about.write_text(text.replace(f"\nversion: {minor}.{patch}\n", f"\nversion: {newer}\n"), encoding="utf-8")
    return folder, newer
