"""Taking a running Envoy out of service: what runs finishes, what is idle goes, what is new is refused."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from envoy import admin, drain
from envoy.__main__ import app
from envoy.limits import CONNECTION_DRAIN, DRAIN_TIME
from envoy.topology import Address
from services.base import actions
from tests.envoy.backend import Call, hang, tls_files
from tests.envoy.harness import (
    GET_DOCUMENT,
    GET_METADATA,
    INVOKE,
    Mesh,
    eventually,
    running_envoy,
    running_mesh,
)
from tests.support.ports import free_port

pytestmark = pytest.mark.measures_time

TABLE = actions.load()


@contextmanager
def draining(mesh: Mesh, *, notice_s: float = 0, timeout_s: float = 20) -> Iterator["Future[None]"]:
    """Drains the mesh's Envoy on the side."""
    with ThreadPoolExecutor(1) as aside:
        yield aside.submit(drain.run, Path(mesh.envoy.topology.admin_socket), notice_s=notice_s, timeout_s=timeout_s)


def is_refused(address: Address) -> bool:
    """Whether nothing listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) != 0


def open_connections(mesh: Mesh) -> int:
    return sum(mesh.envoy.counter(f"listener.{name}.downstream_cx_active") for name in ("edge", "mesh"))


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a slow call waits for; never for longer than a test."""
    event = threading.Event()
    yield event
    event.set()


def test_calls_and_streams_that_run_finish_and_new_connections_are_refused(
    folder: Path, released: threading.Event
) -> None:
    def wait(_: Call) -> bytes:
        return b"done" if released.wait(30) else b"late"

    def trickle(_: Call) -> Iterator[bytes]:
        yield b"first"
        released.wait(30)
        yield b"last"

    with running_mesh(folder, dispatch=wait, pdf=wait) as mesh:
        mesh.dispatch.streams[GET_DOCUMENT] = trickle
        topology = mesh.envoy.topology
        with (
            mesh.channel(topology.edge) as one,
            mesh.channel(topology.edge) as two,
            mesh.channel(topology.mesh, by="dispatch") as three,
        ):
            stream = one.unary_stream(GET_DOCUMENT)(b"", timeout=30)
            assert next(stream) == b"first"
            calls = [
                two.unary_unary(INVOKE).future(b"", timeout=30),
                three.unary_unary(GET_METADATA).future(b"", timeout=9),
            ]
            eventually(lambda: len(mesh.dispatch.calls + mesh.pdf.calls) == 3)
            with draining(mesh) as drained:
                eventually(lambda: is_refused(topology.edge) and is_refused(topology.mesh))
                assert not drained.done()
                released.set()
                assert list(stream) == [b"last"]
                assert [call.result() for call in calls] == [b"done", b"done"]
                drained.result(10)
                assert open_connections(mesh) == 0


def test_idle_connections_are_told_to_go_and_go(folder: Path) -> None:
    with running_mesh(folder) as mesh, mesh.channel(mesh.envoy.topology.edge) as idle:
        idle.unary_unary(INVOKE)(b"", timeout=10)
        states: list[grpc.ChannelConnectivity] = []
        idle.subscribe(states.append)
        began = time.monotonic()
        drain.run(Path(mesh.envoy.topology.admin_socket), notice_s=0)
        assert time.monotonic() - began < (DRAIN_TIME + CONNECTION_DRAIN).total_seconds() + 1
        eventually(lambda: grpc.ChannelConnectivity.IDLE in states)
        assert grpc.ChannelConnectivity.TRANSIENT_FAILURE not in states, "it was told, and not cut off"


def test_whoever_comes_late_is_answered_and_told_to_go_too(folder: Path) -> None:
    with running_mesh(folder) as mesh, mesh.channel(mesh.envoy.topology.edge) as early:
        early.unary_unary(INVOKE)(b"", timeout=10)
        with draining(mesh) as drained, mesh.channel(mesh.envoy.topology.edge) as late:
            eventually(lambda: open_connections(mesh) == 1 and mesh.envoy.get("/ready")[1].strip() == "DRAINING")
            assert late.unary_unary(INVOKE)(b"late", timeout=10) == b"late"
            drained.result(15)
            assert open_connections(mesh) == 0


def test_an_envoy_that_has_no_time_to_answer_is_asked_again(folder: Path, released: threading.Event) -> None:
    def wait(_: Call) -> bytes:
        return b"done" if released.wait(30) else b"late"

    with running_mesh(folder, dispatch=wait) as mesh, mesh.channel(mesh.envoy.topology.edge) as channel:
        call = channel.unary_unary(INVOKE).future(b"", timeout=40)
        eventually(lambda: mesh.dispatch.calls)
        with draining(mesh, timeout_s=40) as drained:
            eventually(lambda: mesh.envoy.get("/ready")[1].strip() == "DRAINING")
            mesh.envoy.process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            eventually(lambda: drained.done() or time.monotonic() - began > admin.TIMEOUT_S + 1, admin.TIMEOUT_S + 5)
            mesh.envoy.process.send_signal(signal.SIGCONT)
            released.set()
            assert call.result() == b"done"
            drained.result(20)


def test_during_the_notice_it_says_that_it_is_draining_and_serves(folder: Path) -> None:
    with running_mesh(folder) as mesh, mesh.channel(mesh.envoy.topology.edge) as held:
        call = held.unary_unary(INVOKE)
        call(b"", timeout=10)
        with draining(mesh, notice_s=1.5) as drained:
            eventually(lambda: mesh.envoy.get("/ready")[1].strip() == "DRAINING")
            for _ in range(20):
                assert call(b"old", timeout=10) == b"old"
                assert mesh.call(INVOKE, request=b"new") == b"new"
            drained.result(15)
            assert mesh.envoy.process.poll() is None, "its end is the caller's"


def test_an_envoy_that_nobody_calls_is_drained_at_once(folder: Path) -> None:
    with running_mesh(folder) as mesh:
        began = time.monotonic()
        drain.run(Path(mesh.envoy.topology.admin_socket), notice_s=0)
        assert time.monotonic() - began < 1
        eventually(lambda: is_refused(mesh.envoy.topology.edge))  # Envoy's workers close what the main thread has said


def test_what_does_not_go_in_time_is_told(folder: Path) -> None:
    with running_mesh(folder, dispatch=hang) as mesh, mesh.channel(mesh.envoy.topology.edge) as held:
        call = held.unary_unary(INVOKE).future(b"", timeout=30)
        eventually(lambda: len(mesh.dispatch.calls) == 1)
        with pytest.raises(drain.DrainError, match=r"1 connections left at the end of the 0\.3 s"):
            drain.run(Path(mesh.envoy.topology.admin_socket), notice_s=0, timeout_s=0.3)
        call.cancel()


def test_an_envoy_that_is_gone_is_one_clear_sentence(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["drain", "--admin-socket", str(folder / "absent.sock")])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Envoy does not answer on its admin socket")


def test_the_command_drains_and_says_nothing(folder: Path) -> None:
    with running_mesh(folder) as mesh:
        socket_path = mesh.envoy.topology.admin_socket
        answer = CliRunner().invoke(app, ["drain", "--admin-socket", socket_path, "--notice-s", "0"])
        assert (answer.exit_code, answer.output) == (0, "")


def test_no_call_is_lost_when_one_of_two_envoys_is_drained_and_ended(folder: Path) -> None:
    with running_mesh(folder) as mesh:
        (folder / "second").mkdir()
        second = replace(
            mesh.envoy.topology,
            config_dir=str(folder / "second"),
            admin_socket=str(folder / "second.sock"),
            access_log=str(folder / "second.jsonl"),
            edge=Address("127.0.0.1", free_port()),
            mesh=Address("127.0.0.1", free_port()),
        )
        with running_envoy(second, TABLE), both(mesh, second.edge) as invoke:
            ended = threading.Event()
            lost: list[grpc.RpcError] = []

            def call_on(_: int) -> int:
                made = 0
                while not ended.is_set():
                    try:
                        invoke(b"", timeout=10)
                    except grpc.RpcError as error:
                        lost.append(error)
                    made += 1
                return made

            with ThreadPoolExecutor(4) as callers:
                calls = callers.map(call_on, range(4))
                try:
                    eventually(lambda: len(mesh.dispatch.calls) > 200)
                    drain.run(Path(mesh.envoy.topology.admin_socket), notice_s=0.5)
                    mesh.envoy.stop()
                    before = len(mesh.dispatch.calls)
                    eventually(lambda: len(mesh.dispatch.calls) > before + 200)
                finally:
                    ended.set()
                assert sum(calls) > 400
            assert lost == []


@contextmanager
def both(mesh: Mesh, second: Address) -> Iterator[Callable[..., bytes]]:
    """Invoke, over a channel that balances over the mesh's own Envoy and a second one."""
    key, chain, roots = tls_files(mesh.certs / "adapter")
    first = mesh.envoy.topology.edge
    with grpc.secure_channel(
        f"ipv4:{first.host}:{first.port},{second.host}:{second.port}",
        grpc.ssl_channel_credentials(roots, key, chain),
        options=[
            ("grpc.lb_policy_name", "round_robin"),
            ("grpc.ssl_target_name_override", "127.0.0.1"),
            ("grpc.use_local_subchannel_pool", 1),
        ],
    ) as channel:
        yield channel.unary_unary(INVOKE)
