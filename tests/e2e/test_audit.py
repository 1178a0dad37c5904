"""The audit logs of two replicas, as the command line sees them."""

import json
import os
import random
import resource
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.e2e.support.adapter import Answer
from tests.e2e.support.caller import invocation
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.waiting import eventually
from tests.support.audit_logs import key_of
from tests.support.tamperer import Tamperer

REPLICAS = ("dispatch", "dispatch-2")

Verify = Callable[..., Result]


@pytest.fixture(scope="module")
def shared_audited_mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, replicas={"dispatch": 2}, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture
def audited_mesh(shared_audited_mesh: Deployment) -> Iterator[Deployment]:
    """A mesh with two of dispatch. Whatever a test does to them, they run afterwards."""
    yield shared_audited_mesh
    stack = shared_audited_mesh.stack
    for part in map(stack.part, REPLICAS):
        if not part.running:
            part.start()
    stack.wait_until_ready()
    eventually(shared_audited_mesh.works, 30, "a good call")


@pytest.fixture
def verify(audited_mesh: Deployment) -> Verify:
    """Runs `papermesh audit verify` as it would be run beside the mesh."""
    return verifier(audited_mesh)


def verifier(mesh: Deployment) -> Verify:
    mine = dict.fromkeys(name for name in os.environ if name.startswith("PAPERMESH_"))

    def run(*words: str) -> Result:
        environment = {**mine, "PAPERMESH_VAR": str(mesh.stack.folders.root), "COLUMNS": "300"}
        return CliRunner().invoke(app, ("audit", "verify", *words), env=environment)

    return run


def lines_of(mesh: Deployment, request_id: str) -> list[dict[str, Any]]:
    """What the audit logs say of one call."""
    files = sorted(mesh.stack.folders.audit.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines() if request_id in line]


def size_of_the_logs(mesh: Deployment) -> int:
    return sum(file.stat().st_size for file in mesh.stack.folders.audit.iterdir())


def call_a_lot(mesh: Deployment, reference: dict[str, str], calls: int) -> None:
    """Good calls and bad ones, many at a time, so that both replicas have their share."""

    def call(number: int) -> None:
        pages = "1" if number % 5 else "999"
        mesh.adapter.invoke("PDF_TEXT", {"doc_ref": reference, "pages": pages})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(calls)))


def test_a_call_is_one_line_with_its_ids_and_none_of_its_text(audited_mesh: Deployment) -> None:
    reference = audited_mesh.adapter.reference(audited_mesh.good_document)
    answer = audited_mesh.adapter.invoke("PDF_TEXT", {"doc_ref": reference, "pages": "1-2"})

    (line,) = lines_of(audited_mesh, answer.meta["request_id"])

    assert line["trace_id"] == answer.meta["trace_id"]
    assert (line["client"], line["actor"]) == ("adapter", "local")
    assert line["certificate"] == "spiffe://papermesh/ns/default/sa/adapter"
    assert (line["method"], line["action"], line["documents"]) == ("Invoke", "PDF_TEXT", [reference["sha256"]])
    assert (line["decision"], line["code"], line["cache"]) == ("allow", "OK", answer.meta["cache"])
    assert len(line["args"]) == 64
    assert line["bytes"] > 100
    assert line["latency_ms"] > 0
    written = b"".join(file.read_bytes() for file in audited_mesh.stack.folders.audit.iterdir())
    for private in (b'"1-2"', b"leave-policy", b"doc_ref", answer.data["items"][0]["text"][:20].encode()):
        assert private not in written


def test_a_call_that_is_refused_is_a_line_too(audited_mesh: Deployment) -> None:
    stranger = audited_mesh.caller("reports").but(secret=bytes(32))
    refusal = stranger.refusal("Invoke", invocation("PDF_TEXT", {})).must_be("UNAUTHENTICATED")
    (line,) = lines_of(audited_mesh, refusal.request_id)
    assert (line["decision"], line["code"]) == ("deny", "UNAUTHENTICATED")
    assert (line["client"], line["claimed"]) == ("", "reports")
    assert line["certificate"] == "spiffe://papermesh/ns/default/client/reports"

    narrow = audited_mesh.caller("narrow")
    refusal = narrow.refusal("Invoke", invocation("PDF_TEXT", {})).must_be("FORBIDDEN")
    (line,) = lines_of(audited_mesh, refusal.request_id)
    assert (line["decision"], line["client"], line["action"]) == ("deny", "narrow", "PDF_TEXT")


def test_logs_pass_while_they_are_written(audited_mesh: Deployment, verify: Verify) -> None:
    reference = audited_mesh.adapter.reference(audited_mesh.good_document)
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call_a_lot, audited_mesh, reference, 200)
        checks = 0
        while not calling.done():
            result = verify()
            assert result.exit_code == 0, result.output
            checks += 1
    calling.result()
    assert checks > 1


def test_two_hundred_ways_to_touch_the_logs_of_two_replicas_are_all_found(good_document: Path, tmp_path: Path) -> None:
    """In a mesh of its own, where no replica was killed: all logs are ended, and Redis knows all of their lines."""
    guessed, copy = key_of(tmp_path, "B" * 43), tmp_path / "copy"
    seed = random.randrange(10**9)  # noqa: S311 - told when something fails, so that it can be repeated
    missed = []
    with deployed(good_document, replicas={"dispatch": 2}, **RATES_OUT_OF_THE_WAY) as mesh:
        verify, logs = verifier(mesh), mesh.stack.folders.audit
        call_a_lot(mesh, mesh.adapter.reference(good_document), 200)
        for name in REPLICAS:
            mesh.stack.part(name).stop()
        assert {file.name.partition("-20")[0] for file in logs.iterdir()} == set(REPLICAS)
        untouched = verify()
        assert untouched.exit_code == 0, untouched.output

        for number in range(200):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(logs, copy)
            done = Tamperer(copy, guessed, seed + number).touch()
            result = verify(str(copy))
            if result.exit_code != 1 or ".jsonl" not in result.stdout:
                missed.append((done, seed + number, result.output))

        assert missed == []
        assert verify().exit_code == 0, "the logs themselves are as they were"


def test_the_log_of_a_replica_that_is_killed_passes_and_the_next_run_has_its_own(
    audited_mesh: Deployment, verify: Verify
) -> None:
    reference = audited_mesh.adapter.reference(audited_mesh.good_document)
    before, size = len(list(audited_mesh.stack.folders.audit.iterdir())), size_of_the_logs(audited_mesh)
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call_a_lot, audited_mesh, reference, 200)
        eventually(lambda: size_of_the_logs(audited_mesh) > size + 20_000, what="calls under way")
        audited_mesh.stack.part("dispatch").kill()
        calling.result()
    audited_mesh.stack.restart("dispatch")
    assert len(list(audited_mesh.stack.folders.audit.iterdir())) == before + 1
    result = verify()
    assert result.exit_code == 0, result.output


def test_calls_are_refused_while_they_cannot_be_recorded(audited_mesh: Deployment, verify: Verify) -> None:
    """A limit on the size of files stands for a full disk: the system refuses to make the logs any longer."""

    def ask() -> Answer:
        return audited_mesh.adapter.request("GET", "/actions")

    pids = [audited_mesh.stack.part(name).pid for name in REPLICAS]
    limits = {pid: resource.prlimit(pid or 0, resource.RLIMIT_FSIZE) for pid in pids}
    try:
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid or 0, resource.RLIMIT_FSIZE, (1, hard))
        # A replica finds out with the line of one call, which waits in its memory, and then refuses. Twenty refusals on
        # end are those of both.
        eventually(lambda: not any(ask().ok for _ in range(20)), what="a refusal by both")
        ask().must_be("UNAVAILABLE")
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid or 0, resource.RLIMIT_FSIZE, limit)
    eventually(audited_mesh.works, 20, "a good call")
    result = verify()
    assert result.exit_code == 0, result.output
