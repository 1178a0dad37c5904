"""Deadlines, second tries, ejection and overload, on a running Envoy."""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from envoy.routes import GRACE
from services.base import actions
from tests.envoy.backend import Backend, Behaviour, Call, hang
from tests.envoy.harness import (
    GET_METADATA,
    INVOKE,
    LIST_ACTIONS,
    eventually,
    running_envoy,
    running_mesh,
    with_timeout,
)

pytestmark = pytest.mark.measures_time

T = timedelta(milliseconds=200)


def aborting(code: grpc.StatusCode) -> Behaviour:
    def abort(call: Call) -> bytes:
        call.context.abort(code, "as the test says")

    return abort


@pytest.mark.parametrize("deadline", [None, 100])
@pytest.mark.parametrize(("path", "caller"), [(LIST_ACTIONS, "adapter"), (GET_METADATA, "dispatch")])
def test_a_call_ends_at_its_methods_timeout_whatever_deadline_it_brings(
    folder: Path, path: str, caller: str, deadline: float | None
) -> None:
    table = with_timeout(actions.load(), path, T)
    with running_mesh(folder, table=table, dispatch=hang, pdf=hang) as mesh:
        began = time.monotonic()
        error = mesh.refused(path, by=caller, timeout=deadline)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert (T + GRACE).total_seconds() - 0.1 < time.monotonic() - began < 5
        (call,) = mesh.dispatch.calls + mesh.pdf.calls
        eventually(lambda: not call.context.is_active())


def test_a_read_is_tried_again_on_the_mesh(folder: Path) -> None:
    tries = iter([grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE])

    def third_time_lucky(call: Call) -> bytes:
        if code := next(tries, None):
            call.context.abort(code, "not yet")
        return b"done"

    with running_mesh(folder, pdf=third_time_lucky) as mesh:
        assert mesh.call(GET_METADATA, by="dispatch") == b"done"
        assert len(mesh.pdf.calls) == 3


def test_tries_end_with_the_calls_deadline(folder: Path) -> None:
    """However long a host might go on: Envoy ends the try that is under way."""
    never = threading.Event()

    def late(call: Call) -> bytes:
        never.wait(0.5)
        call.context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "a host's own clock")

    with running_mesh(folder, table=with_timeout(actions.load(), GET_METADATA, T), pdf=late) as mesh:
        began = time.monotonic()
        assert mesh.refused(GET_METADATA, by="dispatch").code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < (T + GRACE).total_seconds() + 0.5
        assert 1 < len(mesh.pdf.calls) < 4, "after 0.5 and 1 s, and then no more"
        eventually(lambda: not any(call.context.is_active() for call in mesh.pdf.calls))
        assert mesh.envoy.counter("cluster.pdf.upstream_rq_active") == 0


def test_nothing_is_tried_again_at_the_edge(folder: Path) -> None:
    with running_mesh(folder, dispatch=aborting(grpc.StatusCode.UNAVAILABLE)) as mesh:
        assert mesh.refused(LIST_ACTIONS).details() == "as the test says"
        assert len(mesh.dispatch.calls) == 1


def test_a_service_that_comes_back_is_called_again(folder: Path) -> None:
    with running_mesh(folder) as mesh:
        assert mesh.call(INVOKE, request=b"first") == b"first"
        healthy = "cluster.dispatch.membership_healthy"
        mesh.dispatch.stop()
        eventually(lambda: mesh.envoy.counter(healthy) == 0)
        began = time.monotonic()
        error = mesh.refused(INVOKE)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - began < 1, "it fails fast"
        with Backend(mesh.certs / "dispatch").running(mesh.dispatch.port):
            eventually(lambda: mesh.envoy.counter(healthy) == 1)
            assert mesh.call(INVOKE, request=b"again") == b"again"


def test_a_backend_is_found_by_its_name(folder: Path) -> None:
    with running_mesh(folder, host="localhost") as mesh:
        assert mesh.call(GET_METADATA, by="dispatch", request=b"hello") == b"hello"


def test_an_overloaded_envoy_refuses_calls_as_unavailable(folder: Path) -> None:
    with running_mesh(folder, heap_limit_bytes=1_000_000) as mesh:
        active = "overload.envoy.overload_actions.stop_accepting_requests.active"
        eventually(lambda: mesh.envoy.counter(active) == 1)
        assert mesh.refused(INVOKE).code() is grpc.StatusCode.UNAVAILABLE
        assert mesh.dispatch.calls == []


def test_a_flood_of_connections_at_the_edge_leaves_the_mesh_its_own(folder: Path) -> None:
    with running_mesh(folder, connection_limit=4) as mesh, ExitStack() as held:
        for _ in range(2):
            held.enter_context(mesh.channel(mesh.envoy.topology.edge)).unary_unary(INVOKE)(b"", timeout=10)
        assert mesh.refused(INVOKE).code() is grpc.StatusCode.UNAVAILABLE
        assert mesh.envoy.counter("listener.edge.downstream_cx_overflow") >= 1
        assert mesh.call(GET_METADATA, by="dispatch", request=b"hello") == b"hello"


def test_a_second_envoy_cannot_share_the_ports(folder: Path) -> None:
    with running_mesh(folder) as mesh:
        (folder / "second").mkdir()
        second = replace(
            mesh.envoy.topology, config_dir=str(folder / "second"), admin_socket=str(folder / "second.sock")
        )
        with pytest.raises(AssertionError, match="Address already in use"), running_envoy(second, actions.load()):
            pass
        assert mesh.call(INVOKE, request=b"unharmed") == b"unharmed"


@pytest.mark.parametrize(("path", "caller"), [(LIST_ACTIONS, "adapter"), (GET_METADATA, "dispatch")])
def test_calls_that_are_given_up_early_cost_others_on_the_same_connection_nothing(
    folder: Path, path: str, caller: str
) -> None:
    may_end = threading.Event()

    def patient(call: Call) -> bytes:
        if call.request == b"other":
            may_end.wait(30)
        return call.request

    with (
        running_mesh(folder, dispatch=patient, pdf=patient) as mesh,
        mesh.channel(mesh._listener(path), by=caller) as channel,
    ):
        method = channel.unary_unary(path)
        other = method.future(b"other", timeout=30)
        backend = mesh.dispatch if path == LIST_ACTIONS else mesh.pdf
        eventually(lambda: backend.calls)
        for _ in range(800):
            method.future(b"hasty", timeout=30).cancel()
        assert method(b"later", timeout=30) == b"later"
        may_end.set()
        assert other.result() == b"other"
