"""Nothing that was computed before lets anybody read what they may not: not a cached answer, not a stored one, not a
computation under way. Who has no right is told the same, in the same words, as if nobody had ever asked."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.caller import Caller, Refusal, download, invocation, path
from tests.e2e.support.standins.deployed import Standins, deployed_with_standins
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import pdf_bytes
from trust import clients_file

OWNER = "ada"
UNDER_WAY_MS = 3000
PROBE = invocation("STANDIN_FAIL", {}, OWNER)
TAKEN_UP_S = 15
"""How soon every replica knows what the clients file says."""


@pytest.fixture(scope="module")
def doubled(good_document: Path) -> Iterator[Standins]:
    with deployed_with_standins(good_document, replicas={"dispatch": 2}) as standins:
        yield standins


@pytest.fixture
def standins(doubled: Standins) -> Iterator[Standins]:
    """Two replicas of dispatch, and a clients file that a test may change."""
    listing = doubled.mesh.stack.key_file("clients")
    before = clients_file.read(listing)
    yield doubled
    if clients_file.read(listing) != before:
        clients_file.write(listing, before)
        operator = doubled.mesh.caller("operator")
        eventually(lambda: all_say(operator, PROBE, grpc.StatusCode.OK), TAKEN_UP_S, "the rights of before")
    doubled.mesh.must_have_met_no_bug()


@pytest.fixture
def operator(standins: Standins) -> Caller:
    return standins.mesh.caller("operator")


@dataclass(frozen=True)
class Asked:
    """A call that its owner made, and that somebody else makes then."""

    reference: dict[str, str]
    note: str
    ms: int = 0
    key: str = ""

    def request(self, actor: str, action: str = "STANDIN_COUNT_DOCUMENT") -> pb.InvokeRequest:
        """The same arguments and the same idempotency key, by whatever actor."""
        args: dict[str, Any] = {"doc_ref": self.reference}
        if action == "STANDIN_COUNT_DOCUMENT":
            args |= {"key": self.note, "ms": self.ms}
        request = invocation(action, args, actor)
        request.idempotency_key = self.key
        return request


class Known:
    """What the mesh knows of a document's result before somebody else asks for it."""

    def __init__(self, operator: Caller, name: str) -> None:
        self.name = name
        content, note = pdf_bytes(1000), secrets.token_hex(8)
        key = note if "stored" in name else ""
        self.asked = Asked(operator.put(content, OWNER), note, UNDER_WAY_MS if "under way" in name else 0, key)
        self._operator = operator
        self._flight: Any = None

    def begin(self, standins: Standins) -> "Known":
        """Has the owner ask, unless nobody is to have asked."""
        request = self.asked.request(OWNER)
        if self.name == "nothing":
            return self
        if "under way" in self.name:
            signed = self._operator.sign("Invoke", request)
            self._flight = self._operator.channel.start(path("Invoke"), request.SerializeToString(), signed)
            eventually(lambda: standins.events("started", key=self.asked.note), what="the computation")
            return self
        assert self._operator.call("Invoke", request)
        return self

    def end(self, standins: Standins) -> None:
        """The owner has its answer, and nobody else caused a computation."""
        if self._flight is not None:
            assert self._flight.code() is grpc.StatusCode.OK, "the owner's call goes on"
        expected = 0 if self.name == "nothing" else 1
        assert len(standins.events("started", key=self.asked.note)) == expected


STATES = ("cached", "stored", "under way", "stored, under way")


def all_say(caller: Caller, request: pb.InvokeRequest, status: grpc.StatusCode) -> bool:
    """Whether so many calls in a row end with that status that every replica had some of them."""
    signed = [(request.SerializeToString(), caller.sign("Invoke", request)) for _ in range(10)]
    return all(caller.channel.start(path("Invoke"), *each).code() is status for each in signed)


def said(refusal: Refusal) -> tuple[Any, ...]:
    """All that a refusal tells, but the number of the call."""
    return refusal.status, refusal.code, refusal.message, refusal.text, refusal.fields, tuple(refusal.details.items())


def other_actor(standins: Standins, asked: Asked) -> Refusal:
    return standins.mesh.caller("operator").refusal("Invoke", asked.request("bob")).must_be("NOT_FOUND")


def client_itself(standins: Standins, asked: Asked) -> Refusal:
    return standins.mesh.caller("operator").refusal("Invoke", asked.request("")).must_be("NOT_FOUND")


def other_client(standins: Standins, asked: Asked) -> Refusal:
    return standins.mesh.caller("adapter").refusal("Invoke", asked.request("")).must_be("NOT_FOUND")


def other_client_with_an_actor_of_that_name(standins: Standins, asked: Asked) -> Refusal:
    return standins.mesh.caller("adapter").refusal("Invoke", asked.request(OWNER)).must_be("NOT_FOUND")


def owner_after_it_deleted_the_document(standins: Standins, asked: Asked) -> Refusal:
    operator = standins.mesh.caller("operator")
    deletion = pb.DeleteDocumentRequest(actor=OWNER)
    deletion.doc_ref.type, deletion.doc_ref.sha256 = "UPLOAD", asked.reference["sha256"]
    assert operator.call("DeleteDocument", deletion)
    return operator.refusal("Invoke", asked.request(OWNER)).must_be("NOT_FOUND")


def client_that_may_not_call_the_action(standins: Standins, asked: Asked) -> Refusal:
    return standins.mesh.caller("narrow").refusal("Invoke", asked.request("")).must_be("FORBIDDEN", says="this action")


STRANGERS: tuple[Callable[[Standins, Asked], Refusal], ...] = (
    other_actor,
    client_itself,
    other_client,
    other_client_with_an_actor_of_that_name,
    owner_after_it_deleted_the_document,
    client_that_may_not_call_the_action,
)


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda stranger: stranger.__name__)
@pytest.mark.parametrize("state", STATES)
def test_who_may_not_read_is_told_the_same_as_if_nobody_had_asked(
    standins: Standins, operator: Caller, state: str, stranger: Callable[[Standins, Asked], Refusal]
) -> None:
    nothing = Known(operator, "nothing").begin(standins)
    known = Known(operator, state).begin(standins)

    assert said(stranger(standins, known.asked)) == said(stranger(standins, nothing.asked))

    known.end(standins)
    nothing.end(standins)


@pytest.mark.parametrize("state", STATES)
def test_the_one_who_may_read_is_answered_from_what_is_known(standins: Standins, operator: Caller, state: str) -> None:
    known = Known(operator, state).begin(standins)
    assert operator.call("Invoke", known.asked.request(OWNER))
    known.end(standins)


def test_a_digest_that_is_known_opens_no_project(standins: Standins, operator: Caller) -> None:
    reports = standins.mesh.caller("reports")
    reference = operator.put(standins.mesh.good_document.read_bytes(), OWNER)
    assert operator.invoke("PDF_METADATA", {"doc_ref": reference}, OWNER)
    in_gitlab = {"type": "GITLAB", "project_path": "hr/private", "path": "a.pdf", "ref": "main"}

    asked = invocation("PDF_METADATA", {"doc_ref": in_gitlab})
    reports.refusal("Invoke", asked).must_be("FORBIDDEN", says="that project")
    with_digest = invocation("PDF_METADATA", {"doc_ref": {**in_gitlab, "sha256": reference["sha256"]}})
    reports.refusal("Invoke", with_digest).must_be("BAD_ARG", says="no sha256")


def test_rights_that_are_taken_while_the_mesh_runs_end_what_is_known_too(standins: Standins, operator: Caller) -> None:
    found = [Known(operator, state).begin(standins) for state in ("nothing", "cached", "stored")]
    listing = standins.mesh.stack.key_file("clients")
    entries = clients_file.read(listing)
    grant = {"actors": ["*"], "actions": ["PDF_*"]}
    clients_file.write(listing, [{**each, "grants": [grant]} if each["id"] == "operator" else each for each in entries])
    denied = grpc.StatusCode.PERMISSION_DENIED
    eventually(lambda: all_say(operator, PROBE, denied), TAKEN_UP_S, "the end of the rights")

    answers = {said(operator.refusal("Invoke", each.asked.request(OWNER))) for each in found}

    assert len(answers) == 1
    assert {code for _, code, *_ in answers} == {"FORBIDDEN"}
    for each in found:
        each.end(standins)


def test_a_right_taken_while_the_result_is_computed_is_gone_for_the_next_call(
    standins: Standins, operator: Caller
) -> None:
    known = Known(operator, "under way").begin(standins)
    owner_after_it_deleted_the_document(standins, known.asked)
    known.end(standins)
    operator.refusal("Invoke", known.asked.request(OWNER)).must_be("NOT_FOUND")


def test_uploading_the_same_bytes_is_what_gives_the_right(standins: Standins, operator: Caller) -> None:
    content, note = pdf_bytes(1000), secrets.token_hex(8)
    asked = Asked(operator.put(content, OWNER), note)
    assert operator.call("Invoke", asked.request(OWNER))
    other_actor(standins, asked)

    operator.put(content, "bob")

    (response,) = operator.call("Invoke", asked.request("bob"))
    assert response.json
    assert response.cache == pb.CACHE_STATE_MISS, "that somebody else has asked before is nobody's business"


def test_a_digest_alone_is_no_way_to_the_bytes(standins: Standins, operator: Caller) -> None:
    known = Known(operator, "cached").begin(standins)
    for caller, actor in ((operator, "bob"), (operator, ""), (standins.mesh.caller("adapter"), OWNER)):
        theirs = caller.refusal("GetDocument", download(known.asked.reference, actor))
        nobodys = caller.refusal("GetDocument", download({"type": "UPLOAD", "sha256": secrets.token_hex(32)}, actor))
        assert said(theirs) == said(nobodys)
        assert theirs.code == "NOT_FOUND"


def test_over_http_nothing_hints_at_an_answer_that_is_known(standins: Standins, operator: Caller) -> None:
    adapter = standins.mesh.adapter
    known = Known(operator, "cached").begin(standins)
    nothing = Known(operator, "nothing").begin(standins)

    def ask(asked: Asked) -> Any:
        args = {"doc_ref": asked.reference, "key": asked.note, "ms": asked.ms}
        return adapter.invoke("STANDIN_COUNT_DOCUMENT", args).must_be("NOT_FOUND")

    theirs, nobodys = ask(known.asked), ask(nothing.asked)

    assert theirs.body["error"] == nobodys.body["error"]
    assert (theirs.status, theirs.meta["cache"]) == (nobodys.status, nobodys.meta["cache"]) == (404, "none")
    assert theirs.headers.keys() == nobodys.headers.keys()
    assert "etag" not in theirs.headers
    assert theirs.headers["cache-control"] == "no-store"
