"""One of two replicas is killed, fails, hangs or is slow: it is taken out or passed over, and comes back."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from envoy.topology import Address, Service
from services.base import actions
from tests.envoy.backend import Backend, Call, echo, hang
from tests.envoy.harness import GET_METADATA, WORKLOADS, Mesh, backend_process, eventually, running_mesh, with_timeout
from trust.certificates import ensure

pytestmark = pytest.mark.measures_time

RUN_GUIDE = "/papermesh.gitlab.v1.GitlabService/RunGuide"
"""A side effect, which is never tried again."""

EJECTED = "cluster.pdf.outlier_detection.ejections_active"
HEALTHY = "cluster.pdf.membership_healthy"


@dataclass
class Pair:
    """A pdf of two replicas, and ways to call it."""

    mesh: Mesh
    ill: Backend
    well: Backend
    channel: grpc.Channel

    def call(self, request: bytes, *, path: str = GET_METADATA, timeout: float = 10) -> bytes:
        answer: bytes = self.channel.unary_unary(path)(request, timeout=timeout)
        return answer

    def failures(self, calls: int, path: str = GET_METADATA) -> int:
        """How many of so many calls, one after the other, fail."""
        failed = 0
        for _ in range(calls):
            try:
                self.call(b"", path=path, timeout=5)
            except grpc.RpcError:
                failed += 1
        return failed

    def is_called(self) -> bool:
        """Whether the next calls reach the one that was ill."""
        before = len(self.ill.calls)
        for _ in range(10):
            self.call(b"", timeout=5)
        return len(self.ill.calls) > before


@contextmanager
def pdf_of(folder: Path, *ports: int) -> Iterator[tuple[Mesh, grpc.Channel]]:
    replicas = tuple(Address("127.0.0.1", port) for port in ports)
    # The other service is there for its side effect, which pdf has none of.
    pdf = Service("pdf", ("papermesh.pdf.v1.PdfService", "papermesh.gitlab.v1.GitlabService"), replicas)
    with running_mesh(folder, services=(pdf,)) as mesh, mesh.channel(mesh.envoy.topology.mesh, by="dispatch") as to:
        yield mesh, to


@pytest.fixture
def pair(folder: Path) -> Iterator[Pair]:
    tls_dir = folder / "certs" / "pdf"
    ensure(folder / "certs", "default", WORKLOADS)
    with (
        Backend(tls_dir).running() as ill,
        Backend(tls_dir).running() as well,
        pdf_of(folder, ill.port, well.port) as (mesh, channel),
    ):
        yield Pair(mesh, ill, well, channel)


@pytest.fixture
def half_in_a_process(folder: Path) -> Iterator[tuple[Pair, "subprocess.Popen[str]"]]:
    """A pair of which the ill one is a process of its own."""
    tls_dir = folder / "certs" / "pdf"
    ensure(folder / "certs", "default", WORKLOADS)
    with (
        backend_process(tls_dir) as (port, process),
        Backend(tls_dir).running() as well,
        pdf_of(folder, port, well.port) as (mesh, channel),
    ):
        yield Pair(mesh, Backend(tls_dir), well, channel), process


def failing(code: grpc.StatusCode) -> Callable[[Call], bytes]:
    def abort(call: Call) -> bytes:
        call.context.abort(code, "as the test says")

    return abort


def test_no_read_is_lost_when_one_is_killed(half_in_a_process: tuple[Pair, "subprocess.Popen[str]"]) -> None:
    pair, process = half_in_a_process

    def read(number: int) -> bool:
        if number == 500:
            process.kill()
        return pair.call(b"hello", timeout=10) == b"hello"

    with ThreadPoolExecutor(8) as callers:
        assert all(callers.map(read, range(2000)))
    assert 1000 < len(pair.well.calls) < 2000, "the other one had its share before"
    assert pair.mesh.envoy.counter("cluster.pdf.upstream_rq_retry_overflow") == 0


def test_one_that_hangs_is_taken_out_by_its_health_checks_and_comes_back(
    half_in_a_process: tuple[Pair, "subprocess.Popen[str]"],
) -> None:
    pair, process = half_in_a_process
    assert pair.mesh.envoy.counter(HEALTHY) == 2
    process.send_signal(signal.SIGSTOP)
    eventually(lambda: pair.mesh.envoy.counter(HEALTHY) == 1, limit_s=6)
    assert pair.failures(20) == 0
    process.send_signal(signal.SIGCONT)
    eventually(lambda: pair.mesh.envoy.counter(HEALTHY) == 2, limit_s=6)
    pair.well.calls.clear()
    assert pair.failures(40) == 0
    assert len(pair.well.calls) < 40, "the other one has its share again"


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_one_that_fails_as_a_host_costs_no_read_and_comes_back_when_it_heals(pair: Pair, code: grpc.StatusCode) -> None:
    pair.ill.behaviour = failing(code)
    assert pair.failures(40) == 0, "tried again on the other one"
    assert pair.mesh.envoy.counter("cluster.pdf.outlier_detection.ejections_enforced_total") >= 1
    pair.ill.behaviour = echo
    eventually(pair.is_called)
    assert pair.mesh.envoy.counter(EJECTED) == 0


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_side_effects_fail_three_times_until_it_is_out_and_comes_back_when_it_heals(
    pair: Pair, code: grpc.StatusCode
) -> None:
    pair.ill.behaviour = failing(code)
    failures = 0
    while not pair.mesh.envoy.counter(EJECTED):
        failures += pair.failures(1, RUN_GUIDE)
        assert failures <= 3
    assert pair.failures(20, RUN_GUIDE) == 0, "only the other one is called"
    pair.ill.behaviour = echo
    eventually(pair.is_called)


def test_documents_that_fail_eject_nobody(pair: Pair) -> None:
    pair.ill.behaviour = pair.well.behaviour = failing(grpc.StatusCode.INTERNAL)
    assert pair.failures(60) == 60
    assert pair.mesh.envoy.counter("cluster.pdf.outlier_detection.ejections_enforced_total") == 0
    pair.ill.behaviour = pair.well.behaviour = echo
    assert pair.failures(20) == 0


def test_one_that_is_slow_is_called_less_and_not_ejected(pair: Pair) -> None:
    never = threading.Event()

    def slowly(_: Call) -> bytes:
        never.wait(0.05)
        return b"late"

    pair.ill.behaviour = slowly
    with ThreadPoolExecutor(4) as callers:
        assert len(list(callers.map(lambda _: pair.call(b"", timeout=10), range(200)))) == 200
    assert len(pair.ill.calls) < 90, "by turns it would be 100"
    assert pair.mesh.envoy.counter("cluster.pdf.outlier_detection.ejections_enforced_total") == 0


def test_one_that_is_late_for_envoys_deadline_is_not_ejected(folder: Path) -> None:
    """Only what a replica says counts; one that says nothing at all, its health checks find."""
    table = with_timeout(actions.load(), GET_METADATA, timedelta(milliseconds=50))
    with running_mesh(folder, table=table, pdf=hang) as mesh:
        with ThreadPoolExecutor(4) as callers:
            errors = list(callers.map(lambda _: mesh.refused(GET_METADATA, by="dispatch"), range(4)))
        assert {error.code() for error in errors} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        assert len(mesh.pdf.calls) == 4, "nor is it tried again"
        assert mesh.envoy.counter("cluster.pdf.outlier_detection.ejections_enforced_total") == 0
