"""Equal calls that are under way at once are computed once, whichever replica they reach and whatever becomes of it."""

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support import dispatch_replicas
from tests.e2e.support.caller import Caller, invocation, path
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

CALLERS = 50
LEASE_S = 3
"""How long the lease of a replica that was killed stands in the way."""


@pytest.fixture(scope="module")
def doubled(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document, replicas={"dispatch": 2}) as standins:
        yield standins


@pytest.fixture
def standins(doubled: Standins) -> Iterator[Standins]:
    """Two replicas of dispatch and one stand-in, all of which answer before a test and after it."""
    dispatch_replicas.both_take_calls(doubled)
    yield doubled
    for name in (*dispatch_replicas.NAMES, "standin"):
        doubled.mesh.stack.part(name).start()
    doubled.mesh.stack.wait_until_ready()
    dispatch_replicas.both_take_calls(doubled)
    doubled.mesh.must_have_met_no_bug()


@pytest.fixture
def operator(standins: Standins) -> Caller:
    return standins.mesh.caller("operator")


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return secrets.token_hex(8)


def start(caller: Caller, key: str, ms: int, *, actor: str = "", no_cache: bool = False) -> Any:
    """Starts a call and does not wait for it."""
    request = invocation("STANDIN_COUNT", {"key": key, "ms": ms}, actor)
    request.no_cache = no_cache
    return caller.channel.start(path("Invoke"), request.SerializeToString(), caller.sign("Invoke", request))


def leading(standins: Standins, key: str) -> str:
    """The replica that has the only call under way, once it is computed."""
    eventually(lambda: standins.events("started", key=key), what="the computation")
    return dispatch_replicas.busy(standins.mesh)


def join(standins: Standins, caller: Caller, key: str, ms: int, count: int) -> list[Any]:
    """Starts more calls, and waits until all of them are under way and both replicas have some."""
    calls = [start(caller, key, ms) for _ in range(count)]
    eventually(lambda: sum(dispatch_replicas.under_way(standins.mesh).values()) == count + 1, what="all calls")
    assert min(dispatch_replicas.under_way(standins.mesh).values()) > 0
    return calls


def answers(calls: list[Any]) -> list[str]:
    """The results, all of which must be there."""
    return [pb.InvokeResponse.FromString(call.result()).json for call in calls]


def refusals(calls: list[Any]) -> Counter[tuple[grpc.StatusCode, str]]:
    """How calls failed that must all fail."""
    return Counter((call.code(), call.details()) for call in calls)


def test_fifty_equal_calls_on_two_replicas_are_computed_once(standins: Standins, operator: Caller, key: str) -> None:
    before = dispatch_replicas.taken(standins.mesh)
    calls = [start(operator, key, 1000) for _ in range(CALLERS)]

    assert len(set(answers(calls))) == 1

    taken = {name: count - before[name] for name, count in dispatch_replicas.taken(standins.mesh).items()}
    print(f"{CALLERS} calls by replica: {taken}")  # noqa: T201 - a figure
    assert min(taken.values()) > CALLERS / 5
    assert [event.what for event in standins.events(key=key)] == ["started", "finished"]


def test_equal_calls_of_several_clients_and_actors_are_computed_once(standins: Standins, key: str) -> None:
    callers = [standins.mesh.caller(name) for name in ("operator", "adapter")]
    calls = [start(caller, key, 1000, actor=actor) for caller in callers for actor in ("ada", "bob", "")]

    assert len(set(answers(calls))) == 1
    assert len(standins.events("started", key=key)) == 1


def test_when_the_first_caller_leaves_the_others_get_their_answer(
    standins: Standins, operator: Caller, key: str
) -> None:
    first = start(operator, key, 2000)
    leading(standins, key)
    others = join(standins, operator, key, 2000, CALLERS - 1)

    first.cancel()

    assert len(set(answers(others))) == 1
    started = len(standins.events("started", key=key))
    print(f"computed {started} times")  # noqa: T201 - a figure
    assert started <= 2


def test_when_the_leading_replica_loses_its_only_caller_the_other_replica_computes_anew(
    standins: Standins, operator: Caller, key: str
) -> None:
    first = start(operator, key, 2000)
    leader = leading(standins, key)
    # Envoy gives the next call to the replica with less to do.
    follower = start(operator, key, 2000)
    eventually(lambda: sum(dispatch_replicas.under_way(standins.mesh).values()) == 2, what="both calls")
    shared = dispatch_replicas.under_way(standins.mesh)[leader] == 2

    first.cancel()

    assert answers([follower])
    expected = ["started", "finished"] if shared else ["started", "cancelled", "started", "finished"]
    eventually(lambda: [event.what for event in standins.events(key=key)] == expected, what="the work to end so")


def test_when_all_callers_leave_the_work_stops(standins: Standins, operator: Caller, key: str) -> None:
    first = start(operator, key, 8000)
    leading(standins, key)
    calls = [first, *join(standins, operator, key, 8000, 9)]

    for call in calls:
        call.cancel()

    eventually(lambda: standins.events("cancelled", key=key), 1, "the end of the work")
    assert standins.events("finished", key=key) == []


def test_when_the_leading_replica_is_killed_the_callers_of_the_other_get_an_answer(
    standins: Standins, operator: Caller, key: str
) -> None:
    first = start(operator, key, 1500)
    leader = leading(standins, key)
    others = join(standins, operator, key, 1500, 19)
    (survivor,) = set(dispatch_replicas.NAMES) - {leader}
    on_survivor = dispatch_replicas.under_way(standins.mesh)[survivor]

    standins.mesh.stack.part(leader).kill()

    outcomes = Counter(call.code() for call in (first, *others))
    print(f"{leader} killed: {dict(outcomes)}, {on_survivor} calls were on {survivor}")  # noqa: T201 - a figure
    assert outcomes.keys() <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    assert outcomes[grpc.StatusCode.OK] == on_survivor
    assert len(standins.events("started", key=key)) == 2, "once by each replica"


@pytest.mark.measures_time
def test_after_the_leading_replica_was_killed_the_next_call_waits_no_longer_than_its_lease(
    standins: Standins, operator: Caller, key: str
) -> None:
    first = start(operator, key, 1000)
    leader = leading(standins, key)
    standins.mesh.stack.part(leader).kill()
    assert first.code() is grpc.StatusCode.UNAVAILABLE

    def answered() -> bool:
        call = start(operator, key, 1000)
        return call.code() is grpc.StatusCode.OK

    seconds = eventually(answered, LEASE_S + 2, "an answer")  # a lease, and the computation
    print(f"{seconds:.1f} s from the death of the leading replica to an answer")  # noqa: T201 - a figure
    assert len(standins.events("started", key=key)) == 2


def test_when_the_computation_fails_all_get_the_same_error(standins: Standins, operator: Caller, key: str) -> None:
    first = start(operator, key, 8000)
    leading(standins, key)
    calls = [first, *join(standins, operator, key, 8000, CALLERS - 1)]

    standins.mesh.stack.part("standin").kill()

    found = refusals(calls)
    assert len(found) == 1, found
    ((status, _),) = found
    assert status is grpc.StatusCode.UNAVAILABLE
    assert len(standins.events("started", key=key)) == 1


def test_a_failure_is_not_kept(standins: Standins, operator: Caller, key: str) -> None:
    call = start(operator, key, 600)
    leading(standins, key)
    standins.mesh.stack.part("standin").kill()
    assert call.code() is grpc.StatusCode.UNAVAILABLE
    standins.mesh.stack.part("standin").start()
    standins.mesh.stack.part("standin").wait_until_ready()

    eventually(lambda: start(operator, key, 600).code() is grpc.StatusCode.OK, dispatch_replicas.BACK_S, "an answer")


def test_whoever_asks_for_no_cached_answer_has_it_computed(standins: Standins, operator: Caller, key: str) -> None:
    calls = [start(operator, key, 300, no_cache=True) for _ in range(5)]

    assert sorted(pb.InvokeResponse.FromString(call.result()).cache for call in calls) == [pb.CACHE_STATE_MISS] * 5
    assert len(standins.events("started", key=key)) == 5
