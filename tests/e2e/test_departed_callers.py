"""A client that leaves one second into a long action: what works for it is idle within another."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.support.caller import invocation, path
from tests.e2e.support.engine import Engine, endless_document
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

INTO_S = 1.0
"""How long into its call a client leaves."""

IDLE_S = 1.0
"""How soon after that nothing may be working for it any more."""

WORKERS = 2

Leave = Callable[[], None]


@pytest.fixture(scope="module")
def standins(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(
        good_document, PAPERMESH_PDF_WORKERS=str(WORKERS), PAPERMESH_PDF_KEPT_WORKERS="0"
    ) as standins:
        yield standins


@pytest.fixture
def whole(standins: Standins) -> Iterator[Standins]:
    """The mesh, which a test leaves as it found it."""
    yield standins
    stack = standins.mesh.stack
    for part in stack.parts.values():
        part.start()
    stack.wait_until_ready()
    eventually(lambda: standins.mesh.works() and standins.work(), 30, "good calls")


@contextmanager
def hanging_up(standins: Standins, action: str, args: dict[str, Any]) -> Iterator[Leave]:
    """A call over HTTP, left by closing its connection."""
    with closing(HTTPConnection("127.0.0.1", standins.mesh.stack.ports.http, timeout=60)) as connection:
        connection.request("POST", "/mcp/invoke", json.dumps({"action": action, "args": args}))
        yield connection.close


@contextmanager
def cancelling(standins: Standins, action: str, args: dict[str, Any]) -> Iterator[Leave]:
    """A signed call at Envoy's edge, cancelled."""
    operator = standins.mesh.caller("operator")
    request = invocation(action, args)
    call = operator.channel.start(path("Invoke"), request.SerializeToString(), operator.sign("Invoke", request))
    try:
        yield call.cancel
    finally:
        call.cancel()


@contextmanager
def dying(standins: Standins, action: str, args: dict[str, Any], part: str) -> Iterator[Leave]:
    """A call over HTTP, whose caller as the next part sees it is killed: -9, nothing is said on the way out."""
    with hanging_up(standins, action, args):
        yield standins.mesh.stack.part(part).kill


@contextmanager
def adapter_dying(standins: Standins, action: str, args: dict[str, Any]) -> Iterator[Leave]:
    with dying(standins, action, args, "adapter") as leave:
        yield leave


@contextmanager
def dispatch_dying(standins: Standins, action: str, args: dict[str, Any]) -> Iterator[Leave]:
    with dying(standins, action, args, "dispatch") as leave:
        yield leave


@contextmanager
def envoy_dying(standins: Standins, action: str, args: dict[str, Any]) -> Iterator[Leave]:
    with dying(standins, action, args, "envoy") as leave:
        yield leave


WAYS = pytest.mark.parametrize(
    "calling",
    [hanging_up, cancelling, adapter_dying, dispatch_dying, envoy_dying],
    ids=["http-hang-up", "grpc-cancel", "adapter-killed", "dispatch-killed", "envoy-killed"],
)


def leave_after_a_second(began: float, leave: Leave) -> float:
    """Leaves one second after the work began, and returns when that was."""
    eventually(lambda: time.monotonic() >= began + INTO_S, INTO_S + 1, "a second")
    left = time.monotonic()
    leave()
    return left


@WAYS
def test_a_service_is_told_within_a_second(whole: Standins, calling: Callable[..., Any]) -> None:
    key = secrets.token_hex(8)
    with calling(whole, "STANDIN_SLOW", {"seconds": 25, "key": key}) as leave:
        eventually(lambda: whole.events("started", key=key), what="the work")
        left = leave_after_a_second(whole.events("started", key=key)[0].at, leave)
        eventually(lambda: whole.events("cancelled", key=key), IDLE_S, "the end of the work")
    started, cancelled = whole.events(key=key)
    print(f"cancelled {cancelled.at - left:.3f} s after the caller left")  # noqa: T201 - a figure
    assert (started.what, cancelled.what) == ("started", "cancelled")


@WAYS
def test_a_worker_that_reads_a_document_is_gone_within_a_second(whole: Standins, calling: Callable[..., Any]) -> None:
    left, worker = leave_while_reading(whole, calling, "PDF_TEXT")
    must_be_idle(whole, left, worker)


@pytest.mark.parametrize("action", ["PDF_METADATA", "PDF_OUTLINE"])
def test_so_is_one_at_any_other_long_action(whole: Standins, action: str) -> None:
    left, worker = leave_while_reading(whole, hanging_up, action)
    must_be_idle(whole, left, worker)


def leave_while_reading(standins: Standins, calling: Callable[..., Any], action: str) -> tuple[float, psutil.Process]:
    """Leaves a second into the reading of a document that has no end; returns when, and the worker that was at it."""
    engine = Engine(standins.mesh)
    eventually(lambda: len(engine.workers()) == WORKERS and not engine.documents(), what="all workers, idle")
    owner = standins.mesh.caller("operator").put if calling is cancelling else standins.mesh.adapter.reference
    reference = owner(endless_document())
    with calling(standins, action, {"doc_ref": reference}) as leave:
        eventually(engine.busy, what="a busy worker")
        began = time.monotonic()
        eventually(lambda: time.monotonic() >= began + INTO_S / 2, what="half a second")
        (worker,) = engine.busy()
        return leave_after_a_second(began, leave), worker


def has_ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def must_be_idle(standins: Standins, left: float, worker: psutil.Process) -> None:
    """Fails unless the worker is gone within a second and there is no document at work; another takes its place."""
    engine = Engine(standins.mesh)
    eventually(lambda: has_ended(worker), IDLE_S, "the end of it")
    print(f"its worker was gone {time.monotonic() - left:.3f} s after the caller left")  # noqa: T201 - a figure
    eventually(lambda: not engine.documents(), IDLE_S, "the end of its document")
    eventually(lambda: len(engine.workers()) == WORKERS, what="a worker in its place")
    assert not engine.busy()
