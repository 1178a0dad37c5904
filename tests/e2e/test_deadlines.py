"""A call ends at its action's deadline, whatever deadline it brings, and the work behind it ends too."""

import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from envoy.routes import GRACE
from services.base import actions
from tests.e2e.support.caller import Channel, invocation, path
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

BRIEF_S = 2.0
"""The timeout of STANDIN_BRIEF."""

ACTION_S = {"Brief": BRIEF_S, "Slow": 30.0}
"""The timeouts of the stand-in's actions, by method."""

LONG_S = 60.0
"""How long the stand-in would work."""

LATER_S = 1.0
"""How much later than its deadline a call may end, at most."""

HUNG_LATER_S = 5.0
"""The same where the adapter's own clock ends it, half a second late, on however busy a machine."""


@pytest.fixture(scope="module")
def standins(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document) as standins:
        yield standins


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


ROUNDED = 1.02
"""grpc rounds a deadline up on the wire, by a hundredth or so."""

GRACE_S = 1.0
"""How much later than dispatch, which stops the work, a service's own clock would end it."""


def must_end_on_time(began: float, limit_s: float = BRIEF_S) -> None:
    took = time.monotonic() - began
    print(f"ended {took - limit_s:+.3f} s from its deadline")  # noqa: T201 - a figure
    assert limit_s - 0.1 < took < limit_s + LATER_S


def must_have_stopped(standins: Standins, key: str, limit_s: float = BRIEF_S) -> None:
    """Fails unless the work was told a deadline in time, and was stopped by it."""
    eventually(lambda: standins.events("cancelled", key=key), LATER_S, "the end of the work")
    started, cancelled = standins.events(key=key)
    assert 0 < started.timeout_s <= limit_s * ROUNDED + GRACE_S
    assert started.timeout_s <= ACTION_S[started.method], "the action's own is never rounded up"
    assert cancelled.at - started.at < limit_s + LATER_S


@pytest.mark.parametrize("asked_s", [None, 3600.0], ids=["none", "longer"])
def test_at_the_edge_a_call_ends_at_its_actions_timeout(standins: Standins, key: str, asked_s: float | None) -> None:
    operator = standins.mesh.caller("operator")
    request = invocation("STANDIN_BRIEF", {"seconds": LONG_S, "key": key})
    invoke = operator.channel._channel.unary_unary(path("Invoke"))
    began = time.monotonic()

    with pytest.raises(grpc.RpcError) as caught:
        invoke(request.SerializeToString(), metadata=operator.sign("Invoke", request), timeout=asked_s)

    must_end_on_time(began)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "exceeded its time limit" in caught.value.details()
    must_have_stopped(standins, key)


def test_at_the_edge_a_callers_own_shorter_deadline_holds(standins: Standins, key: str) -> None:
    operator = standins.mesh.caller("operator")
    request = invocation("STANDIN_SLOW", {"seconds": LONG_S, "key": key})
    began = time.monotonic()

    call = operator.channel.start(path("Invoke"), request.SerializeToString(), operator.sign("Invoke", request), 1.0)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    must_end_on_time(began, 1.0)
    must_have_stopped(standins, key, 1.0)


def test_over_http_a_call_ends_at_its_actions_timeout(standins: Standins, key: str) -> None:
    began = time.monotonic()
    answer = standins.mesh.adapter.invoke("STANDIN_BRIEF", {"seconds": LONG_S, "key": key})
    must_end_on_time(began)
    answer.must_be("TIMEOUT", says="stopped")
    must_have_stopped(standins, key)


@contextmanager
def stopped(standins: Standins, part: str) -> Iterator[None]:
    """One part that neither works nor ends, for as long as the block lasts; what it did then comes back with it."""
    process = standins.mesh.stack.part(part)
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)
        eventually(standins.work, 30, "a good call")


@pytest.mark.parametrize("part", ["dispatch", "envoy"])
def test_over_http_a_call_ends_on_time_although_the_mesh_hangs(standins: Standins, part: str) -> None:
    with stopped(standins, part):
        began = time.monotonic()
        answer = standins.mesh.adapter.invoke("STANDIN_BRIEF", {"seconds": 0})
        took = time.monotonic() - began
    answer.must_be("TIMEOUT")
    assert BRIEF_S < took < BRIEF_S + HUNG_LATER_S


def test_a_call_ends_on_time_although_its_service_knows_no_deadline(standins: Standins, key: str) -> None:
    with standins.told("standin", delay_s=5):
        began = time.monotonic()
        answer = standins.mesh.adapter.invoke("STANDIN_FAIL", {"key": key})  # whose timeout is that of STANDIN_BRIEF
        must_end_on_time(began)
    answer.must_be("TIMEOUT")


@pytest.mark.parametrize("asked_s", [None, 3600.0], ids=["none", "longer"])
def test_on_the_mesh_envoy_ends_a_call_a_second_after_its_methods_timeout(
    standins: Standins, key: str, asked_s: float | None
) -> None:
    mesh = standins.mesh
    (standin,) = (service for service in mesh.stack.services if service.name == "standin")
    action = actions.load(*standin.descriptors).actions["STANDIN_BRIEF"]
    with Channel(mesh.stack.mesh_address, mesh.tls_dir("operator")) as channel:
        brief = channel._channel.unary_unary(action.method.path)
        began = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            brief(action.request(seconds=LONG_S, key=key).SerializeToString(), timeout=asked_s)
    must_end_on_time(began, BRIEF_S + GRACE.total_seconds())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    must_have_stopped(standins, key, BRIEF_S + GRACE.total_seconds())
