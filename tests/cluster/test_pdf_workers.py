"""pdf's workers inside a restricted pod of a real cluster, whose seccomp profile refuses `unshare`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.support.kubectl import Object, kubectl
from tests.cluster.support.pods import own_namespace, restricted
from tests.cluster.support.release import Release

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = "/app/.venv/lib/python3.11/site-packages"
DENIED = ("EPERM", "EACCES")


@pytest.fixture(scope="module")
def namespace(release: Release) -> Iterator[str]:
    """One without policies: that a worker has no network must be its own doing."""
    name = f"{release.namespace}-workers"
    with own_namespace(name):
        yield name


@pytest.fixture(scope="module")
def found(release: Release, namespace: str) -> dict[str, Any]:
    """What the probe in the pod found."""
    scripts = ("tests/cluster/confined.py", "tests/services/pdf/probes.py")
    kubectl("-n", namespace, "create", "configmap", "probe", *(f"--from-file={ROOT / script}" for script in scripts))
    kubectl("-n", namespace, "create", "-f", "-", given=confined(release.image))
    kubectl("-n", namespace, "wait", "pod/confined", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=180s")
    answer: dict[str, Any] = json.loads(kubectl("-n", namespace, "logs", "confined").splitlines()[-1])
    return answer


def confined(image: str) -> Object:
    """A pod as restricted as the chart's, which runs the probe once."""
    pod = restricted("confined", image, ["python", "/probe/confined.py"])
    pod["spec"]["restartPolicy"] = "Never"
    pod["spec"]["volumes"].append({"name": "probe", "configMap": {"name": "probe"}})
    probe = {"name": "probe", "readOnly": True}
    pod["spec"]["containers"][0]["volumeMounts"] += [
        {**probe, "mountPath": "/probe"},
        {**probe, "mountPath": f"{SITE_PACKAGES}/probes.py", "subPath": "probes.py"},
    ]
    return pod


def test_the_pod_runs_as_the_images_user_and_its_profile_refuses_a_network_of_its_own(found: dict[str, Any]) -> None:
    assert found["user"] == 10001
    assert found["unshare"] == "EPERM"


def test_the_service_has_a_network_so_that_its_workers_lack_of_one_is_their_own(found: dict[str, Any]) -> None:
    assert found["service reaches the API server"] is True


def test_a_worker_has_no_network_and_no_way_to_get_one(found: dict[str, Any]) -> None:
    assert {name: answer for name, answer in found["worker"]["calls"].items() if answer not in DENIED} == {}


def test_a_worker_opens_no_file_of_the_container_by_its_name(found: dict[str, Any]) -> None:
    assert set(found["worker"]["files"].values()) == {"EPERM"}


def test_a_worker_holds_one_socket_its_document_and_no_environment(found: dict[str, Any]) -> None:
    held = found["worker"]["held"]
    assert held["environment"] == {}
    assert held["descriptors"] == {"0": "null", "1": "null", "2": "null", "3": "socket", "4": "document"}


def test_landlock_is_there_inside_the_pod(found: dict[str, Any]) -> None:
    assert found["landlock"] >= 1
