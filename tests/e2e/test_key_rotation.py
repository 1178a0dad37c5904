"""Keys and clients change while calls flow: `papermesh clients`, and no restart."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.caller import read_secret
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.waiting import eventually
from trust import clients_file

PAPERMESH = Path(sys.executable).with_name("papermesh")
CALLERS = 3
"""Threads of each kind of caller."""

SETTLE_S = "3"
"""Each part looks at its files every second; on a busy machine a little less often."""

LIST = pb.ListActionsRequest()


@pytest.fixture(scope="module")
def rotated(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture
def mesh(rotated: Deployment) -> Iterator[Deployment]:
    """A mesh whose clients file a test may change."""
    listing = rotated.stack.key_file("clients")
    before = clients_file.read(listing)
    yield rotated
    keys = {entry["id"]: entry["keys"] for entry in clients_file.read(listing)}
    clients_file.write(listing, [{**entry, "keys": keys[entry["id"]]} for entry in before])
    rotated.must_have_met_no_bug()


def clients(mesh: Deployment, *words: str) -> str:
    """Runs `papermesh clients` as the operator of the deployment does."""
    environment = {**os.environ, "PAPERMESH_VAR": str(mesh.stack.folders.root)}
    command = [PAPERMESH, "clients", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Load:
    """Calls that flow, and how they ended."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1

    @contextmanager
    def flowing(self, *kinds: Callable[[], str]) -> Iterator[None]:
        def repeat(call: Callable[[], str]) -> None:
            while not self._stop.is_set():
                self.count(call())

        threads = [threading.Thread(target=repeat, args=(kind,)) for kind in kinds for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def more(self, calls: int) -> None:
        """Waits until so many more calls have ended."""
        wanted = self.outcomes.total() + calls
        eventually(lambda: self.outcomes.total() >= wanted, limit_s=60, what=f"{calls} more calls")


def listing_by(mesh: Deployment, name: str) -> Callable[[], str]:
    """A call by a client that reads its key file anew each time."""

    def call() -> str:
        return mesh.caller(name).outcome("ListActions", LIST) or "OK"

    mesh.caller(name)  # its channel is made once, before the threads
    return call


def asking_through(mesh: Deployment, document: dict[str, str]) -> Callable[[], str]:
    """A call through the adapter."""

    def call() -> str:
        try:
            answer = mesh.adapter.invoke("PDF_METADATA", {"doc_ref": document})
        except httpx.TransportError as error:
            return type(error).__name__
        return answer.code or "OK"

    return call


@pytest.mark.parametrize("name", ["reports", "adapter"])
def test_a_key_is_changed_while_calls_flow_and_none_is_refused(mesh: Deployment, name: str) -> None:
    document = mesh.adapter.reference(mesh.good_document)
    old = mesh.caller(name)
    assert read_secret(mesh.stack.key_file(name)) == old.signature.secret
    load = Load()
    with load.flowing(listing_by(mesh, "reports"), asking_through(mesh, document)):
        load.more(100)
        clients(mesh, "rotate-key", name, "--settle-s", SETTLE_S)
        load.more(100)
        assert old.outcome("ListActions", LIST) == "", "the old key is still good"
        clients(mesh, "rotate-key", name, "--settle-s", SETTLE_S, "--finish")
        eventually(lambda: old.outcome("ListActions", LIST) == "UNAUTHENTICATED", what="the end of the old key")
        load.more(100)
    print(f"{load.outcomes.total()} calls while the key of {name} changed: {dict(load.outcomes)}")  # noqa: T201 - a figure
    assert load.outcomes.keys() == {"OK"}
    assert mesh.caller(name).signature.secret != old.signature.secret


@pytest.mark.measures_time
def test_a_client_that_is_added_may_call_at_once_and_one_that_is_removed_no_more(mesh: Deployment) -> None:
    clients(mesh, "add", "late", "--action", "PDF_*")
    late = mesh.caller("late", certificate="client/late")
    took = eventually(lambda: late.outcome("ListActions", LIST) == "", what="the new client's first call")
    assert took < 5
    with clients_file.changing(mesh.stack.key_file("clients")) as entries:
        entries.remove(clients_file.find(entries, "late"))
    eventually(lambda: late.outcome("ListActions", LIST) == "UNAUTHENTICATED", what="the removed client's end")


def test_rights_change_without_a_restart(mesh: Deployment) -> None:
    operator = mesh.caller("operator")
    kim, lee = "kim@corp.example", "lee@elsewhere.example"

    def listed(actor: str) -> set[str]:
        (answer,) = operator.call("ListActions", pb.ListActionsRequest(actor=actor))
        return {action.name for action in answer.actions}

    everything = listed(kim)
    assert "PDF_TEXT" in everything
    with clients_file.changing(mesh.stack.key_file("clients")) as entries:
        entry = clients_file.find(entries, "operator")
        entry["grants"] = [{"actors": ["*@corp.example"], "actions": ["PDF_METADATA"]}]
    eventually(lambda: listed(kim) == {"PDF_METADATA"}, what="the grant")
    assert listed("") == everything, "the client itself has its own rights"
    operator.refusal("ListActions", pb.ListActionsRequest(actor=lee)).must_be("FORBIDDEN")


def test_a_list_that_is_wrong_changes_nothing_and_is_told_in_the_log(mesh: Deployment) -> None:
    listing = mesh.stack.key_file("clients")
    good = listing.read_bytes()
    listing.write_bytes(good.replace(b'"actions"', b'"acctions"'))
    eventually(lambda: "acctions" in mesh.log("dispatch"), what="the line in the log")
    assert mesh.caller("reports").outcome("ListActions", LIST) == ""
    listing.write_bytes(good)
    eventually(lambda: "was read again" in mesh.log("dispatch"), what="the good list's return")
    assert read_secret(mesh.stack.key_file("reports")).hex() not in mesh.log("dispatch")
    mesh._read["dispatch"] = len(mesh.log("dispatch"))  # that error was meant
