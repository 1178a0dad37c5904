"""Every disturbance of a release under load, one after the other: `make cluster-soak`, a quarter of an hour and more.

Each test finds a release with everything ready, and leaves one. An upgrade is tested by `make cluster-test`.
"""

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.support.asking import Asker, asking
from tests.cluster.support.killer import Killer, killer
from tests.cluster.support.kubectl import Object, execute, kubectl
from tests.cluster.support.load import CALLS, Load, load
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release, role
from tests.e2e.support.waiting import eventually

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(1_200),
    pytest.mark.skipif("PAPERMESH_SOAK" not in os.environ, reason="make cluster-soak runs these"),
]

TRANSIENT = {"UNAVAILABLE", "TIMEOUT", "ENGINE_FAIL", "RATE_LIMITED"}
BROKEN = {"ReadError", "RemoteProtocolError", "ConnectError", "WriteError", "ReadTimeout", "ConnectTimeout"}
"""What a caller meets where the adapter itself died."""

KILLED_FOR_S = 300
KILL_EVERY_S = 10
RETRIED_WITHIN_S = 30
READY_WITHIN_S = 240
SERVES_AGAIN_WITHIN_S = 5
SAYS_SO_WITHIN_S = 2

WORDS = {
    "adapter": "mcp_adapter",
    "dispatch": "services.dispatch",
    "envoy": "--config-path",
    "pdf": "services.pdf",
    "redis-state": "redis-server",
    "redis-cache": "redis-server",
}
"""What the command line of each part's container has."""

SERIALS = """
import ssl, sys
from cryptography import x509
for listener in sys.argv[1:]:
    host, port = listener.rsplit(":", 1)
    shown = ssl.get_server_certificate((host, int(port)), timeout=10)
    print(listener, x509.load_pem_x509_certificate(shown.encode()).serial_number)
"""
"""Shakes hands with listeners; they show their certificate before they ask for the caller's."""

LISTENERS = {"dispatch": 9101, "pdf": 9102}
"""Behind Envoy, which alone reaches them."""


@pytest.fixture(scope="module")
def steady(release: Release) -> Release:
    """The release with as many pods as its values say, since nothing scales them by itself."""
    release.upgrade({"services": {"pdf": {"autoscaling": {"enabled": False}, "replicas": 2}}})
    release.settle()
    return release


@pytest.fixture(scope="module")
def asker(release: Release) -> Iterator[Asker]:
    with asking(release) as asker:
        yield asker


@pytest.fixture(scope="module")
def killing(release: Release) -> Iterator[Killer]:
    with killer(f"{release.namespace}-killer", release.image) as killing:
        yield killing


def nothing_lost(what: str, met: Load) -> None:
    sys.stdout.write(f"\n{what}: {met.figures()}\n")
    assert met.lost == []
    assert met.calls >= CALLS


def ready(release: Release) -> bool:
    """Whether all pods of the release are ready, and those that go are gone."""
    return all(is_ready(pod) for pod in release.pods())


def is_ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def restarts(release: Release) -> dict[str, int]:
    """How often each pod's containers have begun anew."""
    return {
        pod["metadata"]["name"]: sum(each["restartCount"] for each in pod["status"]["containerStatuses"])
        for pod in release.pods()
    }


def serials(release: Release) -> dict[str, str]:
    """The serial number of the certificate that every listener of every pod shows."""
    edge = [f"{pod['status']['podIP']}:8443" for pod in release.pods("envoy")]
    behind = [f"{pod['status']['podIP']}:{port}" for part, port in LISTENERS.items() for pod in release.pods(part)]
    envoy = release.pods("envoy")[0]["metadata"]["name"]
    said = execute(release.namespace, "shaking-hands", "python", "-c", SERIALS, *edge)
    said += execute(release.namespace, envoy, "python", "-c", SERIALS, *behind, container="drain")
    return dict(line.split() for line in said.splitlines())


@pytest.fixture(scope="module")
def hand(release: Release) -> Iterator[None]:
    """A pod that may reach Envoy's edge."""
    labels = {"test-role": "edge-client"}
    with running(release.namespace, restricted("shaking-hands", release.image, labels=labels)):
        yield


def test_a_rollback_loses_no_call(steady: Release) -> None:
    steady.upgrade({"logLevel": "ERROR"})
    steady.settle()
    with load(steady) as met:
        steady.rollback()
        steady.settle()
    nothing_lost("rollback", met)


def test_scaling_in_from_three_pods_to_one_loses_no_call(steady: Release) -> None:
    deployment = f"deployment/{steady.name}-pdf"
    kubectl("-n", steady.namespace, "scale", deployment, "--replicas=3")
    kubectl("-n", steady.namespace, "rollout", "status", deployment, "--timeout=120s")
    with load(steady) as met:
        kubectl("-n", steady.namespace, "scale", deployment, "--replicas=1")
        eventually(lambda: len(steady.pods("pdf")) == 1, READY_WITHIN_S, "the end of two pods")
        steady.settle()
    kubectl("-n", steady.namespace, "scale", deployment, "--replicas=2")
    eventually(lambda: ready(steady) and len(steady.pods("pdf")) == 2, READY_WITHIN_S, "two pods")
    nothing_lost("pdf from 3 to 1", met)


def test_the_eviction_of_every_pod_but_redis_loses_no_call(steady: Release) -> None:
    pods = [pod for pod in steady.pods() if not role(pod).startswith("redis")]
    with load(steady) as met:
        for pod in pods:
            evict(steady, pod["metadata"]["name"])
        eventually(lambda: ready(steady), READY_WITHIN_S, "readiness of all pods")
        steady.settle()
    nothing_lost(f"eviction of {len(pods)} pods", met)


def evict(release: Release, pod: str) -> None:
    """Asks for an eviction until the disruption budget allows it, as `kubectl drain` does."""
    path = f"/api/v1/namespaces/{release.namespace}/pods/{pod}/eviction"
    about = {"name": pod, "namespace": release.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}

    def allowed() -> bool:
        try:
            kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction))
        except AssertionError as refusal:
            if "disruption budget" not in str(refusal):
                raise
            return False
        return True

    eventually(allowed, READY_WITHIN_S, f"the eviction of {pod}")


@pytest.mark.parametrize("what", ["leaves", "ca"])
@pytest.mark.usefixtures("hand")
def test_a_rotation_loses_no_call(steady: Release, what: str) -> None:
    before = serials(steady)
    with load(steady) as met:
        took = steady.upgrade({"certificates": {"rotate": {what: f"soak-{time.time():.0f}"}}})
        eventually(lambda: all_new(before, serials(steady)), READY_WITHIN_S, "new certificates on every listener")
    nothing_lost(f"rotation of {what}, {took:.0f} s", met)


def test_while_redis_is_away_calls_are_unavailable_at_once_and_then_work_again(
    steady: Release, asker: Asker, killing: Killer
) -> None:
    reference = asker.upload(b"%PDF-1.7 no document, but known")
    before = restarts(steady)
    pod = f"{steady.name}-redis-state-0"
    assert killing.kill(pod, WORDS["redis-state"]) == 1
    began = time.monotonic()
    answer = asker.invoke("PDF_METADATA", {"doc_ref": reference})
    took = time.monotonic() - began
    if answer["error"]["code"] == "UNAVAILABLE":  # else it was back already
        assert took < SAYS_SO_WITHIN_S
    eventually(lambda: is_ready(steady.pods("redis-state")[0]), READY_WITHIN_S, "Redis")
    limit = SERVES_AGAIN_WITHIN_S
    back = eventually(lambda: said(asker, reference) != "UNAVAILABLE", limit, "an answer of the document engine")
    others = {name: count for name, count in restarts(steady).items() if name != pod}
    assert others == {name: count for name, count in before.items() if name != pod}
    sys.stdout.write(
        f"\nRedis killed: first {answer['error']['code']} after {took:.1f} s, back {back:.1f} s after Ready\n"
    )


def all_new(before: dict[str, str], now: dict[str, str]) -> bool:
    """Whether the same listeners all show another certificate."""
    return before.keys() == now.keys() and not before.items() & now.items()


def said(asker: Asker, reference: dict[str, Any]) -> str:
    """The code with which a document that is none is refused."""
    code: str = asker.invoke("PDF_METADATA", {"doc_ref": reference})["error"]["code"]
    return code


def test_kills_at_random_cost_typed_errors_that_a_retry_heals(steady: Release, killing: Killer) -> None:
    seed = random.randrange(1_000_000)  # noqa: S311 - not a secret
    chance = random.Random(seed)  # noqa: S311 - not a secret
    killed: list[str] = []
    with load(steady) as met:
        end = time.monotonic() + KILLED_FOR_S
        while time.monotonic() < end:
            pod = chance.choice(steady.pods())
            part = role(pod)
            if killing.kill(pod["metadata"]["name"], WORDS[part]):
                killed.append(part)
            due = time.monotonic() + KILL_EVERY_S
            eventually(lambda due=due: time.monotonic() > due, KILL_EVERY_S + 1)  # type: ignore[misc]
        eventually(lambda: ready(steady), READY_WITHIN_S, "readiness of all pods")
    sys.stdout.write(f"\n{len(killed)} kills with seed {seed}: {met.figures()}\n")
    assert {each["what"] for each in met.lost} <= TRANSIENT | BROKEN
    late = [each for each in met.lost if each["retried_s"] is None or each["retried_s"] > RETRIED_WITHIN_S]
    assert late == []
    assert not {each["what"] for each in met.lost} & BROKEN or {"adapter"} & set(killed)
