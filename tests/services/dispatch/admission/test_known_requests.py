"""Requests that were sent a moment ago: the same as read anew, nobody else's, and bounded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import actions, canonical
from services.base.errors import PapermeshError
from services.dispatch.admission import arguments
from services.dispatch.admission.known_requests import KnownRequests, Request

ACTIONS = actions.load().actions
TEXT = ACTIONS["PDF_TEXT"]
ARGS: dict[str, Any] = {"doc_ref": {"type": "UPLOAD", "sha256": "ab" * 32}, "pages": "1-3"}


def invoke(actor: str = "ada", pages: str = "1-3") -> pb.InvokeRequest:
    message = pb.InvokeRequest(action="PDF_TEXT", actor=actor)
    message.args.update(ARGS | {"pages": pages})
    return message


def sent(known: KnownRequests, message: pb.InvokeRequest, client: str = "adapter") -> Request:
    """A message that turned out to be signed."""
    request = known.read(client, message)
    known.keep(request)
    return request


def test_an_equal_request_is_known() -> None:
    known = KnownRequests()
    first = sent(known, invoke())
    assert sent(known, invoke()) is first
    assert first.text == canonical.canonical_json(invoke())
    assert first.args == canonical.dumps(ARGS)
    assert first.typed(TEXT) == arguments.parse(TEXT, ARGS)


def test_a_struct_in_another_order_is_equal() -> None:
    known, turned = KnownRequests(), pb.InvokeRequest(action="PDF_TEXT", actor="ada")
    turned.args.update(dict(reversed(ARGS.items())))
    assert sent(known, turned) is sent(known, invoke())


def test_a_request_that_was_not_signed_is_not_kept() -> None:
    known = KnownRequests()
    assert known.read("adapter", invoke()) is not known.read("adapter", invoke())


@pytest.mark.parametrize(("client", "actor"), [("reports", "ada"), ("adapter", "bob"), ("adapter", "")])
def test_what_one_sent_is_not_known_of_another(client: str, actor: str) -> None:
    known = KnownRequests()
    first = sent(known, invoke())
    assert known.read(client, invoke(actor)) is not first


def test_equal_bytes_of_another_message_are_another_text() -> None:
    listing, invoking = pb.ListActionsRequest(actor="ada"), pb.InvokeRequest()
    invoking.MergeFromString(listing.SerializeToString())
    known = KnownRequests()
    known.keep(known.read("adapter", invoking))
    assert known.read("adapter", listing).text == canonical.canonical_json(listing)


def test_unknown_fields_are_refused_though_the_rest_is_known() -> None:
    known = KnownRequests()
    sent(known, invoke())
    strange = pb.InvokeRequest.FromString(invoke().SerializeToString() + b"\xf8\x07\x01")  # field 127
    with pytest.raises(PapermeshError, match="does not know"):
        known.read("adapter", strange)


def test_arguments_nested_as_deep_as_protobuf_takes_them_are_a_bad_argument() -> None:
    nested: dict[str, Any] = {}
    for _ in range(31):  # as bytes each level is three messages, and protobuf reads a hundred
        nested = {"a": nested}
    message = pb.InvokeRequest(action="PDF_TEXT")
    message.args.update(nested)
    with pytest.raises(PapermeshError, match="levels deep"):
        KnownRequests().read("adapter", pb.InvokeRequest.FromString(message.SerializeToString()))


def test_what_a_call_makes_of_its_request_is_not_seen_by_the_next() -> None:
    known = KnownRequests()
    for _ in range(3):
        typed = sent(known, invoke()).typed(TEXT)
        assert typed == arguments.parse(TEXT, ARGS)
        typed.Clear()


def test_wrong_arguments_are_refused_each_time() -> None:
    known = KnownRequests()
    for _ in range(3):
        with pytest.raises(PapermeshError, match="pages"):
            sent(known, invoke(pages="x" * 2_000)).typed(TEXT)


def test_the_least_recently_sent_makes_room() -> None:
    known = KnownRequests(most_bytes=100 * 1024)
    old, busy = sent(known, invoke("old")), sent(known, invoke("busy"))
    for number in range(1_000):
        sent(known, invoke(f"actor {number}"))
        assert sent(known, invoke("busy")) is busy
    assert known.read("adapter", invoke("old")) is not old
    assert len(known._known) < 100


def test_a_long_request_is_not_kept() -> None:
    known = KnownRequests()
    assert sent(known, invoke(pages="1," * 10_000)) is not sent(known, invoke(pages="1," * 10_000))


@given(st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["1", "2-3", "", "x"])), max_size=12))
def test_every_request_is_read_as_if_it_were_the_first(calls: list[tuple[str, str]]) -> None:
    known = KnownRequests()
    for actor, pages in calls:
        message = invoke(actor, pages)
        request = sent(known, message)
        assert request.text == canonical.canonical_json(message)
        assert outcome(request) == outcome(Request(("", "", b""), message))


def outcome(request: Request) -> object:
    try:
        return request.typed(TEXT)
    except PapermeshError as error:
        return (error.code, error.message, error.violations)
