"""Redis goes, by SIGKILL and by an eviction: calls are refused at once, and work when it is back; none counts twice."""

import math
import sys
from collections.abc import Callable
from time import monotonic

import pytest

from tests.cluster.support.evictions import evict
from tests.cluster.support.killer import Killer
from tests.cluster.support.kubectl import Object
from tests.cluster.support.load import CALLS, load
from tests.cluster.support.release import Release, containers, is_ready
from tests.cluster.support.signers import REPLAYED, signers
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(1_200)

READY_WITHIN_S = 240
SAYS_SO_WITHIN_S = 2
SERVES_AGAIN_WITHIN_S = 5

Run = tuple[str, int]
"""Of a pod with one container: changes when either is another."""


@pytest.fixture(params=["killed", "evicted"])
def how(request: pytest.FixtureRequest) -> str:
    """How Redis goes."""
    name: str = request.param
    return name


@pytest.fixture
def send_away(how: str, killing: Killer) -> Callable[[Object], None]:
    """What makes the pod of Redis go."""

    def kill(pod: Object) -> None:
        (container,) = containers(pod)
        assert killing.kill(container)

    def evicted(pod: Object) -> None:
        assert evict(pod)

    return {"killed": kill, "evicted": evicted}[how]


def run_of(pod: Object) -> Run:
    return pod["metadata"]["uid"], sum(each["restartCount"] for each in containers(pod))


def test_calls_are_refused_at_once_and_work_when_redis_is_back_and_none_is_accepted_twice(
    release: Release, pace: float, how: str, send_away: Callable[[Object], None]
) -> None:
    (redis,) = release.pods("redis-state")
    name, before = redis["metadata"]["name"], release.restarts()

    def is_back() -> bool:
        return any(is_ready(pod) and run_of(pod) != run_of(redis) for pod in release.pods("redis-state"))

    with load(release, pace) as met, signers(release) as signed:
        gone_s = monotonic() - met.began
        send_away(redis)
        signed.send_again()
        eventually(is_back, READY_WITHIN_S, "another Redis")
        back_s = monotonic() - met.began
    healed_s = max((each["at_s"] + (each["retried_s"] or math.inf) for each in met.lost), default=back_s)
    longest_s = max((each["took_s"] for each in met.lost), default=0)
    sys.stdout.write(
        f"\nRedis {how}: ready after {back_s - gone_s:.1f} s, all calls answered {healed_s - back_s:+.1f} s from then, "
        f"the longest took {longest_s:.2f} s; {met.figures()}; {signed.accepted} signed calls again: {signed.again}\n"
    )
    assert met.calls >= CALLS
    assert set(met.codes) <= {"UNAVAILABLE"}
    assert longest_s <= SAYS_SO_WITHIN_S
    assert healed_s <= back_s + SERVES_AGAIN_WITHIN_S
    assert signed.again == {REPLAYED: 2 * signed.accepted}
    others = {pod: count for pod, count in release.restarts().items() if pod != name}
    assert others == {pod: count for pod, count in before.items() if pod != name}
