"""pdf's workers inside a restricted pod of a real cluster, whose seccomp profile refuses `unshare`.

Runs where PAPERMESH_CLUSTER_IMAGE names the image, as the cluster of KUBECONFIG knows it; `make cluster-test` sets it.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

IMAGE = os.environ.get("PAPERMESH_CLUSTER_IMAGE", "")
ROOT = Path(__file__).parents[2]
SITE_PACKAGES = "/app/.venv/lib/python3.11/site-packages"
DENIED = ("EPERM", "EACCES")

pytestmark = pytest.mark.skipif(not IMAGE, reason="PAPERMESH_CLUSTER_IMAGE names no image in a cluster")


def kubectl(*arguments: str, given: object = None) -> str:
    command = ["kubectl", *arguments]
    text = None if given is None else json.dumps(given)
    ended = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    name = f"papermesh-workers-{secrets.token_hex(3)}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl(
        "create",
        "-f",
        "-",
        given={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
    )
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def found(namespace: str) -> dict[str, Any]:
    """What the probe in the pod found."""
    kubectl(
        "-n",
        namespace,
        "create",
        "configmap",
        "probe",
        f"--from-file={ROOT / 'tests/cluster/confined.py'}",
        f"--from-file={ROOT / 'tests/services/pdf/probe_worker.py'}",
    )
    kubectl("-n", namespace, "create", "-f", "-", given=pod())
    kubectl("-n", namespace, "wait", "pod/confined", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=180s")
    answer: dict[str, Any] = json.loads(kubectl("-n", namespace, "logs", "confined").splitlines()[-1])
    return answer


def pod() -> dict[str, Any]:
    """A pod as restricted as the chart's."""
    probe = {"name": "probe", "readOnly": True}
    container = {
        "name": "pdf",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "/probe/confined.py"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {**probe, "mountPath": "/probe"},
            {**probe, "mountPath": f"{SITE_PACKAGES}/probe_worker.py", "subPath": "probe_worker.py"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the pod
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "confined"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "probe", "configMap": {"name": "probe"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        },
    }


def test_the_pod_runs_as_the_images_user_and_its_profile_refuses_a_network_of_its_own(found: dict[str, Any]) -> None:
    assert found["user"] == 10001
    assert found["unshare"] == "EPERM"


def test_the_service_has_a_network_so_that_its_workers_lack_of_one_is_their_own(found: dict[str, Any]) -> None:
    assert found["service reaches the API server"] is True


def test_a_worker_has_no_network_and_no_way_to_get_one(found: dict[str, Any]) -> None:
    assert {name: answer for name, answer in found["worker"]["calls"].items() if answer not in DENIED} == {}


def test_a_worker_reads_its_document_and_nothing_of_the_container(found: dict[str, Any]) -> None:
    files = found["worker"]["files"]
    assert files.pop("document.pdf") == ""
    assert {path: answer for path, answer in files.items() if answer not in DENIED} == {}


def test_a_worker_holds_one_socket_and_no_environment(found: dict[str, Any]) -> None:
    held = found["worker"]["held"]
    assert held["environment"] == {}
    assert held["descriptors"] == {"0": "null", "1": "null", "2": "null", "3": "socket"}


def test_landlock_is_there_inside_the_pod(found: dict[str, Any]) -> None:
    assert found["landlock"] >= 1
