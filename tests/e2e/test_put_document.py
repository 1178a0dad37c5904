"""Uploads straight to dispatch: the bytes must be those that the signed header announces."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.caller import Caller, path, pieces
from tests.e2e.support.deployment import SMALL_LIMIT, Deployment
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import pdf_bytes

PIECE = 512 * 1024


@pytest.fixture
def content() -> bytes:
    return pdf_bytes(3000)


def header(content: bytes, **changes: object) -> pb.PutDocumentHeader:
    return pb.PutDocumentHeader(
        **{"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **changes}  # type: ignore[arg-type]
    )


def sent(*messages: pb.PutDocumentHeader | bytes) -> list[bytes]:
    """The messages of an upload as they go over the wire."""
    wrapped = [
        pb.PutDocumentRequest(data=each) if isinstance(each, bytes) else pb.PutDocumentRequest(header=each)
        for each in messages
    ]
    return [message.SerializeToString() for message in wrapped]


def must_be_stored_nowhere(mesh: Deployment, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert not [file for file in mesh.stack.folders.blobs.rglob("*") if digest in str(file)]
    eventually(lambda: not list(mesh.stack.folders.spool("dispatch").iterdir()), what="tidying up")


def test_a_document_in_the_largest_pieces_is_stored(operator: Caller) -> None:
    content = pdf_bytes(2 * PIECE + 1)
    (response,) = operator.put_pieces(header(content), pieces(content, PIECE))
    assert response.size == len(content)
    assert len(response.request_id) == 36
    assert operator.get({"type": "UPLOAD", "sha256": response.doc_ref.sha256}) == content


def test_a_document_in_single_bytes_is_stored(operator: Caller, content: bytes) -> None:
    (response,) = operator.put_pieces(header(content), pieces(content, 1))
    assert response.size == len(content)


@pytest.mark.parametrize(
    ("size", "says"),
    [(2999, "more bytes arrived"), (3001, "3000 bytes arrived of the 3001"), (1, "more bytes arrived")],
)
def test_bytes_that_are_more_or_less_than_announced_are_refused(
    mesh: Deployment, operator: Caller, content: bytes, size: int, says: str
) -> None:
    operator.put_refusal(header(content, size=size), [content]).must_be("BAD_ARG", says=says, field="data")
    must_be_stored_nowhere(mesh, content)


def test_bytes_with_another_digest_are_refused(mesh: Deployment, operator: Caller, content: bytes) -> None:
    other = pdf_bytes(len(content))
    operator.put_refusal(header(content), [other]).must_be("BAD_ARG", says="SHA-256", field="data")
    must_be_stored_nowhere(mesh, content)
    must_be_stored_nowhere(mesh, other)


def test_an_upload_without_bytes_is_refused(mesh: Deployment, operator: Caller, content: bytes) -> None:
    operator.put_refusal(header(content), []).must_be("BAD_ARG", says="0 bytes arrived", field="data")
    must_be_stored_nowhere(mesh, content)


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_document_is_refused(operator: Caller, size: int) -> None:
    operator.put_refusal(header(b"", size=size), []).must_be("BAD_ARG", says="empty", field="header.size")


@pytest.mark.parametrize("digest", ["", "abc", "A" * 64, "../" * 20 + "0000", "0" * 64 + "\n"])
def test_a_header_without_a_digest_is_refused(operator: Caller, content: bytes, digest: str) -> None:
    refusal = operator.put_refusal(header(content, sha256=digest), [content])
    refusal.must_be("BAD_ARG", field="header.sha256")


@pytest.mark.parametrize("data", [[], [b""], [b"x" * (PIECE + 1)]], ids=["nothing", "empty", "too-long"])
def test_pieces_of_a_wrong_size_are_refused(
    mesh: Deployment, operator: Caller, content: bytes, data: Sequence[bytes]
) -> None:
    operator.put_refusal(header(content, size=PIECE + 1), data).must_be("BAD_ARG", field="data")
    must_be_stored_nowhere(mesh, content)


def test_an_upload_that_begins_without_a_header_is_refused(operator: Caller, content: bytes) -> None:
    signed = operator.sign("PutDocument", header(content))
    refusal = operator.channel.refusal(path("PutDocument"), sent(content, header(content)), signed)
    refusal.must_be("BAD_ARG", field="header")


@pytest.mark.parametrize("message", [b"", None], ids=["empty-message", "no-message"])
def test_an_upload_of_nothing_is_refused(operator: Caller, content: bytes, message: bytes | None) -> None:
    signed = operator.sign("PutDocument", header(content))
    messages = [] if message is None else [message]
    operator.channel.refusal(path("PutDocument"), messages, signed).must_be("BAD_ARG", field="header")


def test_a_second_header_is_refused(mesh: Deployment, operator: Caller, content: bytes) -> None:
    signed = operator.sign("PutDocument", header(content))
    messages = sent(header(content), content[:1000], header(content), content[1000:])
    operator.channel.refusal(path("PutDocument"), messages, signed).must_be("BAD_ARG", field="data")
    must_be_stored_nowhere(mesh, content)


def test_a_header_changed_after_it_was_signed_is_refused(mesh: Deployment, operator: Caller, content: bytes) -> None:
    signed = operator.sign("PutDocument", header(content))
    other = pdf_bytes(len(content))
    refusal = operator.channel.refusal(path("PutDocument"), sent(header(other), other), signed)
    refusal.must_be("UNAUTHENTICATED", says="does not match")
    must_be_stored_nowhere(mesh, other)


def test_a_header_over_the_limit_is_refused_before_the_document_comes(modest_mesh: Deployment) -> None:
    refusal = modest_mesh.caller("operator").put_refusal(header(b"x", size=SMALL_LIMIT + 1), [b"x"])
    refusal.must_be("TOO_LARGE", says=f"{SMALL_LIMIT} bytes", limit_bytes=str(SMALL_LIMIT))


def test_a_size_beyond_all_measure_is_too_large(operator: Caller) -> None:
    operator.put_refusal(header(b"x", size=2**63 - 1), [b"x"]).must_be("TOO_LARGE", limit_bytes="100000000")


def test_an_upload_that_its_caller_gives_up_leaves_nothing_behind(
    mesh: Deployment, operator: Caller, content: bytes
) -> None:
    spool = mesh.stack.folders.spool("dispatch")
    call = operator.channel.open(path("PutDocument"), operator.sign("PutDocument", header(content)))
    for message in sent(header(content), content[:1000]):
        call.send(message)
    eventually(lambda: _waits(spool), what="the upload")
    call.cancel()
    assert call.code() is grpc.StatusCode.CANCELLED
    must_be_stored_nowhere(mesh, content)


def _waits(spool: Path) -> bool:
    return any(spool.iterdir())
