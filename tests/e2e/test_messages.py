"""Bytes on the wire that are no message, or too much of one."""

import os

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.caller import Caller, Channel, invocation, path
from tests.e2e.support.deployment import Deployment

LIMIT = 1024 * 1024


@pytest.mark.parametrize("method", ["Invoke", "ListActions", "GetDocument", "PutDocument"])
@pytest.mark.parametrize(
    "request_bytes",
    [b"\xff\xff\xff\xff", b"\x0a\x7fshort", b"\x0a\x02\xc3\x28", b"\x0b"],
    ids=["noise", "cut", "not-utf8", "open-group"],
)
def test_bytes_that_are_no_message_are_refused_without_the_parsers_words(
    operator: Caller, method: str, request_bytes: bytes
) -> None:
    signed = operator.sign("ListActions", pb.ListActionsRequest())
    refusal = operator.refusal(method, request_bytes, signed)
    refusal.must_be("BAD_ARG", says="The request is not a papermesh.dispatch.v1.")


@pytest.mark.parametrize("method", ["Invoke", "ListActions", "GetDocument"])
def test_random_bytes_are_refused(operator: Caller, method: str) -> None:
    for _ in range(50):
        refusal = operator.refusal(method, os.urandom(64))
        assert refusal.code in {"BAD_ARG", "UNAUTHENTICATED"}, refusal


def test_a_message_over_a_mebibyte_is_too_large(operator: Caller) -> None:
    request = invocation("PDF_METADATA", {"text": "x" * LIMIT})
    assert LIMIT < request.ByteSize() < LIMIT + 1024, "Envoy should leave this one to dispatch"
    operator.refusal("Invoke", request).must_be("TOO_LARGE", says="Upload documents", limit_bytes=str(LIMIT))


@pytest.mark.parametrize("size", [2 * LIMIT, 8 * LIMIT, 40 * LIMIT])
def test_a_message_far_over_a_mebibyte_gets_the_same_answer_from_envoy(operator: Caller, size: int) -> None:
    refusal = operator.refusal("Invoke", invocation("PDF_METADATA", {"text": "x" * size}))
    assert (refusal.status, refusal.code) == (grpc.StatusCode.OUT_OF_RANGE, "TOO_LARGE")
    assert refusal.details == {"limit_bytes": str(LIMIT)}
    assert refusal.text == refusal.message
    assert "Upload documents" in refusal.message


def test_a_message_of_just_a_mebibyte_is_read(operator: Caller) -> None:
    request = invocation("PDF_METADATA", {"text": "x" * LIMIT})
    request.args["text"] = "x" * (LIMIT - (request.ByteSize() - LIMIT))
    assert request.ByteSize() == LIMIT
    operator.refusal("Invoke", request).must_be("BAD_ARG", field="text")


def test_a_piece_of_an_upload_over_a_mebibyte_is_too_large(operator: Caller) -> None:
    header = pb.PutDocumentHeader(sha256="0" * 64, size=3 * LIMIT)
    operator.put_refusal(header, [b"x" * (LIMIT * 3 // 2)]).must_be("TOO_LARGE", limit_bytes=str(LIMIT))


def test_what_is_no_idempotency_key_is_refused(operator: Caller) -> None:
    request = invocation("PDF_METADATA", {})
    request.idempotency_key = "two words"
    operator.refusal("Invoke", request).must_be("BAD_ARG", field="idempotency_key")


@pytest.mark.parametrize("address", ["edge_address", "mesh_address"])
def test_a_service_that_there_is_not_is_unimplemented(mesh: Deployment, address: str) -> None:
    with Channel(getattr(mesh.stack, address), mesh.tls_dir("operator")) as channel:
        for method in ("/papermesh.dispatch.v2.DispatchService/Invoke", "/a.b.C/D", f"{path('Invoke')}More"):
            assert channel.refusal(method, [b""]).status is grpc.StatusCode.UNIMPLEMENTED
