"""The autoscaler scales pdf from one pod to three, under load."""

import sys
from collections.abc import Iterator

import pytest

from tests.cluster.support.arrivals import envoys, first_calls, new_pods, now
from tests.cluster.support.load import load
from tests.cluster.support.release import Release
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(1_200)

CALLED_WITHIN_S = 10
SCALED_WITHIN_S = 300
READY_WITHIN_S = 120
LOW_PERCENT = 10
"""Of what pdf requests: what the load takes is above it, on any machine."""


@pytest.fixture
def alone(release: Release) -> Iterator[Release]:
    """A release with one pod of pdf, and no autoscaler yet."""
    release.scale("pdf", 1)
    eventually(lambda: release.has("pdf", 1), READY_WITHIN_S, "one pod")
    release.settle()
    yield release
    release.upgrade({"services": {"pdf": {"autoscaling": {"enabled": False}}}})
    eventually(lambda: release.has("pdf", 2), READY_WITHIN_S, "two pods")
    release.settle()


def test_each_new_pod_has_its_first_call_within_seconds_of_being_ready(alone: Release, pace: float) -> None:
    before, old = envoys(alone), [pod["metadata"]["name"] for pod in alone.pods("pdf")]
    autoscaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 3, "cpuUtilization": LOW_PERCENT}
    with load(alone, pace) as met:
        since = now()
        alone.upgrade({"services": {"pdf": {"autoscaling": autoscaling}}})
        eventually(lambda: alone.has("pdf", 3), SCALED_WITHIN_S, "three pods")
        arrivals = first_calls(alone, new_pods(alone, "pdf", old), since)
    sys.stdout.write(f"\npdf from 1 to 3 by the autoscaler: {arrivals}\n")
    met.must_have_lost_nothing("pdf from 1 to 3 by the autoscaler")
    assert len(arrivals) == 2
    assert max(each.after_s for each in arrivals) <= CALLED_WITHIN_S
    assert envoys(alone) == before
