"""Parts that die or hang: typed errors meanwhile, and everything works again once they are back."""

import json
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import grpc
import psutil
import pytest

from deploy.local.readiness import redis_answers
from tests.e2e.support.adapter import Answer
from tests.e2e.support.caller import download, invocation, path
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

WORKERS = 2
PARTS = ("redis-state", "redis-cache", "dispatch", "pdf", "envoy", "adapter")

EJECTED_S = 30
"""The longest that Envoy leaves out a host whose connections have failed; five seconds the first time."""


@pytest.fixture(scope="module")
def fragile_mesh(good_document: Path) -> Iterator[Deployment]:
    settings = {**RATES_OUT_OF_THE_WAY, "PAPERMESH_PDF_WORKERS": str(WORKERS), "PAPERMESH_PDF_KEPT_WORKERS": "0"}
    with deployed(good_document, **settings) as deployment:
        yield deployment


@pytest.fixture
def mesh(fragile_mesh: Deployment) -> Iterator[Deployment]:
    """A mesh of its own for these tests; each leaves it whole, and the next good call works."""
    yield fragile_mesh
    for name in PARTS:
        fragile_mesh.stack.part(name).start()
    fragile_mesh.stack.wait_until_ready()
    eventually(fragile_mesh.works, EJECTED_S, "a good call")
    eventually(lambda: len(workers(fragile_mesh)) == WORKERS, what="as many workers as before")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


def zygote(mesh: Deployment) -> psutil.Process:
    """The process that the engine's workers are forked from."""
    children = psutil.Process(mesh.stack.part("pdf").pid).children()
    (found,) = [child for child in children if '"name":"text"' in "".join(child.cmdline())]
    return found


def workers(mesh: Deployment) -> list[psutil.Process]:
    """The engine's worker processes."""
    with suppress(psutil.NoSuchProcess, ValueError):
        return [child for child in zygote(mesh).children() if child.status() != psutil.STATUS_ZOMBIE]
    return []


def at_work(mesh: Deployment) -> int:
    """How many documents lie in the folder of those that are being read."""
    return len(list(mesh.stack.folders.work("pdf").glob("document-*")))


def hold(mesh: Deployment) -> list[psutil.Process]:
    """Stops all workers, so that the calls that come next stay under way."""
    eventually(lambda: len(workers(mesh)) == WORKERS and at_work(mesh) == 0, what="as many idle workers as ever")
    held = workers(mesh)
    for worker in held:
        worker.suspend()
    return held


def fresh(mesh: Deployment) -> bytes:
    """A good document of which nobody has asked anything, so that no result of it is in the cache."""
    return mesh.good_document.read_bytes() + b"%" + secrets.token_hex(8).encode()


def ask(
    mesh: Deployment, threads: ThreadPoolExecutor, count: int, action: str = "PDF_METADATA"
) -> list[Future[Answer]]:
    """Starts calls, each on its own document, and waits until as many as can be are under way."""
    references = [mesh.adapter.reference(fresh(mesh)) for _ in range(count)]
    calls = [threads.submit(mesh.adapter.invoke, action, {"doc_ref": each}) for each in references]
    eventually(lambda: at_work(mesh) == min(count, WORKERS), what="the work on the documents")
    return calls


def must_be_away(mesh: Deployment) -> None:
    """Fails unless calls, uploads and the catalogue are all answered with UNAVAILABLE."""
    reference = {"type": "UPLOAD", "sha256": "0" * 64}
    for _ in range(3):
        mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}).must_be("UNAVAILABLE", says="try again")
    mesh.adapter.upload(b"%PDF-1.7").must_be("UNAVAILABLE", says="try again")
    mesh.adapter.request("GET", "/actions").must_be("UNAVAILABLE", says="try again")
    mesh.adapter.request("GET", f"/documents/{'0' * 64}").must_be("UNAVAILABLE", says="try again")
    assert mesh.adapter.http.get("/healthz").status_code == 200


def unhealthy(mesh: Deployment) -> set[str]:
    """The parts that Envoy's health checks have found not to serve."""
    lines = mesh.envoy("/clusters").text.splitlines()
    return {line.split("::")[0] for line in lines if "/failed_active_hc" in line}


def must_work_within(mesh: Deployment, limit_s: float, what: str) -> None:
    seconds = eventually(mesh.works, limit_s, f"a good call after {what}")
    print(f"{what}: the first good call {seconds:.2f} s later")  # noqa: T201 - a figure


def test_a_worker_killed_in_mid_request_costs_that_request_one_typed_error_and_others_none(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    victim, survivor = hold(mesh)
    calls = ask(mesh, threads, 2)

    victim.kill()
    survivor.resume()

    answers = [call.result() for call in calls]
    (failed,) = (answer for answer in answers if not answer.ok)
    failed.must_be("ENGINE_FAIL", says="other requests are not affected", reason="crash")
    mesh.must_still_work()
    eventually(lambda: len(workers(mesh)) == WORKERS, what="a worker in place of the killed one")


def test_workers_killed_under_load_cost_at_most_one_request_each(mesh: Deployment, threads: ThreadPoolExecutor) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    ask_anew = partial(mesh.adapter.invoke, "PDF_TEXT", {"doc_ref": reference}, Cache_Control="no-cache")
    calls = [threads.submit(ask_anew) for _ in range(150)]
    killed = 0
    while killed < 3:
        found = workers(mesh)
        if found:
            with suppress(psutil.NoSuchProcess):
                found[0].kill()
                killed += 1
                found[0].wait(10)

    answers = [call.result() for call in calls]
    failed = [answer for answer in answers if not answer.ok]
    for answer in failed:
        answer.must_be("ENGINE_FAIL")
    print(f"{killed} workers killed under {len(calls)} calls: {len(failed)} failed")  # noqa: T201 - a figure
    assert len(failed) <= killed


def test_idle_workers_that_are_killed_cost_nobody_anything(mesh: Deployment) -> None:
    eventually(lambda: len(workers(mesh)) == WORKERS, what="all workers")
    idle = workers(mesh)
    for worker in idle:
        worker.kill()
    eventually(lambda: len(workers(mesh)) == WORKERS and not set(workers(mesh)) & set(idle), what="new workers")
    for _ in range(WORKERS):
        mesh.must_still_work()


def test_when_what_workers_are_forked_from_is_killed_all_are_started_anew(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    held = hold(mesh)
    calls = ask(mesh, threads, 2)

    zygote(mesh).kill()

    for call in calls:
        call.result().must_be("ENGINE_FAIL", reason="crash")
    psutil.wait_procs(held, timeout=10)
    assert not any(worker.is_running() for worker in held)
    must_work_within(mesh, 10, "the end of the zygote")


def test_a_document_that_is_not_done_in_time_is_given_up_and_its_worker_replaced(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    held = hold(mesh)

    began = time.monotonic()
    for call in ask(mesh, threads, 2):
        call.result().must_be("TIMEOUT", says="stopped")

    assert 9 < time.monotonic() - began < 13
    psutil.wait_procs(held, timeout=1)
    assert not any(worker.is_running() for worker in held)
    mesh.must_still_work()


@pytest.mark.parametrize("end", ["cancelled", "deadline"])
def test_when_the_caller_is_gone_the_work_stops_within_a_second(mesh: Deployment, end: str) -> None:
    operator = mesh.caller("operator")
    request = invocation("PDF_METADATA", {"doc_ref": operator.put(fresh(mesh))})
    held = hold(mesh)
    signed = operator.sign("Invoke", request)
    limit_s = 1.0 if end == "deadline" else 30.0
    call = operator.channel.start(path("Invoke"), request.SerializeToString(), signed, limit_s)
    eventually(lambda: at_work(mesh) == 1, what="the work on the document")

    if end == "cancelled":
        call.cancel()
    ended = {"cancelled": grpc.StatusCode.CANCELLED, "deadline": grpc.StatusCode.DEADLINE_EXCEEDED}
    with suppress(grpc.FutureCancelledError):
        assert call.code() is ended[end]

    eventually(lambda: any(not worker.is_running() for worker in held), 1, "the end of the worker")
    for worker in held:
        with suppress(psutil.NoSuchProcess):
            worker.resume()


def test_a_caller_that_hangs_up_on_the_adapter_stops_the_work(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(fresh(mesh))
    held = hold(mesh)
    body = json.dumps({"action": "PDF_METADATA", "args": {"doc_ref": reference}})
    connection = HTTPConnection("127.0.0.1", mesh.stack.ports.http, timeout=10)
    connection.request("POST", "/mcp/invoke", body)
    eventually(lambda: at_work(mesh) == 1, what="the work on the document")
    connection.close()
    eventually(lambda: any(not worker.is_running() for worker in held), 1, "the end of the worker")
    for worker in held:
        with suppress(psutil.NoSuchProcess):
            worker.resume()


def test_while_the_engine_is_away_calls_are_unavailable_and_then_work_again(mesh: Deployment) -> None:
    left = [zygote(mesh), *workers(mesh)]
    reference = mesh.adapter.reference(fresh(mesh))

    mesh.stack.part("pdf").kill()

    for action in ("PDF_METADATA", "PDF_OUTLINE", "PDF_TEXT"):
        mesh.adapter.invoke(action, {"doc_ref": reference}).must_be("UNAVAILABLE", says="try again")
    assert mesh.adapter.upload(b"%PDF-1.7").ok, "uploads do not need the engine"
    psutil.wait_procs(left, timeout=10)
    assert not any(process.is_running() for process in left), "a killed engine leaves no worker behind"
    mesh.stack.part("pdf").start()
    mesh.stack.part("pdf").wait_until_ready()
    must_work_within(mesh, EJECTED_S, "the return of pdf")


def test_calls_that_were_under_way_when_the_engine_died_are_unavailable(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    hold(mesh)
    calls = ask(mesh, threads, 4)

    mesh.stack.part("pdf").kill()

    assert Counter(call.result().must_be("UNAVAILABLE").code for call in calls) == {"UNAVAILABLE": 4}


def test_while_redis_is_away_every_call_is_refused_and_soon_after_its_return_they_work(mesh: Deployment) -> None:
    mesh.stack.part("redis-state").stop()

    must_be_away(mesh)

    mesh.stack.part("redis-state").start()
    mesh.stack.part("redis-state").wait_until_ready()
    must_work_within(mesh, 2, "the return of Redis")


def test_dispatch_is_out_of_use_for_envoy_while_redis_is_away(mesh: Deployment) -> None:
    mesh.stack.part("redis-state").stop()
    eventually(lambda: "dispatch" in unhealthy(mesh), 5, "Envoy's knowledge of it")

    must_be_away(mesh)

    mesh.stack.part("redis-state").start()
    mesh.stack.part("redis-state").wait_until_ready()
    must_work_within(mesh, 2, "the return of Redis after a while")


def test_while_redis_hangs_every_call_is_refused_and_soon_after_they_work(mesh: Deployment) -> None:
    mesh.stack.part("redis-state").kill(signal.SIGSTOP)
    try:
        must_be_away(mesh)
    finally:
        mesh.stack.part("redis-state").kill(signal.SIGCONT)
    eventually(lambda: redis_answers(mesh.stack.folders.sockets / "redis-state.sock"))
    must_work_within(mesh, 2, "Redis going on")


def test_a_call_that_was_made_before_redis_was_killed_cannot_be_replayed_after(mesh: Deployment) -> None:
    operator = mesh.caller("operator")
    reference = operator.put(mesh.good_document.read_bytes())
    request = invocation("PDF_METADATA", {"doc_ref": reference})
    signed = operator.sign("Invoke", request)
    assert operator.call("Invoke", request, signed)

    mesh.stack.part("redis-state").kill()
    operator.refusal("Invoke", request, signed).must_be("UNAVAILABLE", says="cannot be verified")
    mesh.stack.part("redis-state").start()
    mesh.stack.part("redis-state").wait_until_ready()

    eventually(mesh.works, 2, "a good call")
    operator.refusal("Invoke", request, signed).must_be("UNAUTHENTICATED", says="was made before")
    assert operator.call("GetDocument", download(reference)), "what was uploaded is still known"


@pytest.mark.parametrize("part", ["dispatch", "envoy"])
def test_while_a_part_on_the_way_is_away_calls_are_unavailable_and_then_work_again(mesh: Deployment, part: str) -> None:
    mesh.stack.part(part).kill()

    must_be_away(mesh)

    mesh.stack.part(part).start()
    mesh.stack.part(part).wait_until_ready()
    must_work_within(mesh, EJECTED_S, f"the return of {part}")


def test_a_call_that_was_under_way_when_dispatch_died_is_unavailable_and_its_work_stops(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    held = hold(mesh)
    (call,) = ask(mesh, threads, 1)

    mesh.stack.part("dispatch").kill()

    call.result().must_be("UNAVAILABLE")
    eventually(lambda: any(not worker.is_running() for worker in held), 2, "the end of the worker")
    for worker in held:
        with suppress(psutil.NoSuchProcess):
            worker.resume()


def test_a_call_made_while_the_adapter_is_away_waits_for_its_return(
    mesh: Deployment, threads: ThreadPoolExecutor
) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    mesh.stack.part("adapter").kill()
    call = threads.submit(mesh.adapter.invoke, "PDF_METADATA", {"doc_ref": reference})
    mesh.stack.part("adapter").start()
    assert call.result().ok, "what was uploaded is still known"
    mesh.stack.part("adapter").wait_until_ready()


def test_a_call_under_way_when_envoy_is_stopped_is_answered(mesh: Deployment, threads: ThreadPoolExecutor) -> None:
    held = hold(mesh)
    (call,) = ask(mesh, threads, 1)

    stopping = threads.submit(mesh.stack.part("envoy").stop)
    eventually(lambda: "DRAINING" in mesh.envoy("/ready").text, what="the drain")
    for worker in held:
        worker.resume()

    assert call.result().ok
    stopping.result()
    assert mesh.stack.part("envoy").returncode == 0


def test_everything_killed_at_once_works_again_when_it_is_back(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    for name in PARTS:
        mesh.stack.part(name).kill()
    for name in PARTS:
        mesh.stack.part(name).start()
    mesh.stack.wait_until_ready()
    eventually(lambda: mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}).ok, EJECTED_S, "a good call")
