"""The adapter's one way into the mesh: signed calls to DispatchService through Envoy's edge."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message

from mcp_adapter.deadlines import Deadlines
from mcp_adapter.timeouts import Timeouts
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import actions, canonical, signature, telemetry
from services.base.errors import PapermeshError
from services.base.signature import Key
from services.base.telemetry import TRACEPARENT

_SERVICE = "/papermesh.dispatch.v1.DispatchService"
_PIECE = 256 * 1024

GRACE_S = 0.5
"""How much longer than a call may take its answer is waited for: dispatch ends the call at its time, and says so with
its id. Whoever hangs says nothing, and is waited for no longer."""

_log = logging.getLogger(__name__)

Metadata = tuple[tuple[str, str], ...]


class Readable(Protocol):
    """A file, as far as it is read."""

    def read(self, size: int, /) -> bytes:
        """At most `size` of the next bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """On whose behalf the adapter calls, and in which trace."""

    actor: str
    """Empty for the adapter itself."""

    traceparent: str


class DispatchClient:
    """Signs and makes calls."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        key: Callable[[], Key],
        audience: str,
        *,
        streams: grpc.aio.Channel | None = None,
    ) -> None:
        """Calls a deployment.

        Args:
            channel: To Envoy's edge. Its one connection carries a hundred calls at once.
            key: What signs a call, asked for each.
            audience: The deployment's name.
            streams: What uploads and downloads go over, which last for as long as people take; the same channel when
                left out.
        """
        streams = streams or channel
        self._key = key
        self._audience = audience
        methods = actions.load().methods
        self._methods_s = {path: method.timeout.total_seconds() for path, method in methods.items()}
        self._actions_s = Timeouts(self._methods_s[f"{_SERVICE}/Invoke"])
        self._deadlines = Deadlines()
        self._asking: asyncio.Task[None] | None = None
        self._invoke: grpc.aio.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
            f"{_SERVICE}/Invoke", pb.InvokeRequest.SerializeToString, pb.InvokeResponse.FromString
        )
        self._list: grpc.aio.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
            f"{_SERVICE}/ListActions", pb.ListActionsRequest.SerializeToString, pb.ListActionsResponse.FromString
        )
        self._put: grpc.aio.StreamUnaryMultiCallable[Any, Any] = streams.stream_unary(
            f"{_SERVICE}/PutDocument", pb.PutDocumentRequest.SerializeToString, pb.PutDocumentResponse.FromString
        )
        self._delete: grpc.aio.UnaryUnaryMultiCallable[Any, Any] = channel.unary_unary(
            f"{_SERVICE}/DeleteDocument",
            pb.DeleteDocumentRequest.SerializeToString,
            pb.DeleteDocumentResponse.FromString,
        )
        self._get: grpc.aio.UnaryStreamMultiCallable[Any, Any] = streams.unary_stream(
            f"{_SERVICE}/GetDocument", pb.GetDocumentRequest.SerializeToString, pb.GetDocumentResponse.FromString
        )

    async def invoke(
        self,
        action: str,
        args: dict[str, Any],
        person: Person,
        *,
        no_cache: bool = False,
        idempotency_key: str = "",
    ) -> pb.InvokeResponse:
        """Runs an action.

        Args:
            action: Its name, not empty.
            args: Its arguments, as `canonical.check_json` returned them.
            person: Who calls.
            no_cache: Whether the result must be computed anew.
            idempotency_key: Makes a repeated call safe, see InvokeRequest; empty for none.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.InvokeRequest(
            action=action, actor=person.actor, no_cache=no_cache, idempotency_key=idempotency_key
        )
        request.args.SetInParent()
        canonical.json_to_struct(args, request.args)
        # Written from the JSON at hand; it is what dispatch will read out of the message.
        signed: dict[str, Any] = {"action": action, "args": args}
        if person.actor:
            signed["actor"] = person.actor
        if no_cache:
            signed["no_cache"] = True
        if idempotency_key:
            signed["idempotency_key"] = idempotency_key
        text = canonical.dumps(signed)
        loop = asyncio.get_running_loop()
        if self._actions_s.should_ask(loop.time()):
            self._asking = loop.create_task(self._ask_again())
        limit_s = self._actions_s.of(action) + GRACE_S
        call = self._invoke(request, metadata=self._sign("Invoke", text, person, action), timeout=limit_s)
        with self._deadlines.bound(call, limit_s):
            response: pb.InvokeResponse = await call
        return response

    async def list_actions(self, person: Person) -> pb.ListActionsResponse:
        """The catalogue.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.ListActionsRequest(actor=person.actor)
        response: pb.ListActionsResponse = await self._answer(
            self._list, "ListActions", request, canonical.canonical_json(request), person
        )
        self._actions_s.learn(response.actions, asyncio.get_running_loop().time())
        return response

    async def put_document(self, file: Readable, sha256: str, size: int, person: Person) -> pb.PutDocumentResponse:
        """Stores what `file` holds from where it stands.

        Raises:
            PapermeshError: whatever the mesh answered.
            Exception: what `file` raised when it was read.
        """
        header = pb.PutDocumentHeader(sha256=sha256, size=size, actor=person.actor)
        unread: list[Exception] = []
        messages = _messages(header, file, unread)
        try:
            response: pb.PutDocumentResponse = await self._answer(
                self._put, "PutDocument", messages, canonical.canonical_json(header), person
            )
        except asyncio.CancelledError:
            if unread:  # grpc cancels a call whose messages cannot be had, and says no more
                raise unread[0] from None
            raise
        return response

    async def delete_document(self, sha256: str, person: Person) -> pb.DeleteDocumentResponse:
        """Takes the right to an upload from the person.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.DeleteDocumentRequest(actor=person.actor)
        request.doc_ref.type, request.doc_ref.sha256 = "UPLOAD", sha256
        response: pb.DeleteDocumentResponse = await self._answer(
            self._delete, "DeleteDocument", request, canonical.canonical_json(request), person
        )
        return response

    async def get_document(self, sha256: str, person: Person) -> AsyncGenerator[pb.GetDocumentResponse, None]:
        """Streams a document: a header, then data.

        Raises:
            PapermeshError: whatever the mesh answered.
        """
        request = pb.GetDocumentRequest(actor=person.actor)
        request.doc_ref.type, request.doc_ref.sha256 = "UPLOAD", sha256
        limit_s = self._methods_s[f"{_SERVICE}/GetDocument"] + GRACE_S
        text = canonical.canonical_json(request)
        call = self._get(request, metadata=self._sign("GetDocument", text, person), timeout=limit_s)
        try:
            with self._deadlines.bound(call, limit_s):
                async for message in call:
                    yield message
        finally:
            call.cancel()

    async def aclose(self) -> None:
        """Ends what it does by itself."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _answer(self, method: Callable[..., Any], name: str, request: Any, text: bytes, person: Person) -> Any:
        """What a method with one answer has answered, within its own time and the grace.

        Args:
            method: It, of the channel.
            name: What it is called.
            request: The message, or the messages.
            text: What of it is signed.
            person: Who calls.

        Raises:
            PapermeshError: whatever the mesh answered; TIMEOUT where it has not.
        """
        limit_s = self._methods_s[f"{_SERVICE}/{name}"] + GRACE_S
        call = method(request, metadata=self._sign(name, text, person), timeout=limit_s)
        with self._deadlines.bound(call, limit_s):
            return await call

    async def _ask_again(self) -> None:
        """Asks for the catalogue beside a call. What was known stays good until it comes."""
        try:
            await self.list_actions(Person("", telemetry.continue_trace(None)))
        except PapermeshError as error:
            _log.info("The catalogue could not be asked for again, and is in a minute: %s", error)

    def _sign(self, method: str, text: bytes, person: Person, action: str | None = None) -> Metadata:
        key = self._key()
        signed = signature.sign(
            client=key.client,
            secret=key.secret,
            audience=self._audience,
            method=f"{_SERVICE}/{method}",
            request=text,
            action=action,
        )
        return (*signed, (TRACEPARENT, person.traceparent))


async def _messages(header: pb.PutDocumentHeader, file: Readable, unread: list[Exception]) -> AsyncIterator[Message]:
    yield pb.PutDocumentRequest(header=header)
    try:
        while piece := file.read(_PIECE):
            yield pb.PutDocumentRequest(data=piece)
    except Exception as error:
        unread.append(error)
        raise
