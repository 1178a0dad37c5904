"""A document's password goes to the worker that opens the document, and is nowhere else, before or after."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from services.pdf.worker.mupdf import pymupdf
from tests.e2e.support.adapter import Adapter, Answer
from tests.e2e.support.caller import Caller
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.engine import Engine, endless_document
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

ROLES = ("redis-state", "redis-cache")


@pytest.fixture
def word() -> str:
    """A password that nobody else uses, so that any trace of it is one of these calls."""
    return f"pw{secrets.token_hex(12)}"


@pytest.fixture
def text() -> str:
    """What the document says, and nobody else."""
    return f"text{secrets.token_hex(12)}"


@pytest.fixture
def document(word: str, text: str) -> bytes:
    """An encrypted document of 40 pages: enough that several workers read it."""
    with pymupdf.open() as made:
        for _ in range(40):
            made.new_page().insert_text((72, 72), text)
        content: bytes = made.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=word, owner_pw=f"{word}-owner")
    return content


@pytest.fixture
def reference(adapter: Adapter, document: bytes) -> dict[str, str]:
    return adapter.reference(document)


@contextmanager
def heard(mesh: Deployment) -> Iterator[list[str]]:
    """All commands that both roles of Redis get in the block, complete once it has ended."""
    commands: list[str] = []
    last = secrets.token_hex(8)

    def listen(monitor: Any) -> None:
        for command in monitor.listen():
            commands.append(command["command"])
            if last in command["command"]:
                return

    sockets = [mesh.stack.folders.sockets / f"{name}.sock" for name in ROLES]
    with ExitStack() as exits:
        listeners = exits.enter_context(ThreadPoolExecutor())
        servers = [redis.Redis(unix_socket_path=str(path), socket_timeout=60) for path in sockets]
        done = [listeners.submit(listen, exits.enter_context(server.monitor())) for server in servers]
        try:
            yield commands
        finally:
            for server in servers:
                server.echo(last)
            for each in done:
                each.result(timeout=30)
            for server in servers:
                server.close()


def files_with(mesh: Deployment, *words: str) -> list[Path]:
    """The files of the whole mesh that hold one of these words: logs, Redis's, documents, what is being read."""
    found = []
    for path in mesh.stack.folders.root.rglob("*"):
        with suppress(FileNotFoundError):  # one that was there for a moment
            if path.is_file() and any(word.encode() in path.read_bytes() for word in words):
                found.append(path)
    return found


def processes_with(word: str) -> list[int]:
    """The processes of this machine whose command line or environment holds a word."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if any(word in each for each in (*process.cmdline(), *process.environ().values())):
                found.append(process.pid)
    return found


def must_not_be_kept(answer: Answer) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert answer.meta["cache"] == "none"


def test_a_document_is_read_with_its_password_and_not_without(
    adapter: Adapter, reference: dict[str, str], word: str, text: str
) -> None:
    for password in (word, f"{word}-owner"):
        with_it = {**reference, "password": password}
        read = adapter.invoke("PDF_TEXT", {"doc_ref": with_it})
        assert {item["text"] for item in read.data["items"]} == {f"{text}\n"}
        assert adapter.invoke("PDF_METADATA", {"doc_ref": with_it}).data["encrypted"]
    adapter.invoke("PDF_TEXT", {"doc_ref": reference}).must_be("BAD_ARG", says="password", reason="encrypted")
    wrong = adapter.invoke("PDF_TEXT", {"doc_ref": {**reference, "password": "wrong"}})
    wrong.must_be("BAD_ARG", says="not the document's password", reason="wrong_password")


def test_each_result_is_made_anew_and_is_nobody_else_s(
    adapter: Adapter, reference: dict[str, str], word: str, good_document: Path
) -> None:
    args = {"doc_ref": {**reference, "password": word}}
    for _ in range(2):
        must_not_be_kept(adapter.invoke("PDF_TEXT", args))
    adapter.invoke("PDF_TEXT", {"doc_ref": reference}).must_be("BAD_ARG", reason="encrypted")
    must_not_be_kept(
        adapter.invoke("PDF_METADATA", {"doc_ref": {**adapter.reference(good_document), "password": word}})
    )


def test_an_idempotency_key_beside_a_password_is_refused(
    adapter: Adapter, reference: dict[str, str], word: str
) -> None:
    args = {"doc_ref": {**reference, "password": word}}
    answer = adapter.invoke("PDF_TEXT", args, Idempotency_Key=secrets.token_hex(8))
    answer.must_be("BAD_ARG", says="password", field="idempotency_key")


def test_the_catalogue_says_that_it_is_a_password(adapter: Adapter) -> None:
    listed = adapter.request("GET", "/actions").data["actions"]
    (schema,) = (each["args_schema"] for each in listed if each["name"] == "PDF_TEXT")
    password = schema["properties"]["doc_ref"]["properties"]["password"]
    assert (password["format"], password["writeOnly"]) == ("password", True)


def test_neither_the_password_nor_the_text_is_kept_anywhere(
    mesh: Deployment, operator: Caller, document: bytes, word: str, text: str
) -> None:
    adapter = mesh.adapter
    reference = adapter.reference(document)
    stored = set(mesh.stack.folders.blobs.rglob("*"))
    args = {"doc_ref": {**reference, "password": word}}
    with heard(mesh) as commands:
        for action in ("PDF_TEXT", "PDF_METADATA", "PDF_OUTLINE", "PDF_TEXT"):
            assert adapter.invoke(action, args).ok
        assert operator.invoke("PDF_TEXT", {"doc_ref": {**operator.put(document), "password": word}})["pages"] == 40
        adapter.invoke("PDF_TEXT", args, Idempotency_Key=secrets.token_hex(8)).must_be("BAD_ARG")
        adapter.invoke("PDF_TEXT", {"doc_ref": {**reference, "password": f"{word}!"}}).must_be("BAD_ARG")
        adapter.invoke("PDF_TEXT", {"doc_ref": {**reference, "password": word * 10}}).must_be("BAD_ARG")
        adapter.invoke("PDF_TEXT", {"doc_ref": {**reference, "password": [word]}}).must_be("BAD_ARG")
        adapter.invoke("PDF_TEXT", {"doc_ref": reference, "password": word}).must_be("BAD_ARG", field="password")
        adapter.invoke("NO_SUCH", args).must_be("BAD_ARG")
        adapter.invoke_raw(f'{{"action": "PDF_TEXT", "password": "{word}"}}'.encode()).must_be("BAD_ARG")
        adapter.invoke_raw(f'{{"action": "PDF_TEXT", "args": {{"password": "{word}'.encode()).must_be("BAD_ARG")

    assert any("EVALSHA" in command for command in commands), "or nothing was heard"
    assert not [command for command in commands if word in command or text in command]
    kept = ("result:", "got:", "flight:", "failed:", "idempotency")
    assert not [command for command in commands if any(f" {name}" in command for name in kept)]
    assert files_with(mesh, word, text) == []
    assert set(mesh.stack.folders.blobs.rglob("*")) == stored, "no answer, no reading"
    assert processes_with(word) == []


def test_while_a_worker_reads_the_password_is_in_no_process_list(mesh: Deployment, word: str) -> None:
    reference = mesh.adapter.reference(endless_document())
    engine = Engine(mesh)
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(mesh.adapter.invoke, "PDF_TEXT", {"doc_ref": {**reference, "password": word}})
        eventually(lambda: bool(engine.busy()), what="a worker at work")
        assert processes_with(word) == []
        assert files_with(mesh, word) == []
        call.result().must_be("TIMEOUT")
    assert files_with(mesh, word) == []
