"""A person scales pdf from one pod to three, under load."""

import sys

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support.arrivals import envoys, first_calls, new_pods, now
from tests.cluster.support.load import load
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(900)

CALLS = 500
CALLED_WITHIN_S = 10
READY_WITHIN_S = 120


def test_each_new_pod_has_its_first_call_within_seconds_of_being_ready(upgraded: Upgraded, pace: float) -> None:
    release = upgraded.release
    release.scale("pdf", 1)
    eventually(lambda: release.has("pdf", 1), READY_WITHIN_S, "one pod")
    before, old = envoys(release), [pod["metadata"]["name"] for pod in release.pods("pdf")]
    with load(release, pace, CALLS) as met:
        since = now()
        release.scale("pdf", 3)
        eventually(lambda: release.has("pdf", 3), READY_WITHIN_S, "three pods")
        arrivals = first_calls(release, new_pods(release, "pdf", old), since)
    sys.stdout.write(f"\npdf from 1 to 3 by hand: {arrivals}; {met.figures()}\n")
    release.scale("pdf", 2)
    eventually(lambda: release.has("pdf", 2), READY_WITHIN_S, "two pods")
    release.settle()
    assert len(arrivals) == 2
    assert max(each.after_s for each in arrivals) <= CALLED_WITHIN_S
    assert met.lost == []
    assert envoys(release) == before
