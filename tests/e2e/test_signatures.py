"""Signatures at Envoy's edge: what is not signed, or signed wrongly, is refused, and says which check failed."""

import secrets
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.canonical import canonical_json
from tests.e2e.support.caller import Caller, Channel, Metadata, download, invocation, path, pieces
from tests.e2e.support.deployment import Deployment
from tests.support.pdfs import pdf_bytes

SIGNING = ("x-client", "x-timestamp", "x-nonce", "x-signature")
UNKNOWN_FIELD = b"\xf8\x07\x01"
"""Field 127, which no message has, with the number 1."""

LIST = pb.ListActionsRequest()


@pytest.fixture
def call(mesh: Deployment, operator: Caller) -> pb.InvokeRequest:
    """A good call by the operator."""
    return invocation("PDF_METADATA", {"doc_ref": operator.put(mesh.good_document.read_bytes())})


def without(metadata: Metadata, *names: str) -> Metadata:
    return tuple(pair for pair in metadata if pair[0] not in names)


def with_field(field: int, content: bytes) -> bytes:
    """A field with a message or text of less than 16 KiB, as it stands on the wire."""
    return bytes([field << 3 | 2, len(content) & 0x7F | 0x80, len(content) >> 7]) + content


def test_a_signed_call_is_answered(operator: Caller, call: pb.InvokeRequest) -> None:
    (response,) = operator.call("Invoke", call)
    assert '"pages"' in response.json
    assert len(response.request_id) == 36


def test_what_is_signed_by_hand_as_the_docs_say_is_verified_for_every_kind_of_call(
    mesh: Deployment, operator: Caller
) -> None:
    content = mesh.good_document.read_bytes()
    reference = operator.put(content)
    assert operator.get(reference) == content
    assert operator.invoke("PDF_TEXT", {"doc_ref": reference, "pages": "1"})["pages"] == 3
    (listed,) = operator.call("ListActions", LIST)
    assert "PDF_TEXT" in [action.name for action in listed.actions]


def test_an_unsigned_call_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    operator.refusal("Invoke", call, metadata=()).must_be("UNAUTHENTICATED", says="not signed")


@pytest.mark.parametrize("name", SIGNING)
def test_a_call_without_one_of_the_signing_headers_is_refused(
    operator: Caller, call: pb.InvokeRequest, name: str
) -> None:
    signed = without(operator.sign("Invoke", call), name)
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says=f"missing: {name}")


@pytest.mark.parametrize("name", [*SIGNING, "x-action"])
@pytest.mark.parametrize("second", ["same", "other"])
def test_a_doubled_header_is_refused(operator: Caller, call: pb.InvokeRequest, name: str, second: str) -> None:
    signed = operator.sign("Invoke", call)
    value = dict(signed)[name] if second == "same" else "x" * 24
    operator.refusal("Invoke", call, (*signed, (name, value))).must_be("UNAUTHENTICATED", says=name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-timestamp", "2025-08-23 12:00:00"),
        ("x-timestamp", "2025-02-30T12:00:00Z"),
        ("x-timestamp", "2025-08-23T12:00:00+00:00"),
        ("x-timestamp", "1755950400"),
        ("x-nonce", "short"),
        ("x-nonce", "x" * 65),
        ("x-nonce", "with spaces, and more than enough"),
        ("x-signature", "0" * 64),
        ("x-signature", "hmac-sha256=" + "A" * 64),
        ("x-signature", "hmac-sha256=" + "0" * 63),
        ("x-signature", "hmac-sha512=" + "0" * 64),
        ("x-client", "x" * 129),
    ],
)
def test_a_malformed_header_is_refused(operator: Caller, call: pb.InvokeRequest, name: str, value: str) -> None:
    signed = (*without(operator.sign("Invoke", call), name), (name, value))
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says=name)


def test_a_signature_under_another_key_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    stranger = operator.but(secret=secrets.token_bytes(32))
    stranger.refusal("Invoke", call).must_be("UNAUTHENTICATED", says="does not match")


def test_a_request_changed_after_it_was_signed_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    signed = operator.sign("Invoke", call)
    call.args["pages"] = "1"
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="does not match")


@pytest.mark.parametrize("field", ["actor", "idempotency_key"])
def test_a_field_added_after_the_request_was_signed_is_refused(
    operator: Caller, call: pb.InvokeRequest, field: str
) -> None:
    signed = operator.sign("Invoke", call)
    setattr(call, field, "somebody")
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="does not match")


def test_a_call_signed_for_another_deployment_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    operator.but(audience="production").refusal("Invoke", call).must_be("UNAUTHENTICATED", says="audience")


def test_a_signature_of_another_method_is_refused(operator: Caller) -> None:
    signed = operator.sign("GetJob", LIST)
    operator.refusal("ListActions", LIST, signed).must_be("UNAUTHENTICATED", says="does not match")


@pytest.mark.parametrize("seconds", [-290, 290])
def test_a_clock_that_is_a_little_off_is_taken(operator: Caller, call: pb.InvokeRequest, seconds: int) -> None:
    (response,) = operator.but(at=datetime.now(UTC) + timedelta(seconds=seconds)).call("Invoke", call)
    assert response.json


@pytest.mark.parametrize("seconds", [-310, 310, -86_400, 86_400])
def test_a_clock_that_is_far_off_is_refused(operator: Caller, call: pb.InvokeRequest, seconds: int) -> None:
    stale = operator.but(at=datetime.now(UTC) + timedelta(seconds=seconds))
    stale.refusal("Invoke", call).must_be("UNAUTHENTICATED", says="300 seconds")


def test_a_replayed_call_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    signed = operator.sign("Invoke", call)
    assert operator.call("Invoke", call, signed)
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="was made before")


def test_a_replayed_upload_and_a_replayed_download_are_refused(operator: Caller) -> None:
    content = pdf_bytes(1000)
    reference = operator.put(content)
    request = download(reference)
    signed = operator.sign("GetDocument", request)
    assert operator.call("GetDocument", request, signed)
    operator.refusal("GetDocument", request, signed).must_be("UNAUTHENTICATED", says="was made before")

    header = pb.PutDocumentHeader(sha256=reference["sha256"], size=len(content))
    signed = operator.sign("PutDocument", header)
    messages = [pb.PutDocumentRequest(header=header), *(pb.PutDocumentRequest(data=each) for each in pieces(content))]
    sent = [message.SerializeToString() for message in messages]
    assert operator.channel.call(path("PutDocument"), sent, signed)
    operator.channel.refusal(path("PutDocument"), sent, signed).must_be("UNAUTHENTICATED", says="was made before")


def test_a_nonce_cannot_be_used_for_another_call_either(operator: Caller, call: pb.InvokeRequest) -> None:
    once = operator.but(nonce=secrets.token_urlsafe(18))
    assert once.call("Invoke", call)
    once.refusal("ListActions", LIST).must_be("UNAUTHENTICATED", says="was made before")


def test_a_nonce_of_one_client_is_free_for_another(operator: Caller, reports: Caller) -> None:
    nonce = secrets.token_urlsafe(18)
    assert operator.but(nonce=nonce).call("ListActions", LIST)
    assert reports.but(nonce=nonce).call("ListActions", LIST)


def test_a_refused_signature_uses_up_no_nonce(operator: Caller, call: pb.InvokeRequest) -> None:
    nonce = secrets.token_urlsafe(18)
    operator.but(nonce=nonce, secret=secrets.token_bytes(32)).refusal("Invoke", call).must_be("UNAUTHENTICATED")
    assert operator.but(nonce=nonce).call("Invoke", call)


def test_a_call_that_failed_cannot_be_replayed_either(operator: Caller) -> None:
    request = invocation("PDF_MAGIC")
    signed = operator.sign("Invoke", request)
    operator.refusal("Invoke", request, signed).must_be("BAD_ARG", says="no such action")
    operator.refusal("Invoke", request, signed).must_be("UNAUTHENTICATED", says="was made before")


def test_of_a_call_sent_many_times_at_once_one_is_answered(operator: Caller, call: pb.InvokeRequest) -> None:
    signed = operator.sign("Invoke", call)
    send = operator.channel.start
    calls = [send(path("Invoke"), call.SerializeToString(), signed) for _ in range(20)]
    outcomes = [each.code() for each in calls]
    assert sorted(outcomes, key=str) == [grpc.StatusCode.OK, *[grpc.StatusCode.UNAUTHENTICATED] * 19]


@pytest.mark.parametrize("action", ["PDF_TEXT", "pdf_metadata", ""])
def test_an_x_action_that_is_not_the_requests_is_refused(operator: Caller, call: pb.InvokeRequest, action: str) -> None:
    signed = (*without(operator.sign("Invoke", call), "x-action"), ("x-action", action))
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="x-action")


def test_a_call_without_its_x_action_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    signed = without(operator.sign("Invoke", call), "x-action")
    operator.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="x-action")


def test_an_x_action_on_a_method_that_has_none_is_refused(operator: Caller) -> None:
    signed = operator.sign("ListActions", LIST, action="PDF_METADATA")
    operator.refusal("ListActions", LIST, signed).must_be("UNAUTHENTICATED", says="x-action")


def test_nobody_can_tell_an_unknown_client_from_one_with_another_certificate(
    mesh: Deployment, call: pb.InvokeRequest
) -> None:
    unknown = mesh.caller("operator").but(client="nobody").refusal("Invoke", call)
    borrowed = mesh.caller("reports", certificate="operator").refusal("Invoke", call)
    unknown.must_be("UNAUTHENTICATED", says="not a client")
    borrowed.must_be("UNAUTHENTICATED", says="not a client")
    assert unknown.message == borrowed.message


def test_a_key_is_worth_nothing_without_its_certificate(mesh: Deployment, call: pb.InvokeRequest) -> None:
    thief = mesh.caller("operator", certificate="client/reports")
    thief.refusal("Invoke", call).must_be("UNAUTHENTICATED", says="certificate")


def test_a_certificate_that_a_caller_claims_in_a_header_is_not_believed(
    mesh: Deployment, call: pb.InvokeRequest
) -> None:
    claimed = ("x-forwarded-client-cert", f"Hash={'0' * 64};URI=spiffe://papermesh/ns/default/sa/operator")
    thief = mesh.caller("operator", certificate="client/reports")
    signed = (*thief.sign("Invoke", call), claimed)
    thief.refusal("Invoke", call, signed).must_be("UNAUTHENTICATED", says="certificate")


def test_a_request_with_an_unknown_field_is_refused(operator: Caller, call: pb.InvokeRequest) -> None:
    signed = operator.sign("Invoke", call)
    refusal = operator.refusal("Invoke", call.SerializeToString() + UNKNOWN_FIELD, signed)
    refusal.must_be("BAD_ARG", says="does not know")


def test_a_request_with_an_unknown_field_inside_is_refused(operator: Caller) -> None:
    request = download(operator.put(pdf_bytes(100)))
    signed = operator.sign("GetDocument", request)
    inside = with_field(1, request.doc_ref.SerializeToString() + UNKNOWN_FIELD)
    operator.refusal("GetDocument", inside, signed).must_be("BAD_ARG", says="does not know")


def test_arguments_with_an_unknown_field_deep_inside_are_refused(operator: Caller) -> None:
    request = invocation("PDF_METADATA", {"a": "b"})
    signed = operator.sign("Invoke", request)
    value = request.args.fields["a"].SerializeToString() + UNKNOWN_FIELD
    struct = with_field(1, with_field(1, b"a") + with_field(2, value))
    inside = with_field(1, b"PDF_METADATA") + with_field(2, struct)
    assert pb.InvokeRequest.FromString(inside).args["a"] == "b"
    operator.refusal("Invoke", inside, signed).must_be("BAD_ARG", says="does not know")


def test_arguments_that_hold_a_value_of_no_kind_are_refused(operator: Caller) -> None:
    request = pb.InvokeRequest(action="PDF_METADATA")
    request.args.fields["doc_ref"].SetInParent()
    signed = operator.signature.metadata("Invoke", b'{"action":"PDF_METADATA"}', "PDF_METADATA")
    operator.refusal("Invoke", request, signed).must_be("BAD_ARG", field="args.doc_ref")


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 2.0**53, 1e300])
def test_arguments_with_a_number_that_json_cannot_carry_are_refused(operator: Caller, number: float) -> None:
    request = pb.InvokeRequest(action="PDF_METADATA")
    request.args.fields["number"].number_value = number
    signed = operator.signature.metadata("Invoke", b"whatever", "PDF_METADATA")
    operator.refusal("Invoke", request, signed).must_be("BAD_ARG", field="args.number")


def test_arguments_that_are_nested_too_deeply_are_refused(operator: Caller) -> None:
    request = pb.InvokeRequest(action="PDF_METADATA")
    struct = request.args
    for _ in range(30):
        struct = struct.fields["a"].struct_value
    struct.SetInParent()
    signed = operator.signature.metadata("Invoke", b"whatever", "PDF_METADATA")
    operator.refusal("Invoke", request, signed).must_be("BAD_ARG", says="30 levels")


def test_a_second_connection_gains_nothing(mesh: Deployment, operator: Caller, call: pb.InvokeRequest) -> None:
    signed = operator.sign("Invoke", call)
    assert operator.call("Invoke", call, signed)
    with Channel(mesh.stack.edge_address, mesh.tls_dir("operator")) as another:
        refusal = another.refusal(path("Invoke"), [call.SerializeToString()], signed)
    refusal.must_be("UNAUTHENTICATED", says="was made before")


def test_unset_and_empty_arguments_are_different_requests_and_both_are_verified(operator: Caller) -> None:
    unset, empty = invocation("PDF_METADATA"), invocation("PDF_METADATA", {})
    assert canonical_json(unset) != canonical_json(empty)
    for request in (unset, empty):
        operator.refusal("Invoke", request).must_be("BAD_ARG", field="doc_ref")
    signed = operator.sign("Invoke", unset)
    operator.refusal("Invoke", empty, signed).must_be("UNAUTHENTICATED", says="does not match")
