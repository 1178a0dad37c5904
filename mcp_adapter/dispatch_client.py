"""The adapter's one way into the mesh: signed calls to DispatchService through Envoy's edge."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any

import grpc
from google.protobuf.message import Message

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import actions, canonical, signature, status
from services.base.signature import Key
from services.base.telemetry import TRACEPARENT

_SERVICE = "/papermesh.dispatch.v1.DispatchService"
_PIECE = 256 * 1024

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Person:
    """On whose behalf the adapter calls, and in which trace."""

    actor: str
    traceparent: str


class DispatchClient:
    """Signs and makes calls over one channel."""

    def __init__(self, channel: grpc.aio.Channel, key: Key, audience: str) -> None:
        """Calls `audience` over `channel`, signed with `key`."""
        self._key = key
        self._audience = audience
        methods = actions.load().methods
        self._timeouts_s = {path: method.timeout.total_seconds() for path, method in methods.items()}
        self._invoke: grpc.aio.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
            f"{_SERVICE}/Invoke", pb.InvokeRequest.SerializeToString, pb.InvokeResponse.FromString
        )
        self._list: grpc.aio.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
            f"{_SERVICE}/ListActions", pb.ListActionsRequest.SerializeToString, pb.ListActionsResponse.FromString
        )
        self._put: grpc.aio.StreamUnaryMultiCallable[Any, Any] = channel.stream_unary(
            f"{_SERVICE}/PutDocument", pb.PutDocumentRequest.SerializeToString, pb.PutDocumentResponse.FromString
        )
        self._get: grpc.aio.UnaryStreamMultiCallable[Any, Any] = channel.unary_stream(
            f"{_SERVICE}/GetDocument", pb.GetDocumentRequest.SerializeToString, pb.GetDocumentResponse.FromString
        )

    async def invoke(self, action: str, args: dict[str, Any], person: Person) -> pb.InvokeResponse:
        """Runs an action.

        Args:
            action: Its name, not empty.
            args: Its arguments, as `canonical.check_json` returned them.
            person: Who calls.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.InvokeRequest(action=action, actor=person.actor)
        request.args.SetInParent()
        canonical.json_to_struct(args, request.args)
        # Written from the JSON at hand; it is what dispatch will read out of the message.
        text = canonical.dumps({"action": action, "actor": person.actor, "args": args})
        try:
            response: pb.InvokeResponse = await self._invoke(
                request,
                metadata=self._sign("Invoke", text, person, action),
                timeout=self._timeouts_s[f"{_SERVICE}/Invoke"],
            )
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error
        return response

    async def list_actions(self, person: Person) -> pb.ListActionsResponse:
        """The catalogue.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.ListActionsRequest(actor=person.actor)
        try:
            response: pb.ListActionsResponse = await self._list(
                request,
                metadata=self._sign("ListActions", canonical.canonical_json(request), person),
                timeout=self._timeouts_s[f"{_SERVICE}/ListActions"],
            )
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error
        return response

    async def put_document(self, file: IO[bytes], sha256: str, size: int, person: Person) -> pb.PutDocumentResponse:
        """Stores what `file` holds from where it stands.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        header = pb.PutDocumentHeader(sha256=sha256, size=size, actor=person.actor)
        try:
            response: pb.PutDocumentResponse = await self._put(
                _messages(header, file),
                metadata=self._sign("PutDocument", canonical.canonical_json(header), person),
                timeout=self._timeouts_s[f"{_SERVICE}/PutDocument"],
            )
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error
        return response

    async def get_document(self, sha256: str, person: Person) -> AsyncIterator[pb.GetDocumentResponse]:
        """Streams a document: a header, then data.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.GetDocumentRequest(actor=person.actor)
        request.doc_ref.type, request.doc_ref.sha256 = "UPLOAD", sha256
        call = self._get(
            request,
            metadata=self._sign("GetDocument", canonical.canonical_json(request), person),
            timeout=self._timeouts_s[f"{_SERVICE}/GetDocument"],
        )
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error
        finally:
            call.cancel()

    def _sign(self, method: str, text: bytes, person: Person, action: str | None = None) -> Metadata:
        signed = signature.sign(
            client=self._key.client,
            secret=self._key.secret,
            audience=self._audience,
            method=f"{_SERVICE}/{method}",
            request=text,
            action=action,
        )
        return (*signed, (TRACEPARENT, person.traceparent))


async def _messages(header: pb.PutDocumentHeader, file: IO[bytes]) -> AsyncIterator[Message]:
    yield pb.PutDocumentRequest(header=header)
    while piece := file.read(_PIECE):
        yield pb.PutDocumentRequest(data=piece)
