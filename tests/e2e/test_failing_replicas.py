"""One of two replicas fails, hangs or is slow; a flood of bad documents, on the other hand, is no replica's fault."""

import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import psutil
import pytest

from tests.conftest import ROOT
from tests.e2e.support.adapter import Answer
from tests.e2e.support.caller import invocation, path
from tests.e2e.support.engine import Engine, endless_document
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

GOOD, BAD = "standin", "standin-2"

CALLS = 40

OUT_S = 8
"""The longest that a replica is ejected, and what two health checks take."""

FOUND_S = 5
"""What the health checks take to find one that hangs, at most."""

STARVED_FOUND_S = 20
"""The same for one that works for a moment now and then, and so passes a check by luck."""

WHAT_CALLERS_SEE = {
    "INVALID_ARGUMENT": "BAD_ARG",
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "PERMISSION_DENIED": "FORBIDDEN",
    "NOT_FOUND": "NOT_FOUND",
    "ALREADY_EXISTS": "CONFLICT",
    "OUT_OF_RANGE": "TOO_LARGE",
    "RESOURCE_EXHAUSTED": "RATE_LIMIT",
    "DEADLINE_EXCEEDED": "TIMEOUT",
}
"""The table of docs/errors.md for a code without details; all others are INTERNAL."""


def page() -> dict[str, dict[str, str]]:
    """The table of codes in docs/envoy.md: by code, by the head of the column."""
    lines = (ROOT / "docs" / "envoy.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    (head,) = (row for row in rows if row[0] == "code" and "ejects, mesh" in row)
    names = grpc.StatusCode.__members__
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows if row[0] in names and len(row) == len(head)}


CODES = page()


@pytest.fixture(scope="module")
def standins(good_document: Path) -> Iterator[Standins]:
    settings = {"PAPERMESH_PDF_WORKERS": "3"}
    with deployed_with_standins(good_document, replicas={"standin": 2, "pdf": 2}, **settings) as standins:
        yield standins


@pytest.fixture
def whole(standins: Standins) -> Iterator[Standins]:
    """The mesh, with both replicas in use before and after."""
    must_use_both(standins)
    yield standins
    must_use_both(standins)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def ask(standins: Standins) -> Answer:
    return standins.mesh.adapter.invoke("STANDIN_FAIL")


def outlier(standins: Standins, name: str, cluster: str = "standin") -> int:
    return standins.mesh.counter(f"cluster.{cluster}.outlier_detection.{name}")


def must_use_both(standins: Standins) -> None:
    """Waits until Envoy uses both replicas, and fails unless no call fails any more then."""
    healthy = "cluster.standin.membership_healthy"
    eventually(
        lambda: outlier(standins, "ejections_active") == 0 and standins.mesh.counter(healthy) == 2,
        OUT_S,
        "the return of the replica",
    )
    answers = [ask(standins) for _ in range(CALLS)]
    assert {answer.data["replica"] for answer in answers} == {GOOD, BAD}


@pytest.mark.parametrize("code", [code for code, row in CODES.items() if row["ejects, mesh"] == "yes"])
def test_a_replica_that_fails_is_ejected_where_the_page_says_so_and_no_read_fails(whole: Standins, code: str) -> None:
    """Neither before its ejection nor while it is out, nor when it is let back and fails again."""
    assert CODES[code]["a read is tried again, mesh"] == "yes"
    before, calls, spared = outlier(whole, "ejections_enforced_total"), 0, 0

    def state() -> tuple[int, int]:
        return outlier(whole, "ejections_active"), outlier(whole, "ejections_enforced_total")

    def seen_enough() -> bool:
        nonlocal calls, spared
        then = state()
        answers = [ask(whole)]  # Envoy's worker thread learns of an ejection a moment after its counter
        met = len(whole.events("started", replica=BAD))
        answers += [ask(whole) for _ in range(5)]
        if then[0] == 1 and state() == then:
            assert len(whole.events("started", replica=BAD)) == met, "it is out and is called"
            spared += 5
        calls += len(answers)
        assert {answer.data["replica"] for answer in answers} == {GOOD}
        return spared >= CALLS and then[1] >= before + 3

    with whole.told(BAD, fail=grpc.StatusCode[code]):
        eventually(seen_enough, 60, "three ejections")
    ejections = outlier(whole, "ejections_enforced_total") - before
    print(f"{calls} reads while one of two answered {code}, 0 failed; {ejections} ejections")  # noqa: T201 - figures
    # Healed: the fixture sees it come back.


@pytest.mark.parametrize("code", [code for code, row in CODES.items() if row["ejects, mesh"] == "no"])
def test_other_codes_eject_nobody_and_only_that_replicas_calls_fail(whole: Standins, code: str) -> None:
    before = outlier(whole, "ejections_enforced_total")
    with whole.told(BAD, fail=grpc.StatusCode[code]):
        answers = [ask(whole) for _ in range(CALLS)]
    assert outlier(whole, "ejections_enforced_total") == before
    seen = Counter(answer.code for answer in answers)
    assert seen.keys() == {"", WHAT_CALLERS_SEE.get(code, "INTERNAL")}
    assert {answer.data["replica"] for answer in answers if answer.ok} == {GOOD}


def test_a_replica_that_hangs_is_out_until_it_goes_on(whole: Standins, callers: ThreadPoolExecutor) -> None:
    stopped = whole.mesh.stack.part(BAD)
    stopped.kill(signal.SIGSTOP)
    try:
        meanwhile = [callers.submit(ask, whole) for _ in range(CALLS)]
        took = eventually(
            lambda: whole.mesh.counter("cluster.standin.membership_healthy") == 1, FOUND_S, "Envoy's knowledge of it"
        )
        lost = Counter(call.result().code for call in meanwhile)
        assert lost.keys() <= {"", "TIMEOUT", "UNAVAILABLE"}, "only what may be tried again"
        after = list(callers.map(lambda _: ask(whole), range(5 * CALLS)))
        assert {answer.data["replica"] for answer in after} == {GOOD}
        print(f"found after {took:.1f} s; until then {dict(lost)}, after that {len(after)} calls and 0 failed")  # noqa: T201 - figures
    finally:
        stopped.kill(signal.SIGCONT)


@contextmanager
def starved(standins: Standins, name: str) -> Iterator[list[float]]:
    """A replica that works for moments only, as on a machine that has no time for it: 0.1 s of every 2.6.

    Yields:
        When each of its moments began, by `time.monotonic`.
    """
    part, fed = standins.mesh.stack.part(name), threading.Event()
    moments: list[float] = []

    def starve() -> None:
        while not fed.is_set():
            part.kill(signal.SIGSTOP)
            fed.wait(2.5)
            moments.append(time.monotonic())
            part.kill(signal.SIGCONT)
            fed.wait(0.1)

    with ThreadPoolExecutor(1) as hand:
        starving = hand.submit(starve)
        try:
            yield moments
        finally:
            fed.set()
            starving.result()


def test_a_replica_that_is_slow_as_a_whole_is_out_until_it_is_well(whole: Standins) -> None:
    healthy = "cluster.standin.membership_healthy"
    with starved(whole, BAD) as moments, ThreadPoolExecutor(4) as callers:
        meanwhile: list[Answer] = []

        def found() -> bool:
            meanwhile.extend(callers.map(lambda _: ask(whole), range(4)))
            return whole.mesh.counter(healthy) == 1

        took = eventually(found, STARVED_FOUND_S, "Envoy's knowledge of it")
        after: list[Answer] = []
        before = len(moments)

        def three_moments_later() -> bool:
            after.extend(callers.map(lambda _: ask(whole), range(4)))
            return len(moments) >= before + 3

        eventually(three_moments_later, 60, "three of its moments")
        assert {answer.code for answer in after} == {""}
        assert whole.mesh.counter(healthy) == 1, "it answers a check now and then, and never two in a row"
    lost = Counter(answer.code for answer in meanwhile)
    assert lost.keys() <= {"", "TIMEOUT", "UNAVAILABLE"}, "only what may be tried again"
    print(f"found after {took:.1f} s; until then {dict(lost)}, after that {len(after)} calls and 0 failed")  # noqa: T201 - figures


def test_a_replica_that_is_slow_in_one_method_stays_in_use_and_gets_less(
    whole: Standins, callers: ThreadPoolExecutor
) -> None:
    before = outlier(whole, "ejections_enforced_total")
    with whole.told(BAD, delay_s=5):  # longer than the action's timeout
        answers = list(callers.map(lambda _: ask(whole), range(5 * CALLS)))
    seen = Counter(answer.code for answer in answers)
    print(f"with one slow replica of two: {dict(seen)}")  # noqa: T201 - a figure
    assert seen.keys() <= {"", "TIMEOUT"}
    assert seen["TIMEOUT"] < 0.4 * len(answers)
    assert outlier(whole, "ejections_enforced_total") == before


def test_callers_with_little_time_eject_nobody(whole: Standins) -> None:
    operator = whole.mesh.caller("operator")
    request = invocation("STANDIN_SLOW", {"seconds": 5, "key": secrets.token_hex(4)})
    before = outlier(whole, "ejections_enforced_total")
    invoke = operator.channel._channel.unary_unary(path("Invoke"))
    message = request.SerializeToString()
    calls = [invoke.future(message, timeout=0.3, metadata=operator.sign("Invoke", request)) for _ in range(30)]
    for _ in range(300):
        calls.append(invoke.future(message, timeout=0.3, metadata=operator.sign("Invoke", request)))
        calls.pop(0).exception()
    codes = Counter(call.exception().code().name for call in calls)
    assert set(codes) <= {"DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}, codes
    assert outlier(whole, "ejections_enforced_total") == before


def test_a_flood_of_documents_that_time_out_ejects_nobody(standins: Standins, callers: ThreadPoolExecutor) -> None:
    references = [standins.mesh.adapter.reference(endless_document()) for _ in range(12)]
    calls = [callers.submit(standins.mesh.adapter.invoke, "PDF_TEXT", {"doc_ref": each}) for each in references]
    assert Counter(call.result().code for call in calls) == {"TIMEOUT": len(references)}
    must_have_ejected_no_engine(standins)


def test_a_flood_of_documents_that_crash_the_engine_ejects_nobody(
    standins: Standins, callers: ThreadPoolExecutor
) -> None:
    references = [standins.mesh.adapter.reference(endless_document()) for _ in range(12)]
    calls = [callers.submit(standins.mesh.adapter.invoke, "PDF_TEXT", {"doc_ref": each}) for each in references]

    def crashed() -> bool:
        """Nothing that MuPDF is known to crash on is kept here, so its crash is made."""
        for number in (1, 2):
            for worker in Engine(standins.mesh, number).busy():
                with suppress(psutil.NoSuchProcess):
                    worker.send_signal(signal.SIGSEGV)
        return all(call.done() for call in calls)

    eventually(crashed, 30, "the end of every call")
    seen = Counter(call.result().code for call in calls)
    assert seen == {"ENGINE_FAIL": len(references)}
    assert {call.result().details["reason"] for call in calls} == {"crash"}
    must_have_ejected_no_engine(standins)


def must_have_ejected_no_engine(standins: Standins) -> None:
    """Fails unless Envoy has never put a replica of pdf out, and both work."""
    assert outlier(standins, "ejections_enforced_total", "pdf") == 0
    assert outlier(standins, "ejections_detected_consecutive_gateway_failure", "pdf") == 0
    eventually(lambda: standins.mesh.counter("cluster.pdf.membership_healthy") == 2, what="both replicas of pdf")
    content = standins.mesh.good_document.read_bytes()
    for _ in range(CALLS):
        assert standins.mesh.adapter.ask("PDF_METADATA", content + b"%" + secrets.token_hex(8).encode()).ok
