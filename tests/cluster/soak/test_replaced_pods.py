"""Pods come and go under load, and no call is lost. Each test finds a release with everything ready, and leaves one.

An upgrade is tested by `make cluster-test`.
"""

import pytest

from tests.cluster.support.evictions import evict
from tests.cluster.support.load import load
from tests.cluster.support.release import Release, role
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(1_200)

READY_WITHIN_S = 240


def test_a_rollback_loses_no_call(release: Release, pace: float) -> None:
    release.upgrade({"logLevel": "ERROR"})
    release.settle()
    with load(release, pace) as met:
        release.rollback()
        release.settle()
    met.must_have_lost_nothing("rollback")


def test_scaling_in_from_three_pods_to_one_loses_no_call(release: Release, pace: float) -> None:
    release.scale("pdf", 3)
    eventually(lambda: release.has("pdf", 3), READY_WITHIN_S, "three pods")
    with load(release, pace) as met:
        release.scale("pdf", 1)
        eventually(lambda: len(release.pods("pdf")) == 1, READY_WITHIN_S, "the end of two pods")
        release.settle()
    release.scale("pdf", 2)
    eventually(lambda: release.has("pdf", 2), READY_WITHIN_S, "two pods")
    met.must_have_lost_nothing("pdf from 3 to 1")


def test_the_eviction_of_every_pod_but_redis_loses_no_call(release: Release, pace: float) -> None:
    pods = [pod for pod in release.pods() if not role(pod).startswith("redis")]
    with load(release, pace) as met:
        for pod in pods:
            eventually(lambda pod=pod: evict(pod), READY_WITHIN_S, "an eviction")  # type: ignore[misc]
        eventually(release.all_ready, READY_WITHIN_S, "readiness of all pods")
        release.settle()
    met.must_have_lost_nothing(f"eviction of {len(pods)} pods")
