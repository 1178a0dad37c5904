"""Signed calls straight to Envoy's edge, signed by hand as docs/signing.md says it.

Nothing of the project's own signer is used: what it and the verifier might get wrong in the same way shows here.
"""

import hmac
import json
import queue
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.canonical import canonical_json
from services.base.signature import decode_secret

SERVICE = pb.DESCRIPTOR.services_by_name["DispatchService"]

Metadata = tuple[tuple[str, str], ...]

_GRPC = {
    "BAD_ARG": grpc.StatusCode.INVALID_ARGUMENT,
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "FORBIDDEN": grpc.StatusCode.PERMISSION_DENIED,
    "NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "TOO_LARGE": grpc.StatusCode.OUT_OF_RANGE,
    "RATE_LIMIT": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
}


@dataclass(frozen=True)
class Refusal:
    """How a call failed."""

    status: grpc.StatusCode
    text: str
    code: str = ""
    """The reason of google.rpc.ErrorInfo; "" when the answer has no details, as Envoy's own."""

    message: str = ""
    request_id: str = ""
    fields: tuple[str, ...] = ()
    details: dict[str, str] = field(default_factory=dict)

    def must_be(self, code: str, *, says: str = "", field: str = "", **details: str) -> "Refusal":
        """Fails unless this is that error of the mesh, with its details."""
        assert self.code == code, self
        assert self.status is _GRPC[code], self
        assert says.lower() in self.message.lower(), self
        assert self.text == self.message
        assert len(self.request_id) == 36, self
        if field:
            assert field in self.fields, self
        assert {key: self.details.get(key) for key in details} == details, self
        return self


@dataclass(frozen=True)
class Signature:
    """What a caller signs, and with what; every part of it can be made wrong."""

    client: str
    secret: bytes
    audience: str
    at: datetime | None = None
    nonce: str | None = None

    def metadata(self, method: str, request: bytes, action: str | None = None) -> Metadata:
        """The metadata for one call of `/papermesh.dispatch.v1.DispatchService/<method>`."""
        timestamp = (self.at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = self.nonce or secrets.token_urlsafe(18)
        head = f"papermesh-v1.{self.audience}.{timestamp}.{nonce}./{SERVICE.full_name}/{method}."
        mac = hmac.new(self.secret, head.encode() + request, "sha256").hexdigest()
        signed = (
            ("x-client", self.client),
            ("x-timestamp", timestamp),
            ("x-nonce", nonce),
            ("x-signature", f"hmac-sha256={mac}"),
        )
        return signed if action is None else (*signed, ("x-action", action))


class Channel:
    """A connection of its own to one of Envoy's listeners, with the certificate of one folder."""

    READS_LITTLE = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16 * 1024))
    """Options of one that takes no more of an answer than it is asked for."""

    def __init__(
        self, address: str, tls_dir: Path, roots: Path | None = None, options: Iterable[tuple[str, int]] = ()
    ) -> None:
        credentials = grpc.ssl_channel_credentials(
            (roots or tls_dir / "ca.crt").read_bytes(),
            (tls_dir / "tls.key").read_bytes(),
            (tls_dir / "tls.crt").read_bytes(),
        )
        all_options = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
            ("grpc.max_receive_message_length", 32 * 1024 * 1024),
            ("grpc.max_send_message_length", 64 * 1024 * 1024),
            *options,
        ]
        self._channel = grpc.secure_channel(address, credentials, options=all_options)

    def call(self, path: str, messages: Iterable[bytes], metadata: Metadata = ()) -> list[bytes]:
        """Any method by its path, bytes in and bytes out: on the wire, all kinds of calls look the same.

        Raises:
            grpc.RpcError: as it was answered.
        """
        # A call that is refused at once may leave its iterator half read; a list has nothing to close.
        return list(self._channel.stream_stream(path)(iter(list(messages)), metadata=metadata, timeout=30))

    def start(self, path: str, message: bytes, metadata: Metadata = (), limit_s: float = 30) -> Any:
        """Starts a call of one message and one answer without waiting for it; `code()` waits."""
        return self._channel.unary_unary(path).future(message, metadata=metadata, timeout=limit_s)

    def start_stream(self, path: str, message: bytes, metadata: Metadata = ()) -> Any:
        """Starts a call of one message, whose answers are taken one by one; what is not taken waits on its way."""
        return self._channel.unary_stream(path)(message, metadata=metadata, timeout=60)

    def open(self, path: str, metadata: Metadata = ()) -> "OpenCall":
        """Starts a call whose messages are sent one by one."""
        return OpenCall(self._channel, path, metadata)

    def refusal(self, path: str, messages: Iterable[bytes], metadata: Metadata = ()) -> Refusal:
        """The same for a call that must fail."""
        try:
            answer = self.call(path, messages, metadata)
        except grpc.RpcError as error:
            return _refusal(error)
        raise AssertionError(f"{path} was answered: {str(answer)[:200]}")

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class OpenCall:
    """A call under way, whose messages are sent one by one."""

    def __init__(self, channel: grpc.Channel, path: str, metadata: Metadata) -> None:
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._call = channel.stream_unary(path).future(iter(self._messages.get, None), metadata=metadata, timeout=30)

    def send(self, message: bytes) -> None:
        self._messages.put(message)

    def end(self) -> None:
        """Says that no more messages come."""
        self._messages.put(None)

    def cancel(self) -> None:
        """Gives the call up."""
        self._call.cancel()
        self._messages.put(None)

    def code(self) -> grpc.StatusCode:
        """How it ended."""
        code: grpc.StatusCode = self._call.code()
        return code


@dataclass(frozen=True)
class Caller:
    """A client of the deployment with its key, over a channel with its certificate."""

    channel: Channel
    signature: Signature

    def but(self, **changes: Any) -> "Caller":
        """The same caller, with another signature."""
        return replace(self, signature=replace(self.signature, **changes))

    def sign(self, method: str, request: Message, action: str | None = None) -> Metadata:
        """The metadata for one call; an Invoke or a SubmitJob signs its own action unless told otherwise."""
        return self.signature.metadata(method, canonical_json(request), action or getattr(request, "action", None))

    def call(self, method: str, request: Message, metadata: Metadata | None = None) -> list[Any]:
        """Calls a method that takes one message.

        Raises:
            grpc.RpcError: as it was answered.
        """
        signed = self.sign(method, request) if metadata is None else metadata
        kind = GetMessageClass(_method(method).output_type)
        answers = self.channel.call(path(method), [request.SerializeToString()], signed)
        return [kind.FromString(each) for each in answers]

    def refusal(self, method: str, request: Message | bytes, metadata: Metadata | None = None) -> Refusal:
        """The same for a call that must fail; bytes are sent as they are, and need their own signature."""
        if isinstance(request, bytes):
            return self.channel.refusal(path(method), [request], metadata or ())
        signed = self.sign(method, request) if metadata is None else metadata
        return self.channel.refusal(path(method), [request.SerializeToString()], signed)

    def outcome(self, method: str, request: Message) -> str:
        """The code that a call ends with, "" when it is served; gRPC's own name for it when Envoy answered bare."""
        try:
            self.call(method, request)
        except grpc.RpcError as error:
            return _refusal(error).code or str(error.code().name)
        return ""

    def invoke(self, action: str, args: dict[str, Any] | None = None, actor: str = "") -> dict[str, Any]:
        """The result of an action."""
        (response,) = self.call("Invoke", invocation(action, args, actor))
        result: dict[str, Any] = json.loads(response.json)
        return result

    def put(self, content: bytes, actor: str = "") -> dict[str, str]:
        """Uploads a document and returns its reference."""
        header = pb.PutDocumentHeader(sha256=sha256(content).hexdigest(), size=len(content), actor=actor)
        (response,) = self.put_pieces(header, pieces(content))
        return {"type": response.doc_ref.type, "sha256": response.doc_ref.sha256}

    def put_pieces(self, header: pb.PutDocumentHeader, data: Sequence[bytes]) -> list[Any]:
        """Uploads under whatever header."""
        answers = self.channel.call(path("PutDocument"), _upload(header, data), self.sign("PutDocument", header))
        return [pb.PutDocumentResponse.FromString(each) for each in answers]

    def put_refusal(self, header: pb.PutDocumentHeader, data: Sequence[bytes]) -> Refusal:
        """The same for an upload that must fail."""
        return self.channel.refusal(path("PutDocument"), _upload(header, data), self.sign("PutDocument", header))

    def get(self, reference: dict[str, str], actor: str = "") -> bytes:
        """Downloads a document."""
        first, *rest = self.call("GetDocument", download(reference, actor))
        content = b"".join(each.data for each in rest)
        assert first.header.size == len(content)
        return content


def path(method: str) -> str:
    """A method's gRPC path."""
    return f"/{SERVICE.full_name}/{_method(method).name}"


def invocation(action: str, args: dict[str, Any] | None = None, actor: str = "") -> pb.InvokeRequest:
    """The message of a call."""
    request = pb.InvokeRequest(action=action, actor=actor)
    if args is not None:
        request.args.SetInParent()
        request.args.update(args)
    return request


def download(reference: dict[str, str], actor: str = "") -> pb.GetDocumentRequest:
    """The message of a download."""
    request = pb.GetDocumentRequest(actor=actor)
    request.doc_ref.type, request.doc_ref.sha256 = reference["type"], reference["sha256"]
    return request


def pieces(content: bytes, size: int = 256 * 1024) -> list[bytes]:
    """A document as an upload sends it."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def read_secret(file: Path) -> bytes:
    """The secret in a client's key file."""
    return decode_secret(json.loads(file.read_text())["secret"])


def _upload(header: pb.PutDocumentHeader, data: Sequence[bytes]) -> list[bytes]:
    messages = [pb.PutDocumentRequest(header=header), *(pb.PutDocumentRequest(data=piece) for piece in data)]
    return [message.SerializeToString() for message in messages]


def _method(name: str) -> MethodDescriptor:
    return SERVICE.methods_by_name[name]


def _refusal(error: grpc.RpcError) -> Refusal:
    refusal = Refusal(error.code(), error.details() or "")
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return _with_details(refusal, status_pb2.Status.FromString(value))
    return refusal


def _with_details(refusal: Refusal, status: status_pb2.Status) -> Refusal:
    assert status.code == refusal.status.value[0]
    info, request, identity = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RequestInfo(),
    )
    for detail in status.details:
        for kind in (info, request, identity):
            detail.Unpack(kind)
    assert info.domain == "papermesh"
    return replace(
        refusal,
        code=info.reason,
        message=status.message,
        request_id=identity.request_id,
        fields=tuple(each.field for each in request.field_violations),
        details=dict(info.metadata),
    )
