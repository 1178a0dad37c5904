"""gRPC handlers around a servicer's methods: parsing, identity, deadline and the translation of errors, once for all.

A servicer is a plain object with one coroutine per method it serves, named as in the proto:

    async def GetMetadata(self, request: GetMetadataRequest, call: Call) -> GetMetadataResponse

It takes parsed messages and raises `PapermeshError`; it never sees a grpc context. Methods that it lacks are answered
UNIMPLEMENTED. Requests are parsed here and not by grpc, whose own answer to malformed bytes is UNKNOWN with the
parser's words.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from services.base import identity, status, telemetry
from services.base.errors import Code, PapermeshError, bad_arg
from services.base.shares import Place, Shares
from services.base.under_way import UnderWay

__all__ = ["Call"]

ENGINE = "x-engine"
"""The trailing metadata with the version of the engine that made a result; see engine_service.proto."""

MAX_REQUEST_BYTES = 1024 * 1024
"""The largest request message that a service takes; larger ones are TOO_LARGE."""

_SENT_AT_ONCE = 32 * 1024
"""Bytes of an answer that go out whether it is read or not: less than a window of HTTP/2."""

_log = logging.getLogger(__name__)

Metadata = tuple[tuple[str, str | bytes], ...]
# Quoted: grpc's class takes no parameters at run time, only in its stub.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


async def _unheard() -> None:
    """What a call that no server serves makes of being verified."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a servicer knows of the call besides its request."""

    method: str
    """gRPC path."""

    metadata: Metadata

    request_id: str
    """The id that Envoy gave the call; it stands in Envoy's log too."""

    timeout_s: float
    """Seconds that are left for the work, at most the method's own timeout."""

    traceparent: str
    """To pass on to the next hop."""

    notes: dict[str, Any] = field(default_factory=dict)
    """What the servicer learns of the call on its way, for whoever is told of its end (`Ended`)."""

    verified: Callable[[], Awaitable[None]] = _unheard
    """To be called once it is known who calls. A server that clients reach ends a call whose servicer does not within
    three seconds, whatever its method (`services.base.shares`)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that was served, however it ended."""

    call: Call
    code: str
    """"OK", a `Code`, or "CANCELLED" when the caller had left."""

    latency_s: float
    bytes_out: int
    """Bytes of the answer's messages; 0 for an error."""


OnEnd = Callable[[Ended], None]
"""Is told of every call's end, before the caller is. Raises nothing."""


def message_too_large() -> PapermeshError:
    """The answer to a message over the limit; Envoy gives the same one to what is much larger."""
    return PapermeshError(
        Code.TOO_LARGE,
        f"A message may have at most {MAX_REQUEST_BYTES} bytes. Upload documents; do not send them along.",
        details={"limit_bytes": str(MAX_REQUEST_BYTES)},
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """What all methods of a server have in common."""

    timeouts_s: Mapping[str, float]
    """The longest each method may run in seconds, by its path."""

    behind_mesh: bool
    """Whether the server is a backend of Envoy's mesh listener (see `status.status_code`)."""

    engine: str = ""
    """Version of the engine that makes the results; empty when nobody keeps them."""

    on_end: OnEnd | None = None
    """Who is told of every call's end."""

    under_way: UnderWay = field(default_factory=UnderWay)
    """The calls whose end nobody was told of yet."""

    shares: Shares | None = None
    """The places of calls, where clients reach the server; None where only dispatch does, which has verified them."""


def generic_handler(service: ServiceDescriptor, servicer: object, serving: Serving) -> grpc.GenericRpcHandler:
    """The handlers of one service.

    Args:
        service: Its descriptor.
        servicer: The object with its methods.
        serving: What they have in common with those of other services.
    """
    handlers = {}
    for method in service.methods:
        serve = getattr(servicer, method.name, None)
        if serve is not None:
            handlers[method.name] = _handler(method, serve, f"/{service.full_name}/{method.name}", serving)
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _handler(
    method: MethodDescriptor, serve: Callable[..., Any], path: str, serving: Serving
) -> "grpc.RpcMethodHandler[Any, Any]":
    # What clients send is always read as a stream: grpc reads a single message before its handler hears of the call.
    streams = method.client_streaming or serving.shares is not None
    if method.server_streaming:
        make = grpc.stream_stream_rpc_method_handler if streams else grpc.unary_stream_rpc_method_handler
        return make(_streaming(method, serve, path, serving))
    make = grpc.stream_unary_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
    return make(_answering(method, serve, path, serving))


def _answering(method: MethodDescriptor, serve: Callable[..., Any], path: str, serving: Serving) -> Callable[..., Any]:
    """Serves a call that ends in one message."""
    request_class = GetMessageClass(method.input_type)
    engine = ((ENGINE, serving.engine),) if serving.engine else ()

    async def answer(request: Any, context: Context) -> bytes:
        call = _Served(path, serving, context, streams=method.client_streaming)
        try:
            with call.taken_in():
                parsed = await call.parsed(request_class, request)
                response: Message = await serve(parsed, call.facts)
            data = response.SerializeToString()
            call.hold(len(data))
        except Exception as error:
            await call.fail(error)
            raise AssertionError from error  # fail() never returns
        except asyncio.CancelledError:
            call.end("CANCELLED")
            raise
        if engine:
            context.set_trailing_metadata(engine)
        call.end("OK", len(data))
        return data

    return answer


def _streaming(method: MethodDescriptor, serve: Callable[..., Any], path: str, serving: Serving) -> Callable[..., Any]:
    """Serves a call that answers with several messages."""
    request_class = GetMessageClass(method.input_type)

    async def stream(request: Any, context: Context) -> AsyncIterator[bytes]:
        call = _Served(path, serving, context, streams=method.client_streaming)
        sent = 0
        try:
            with call.taken_in():
                async for response in serve(await call.parsed(request_class, request), call.facts):
                    data = response.SerializeToString()
                    yield data
                    sent += len(data)
        except Exception as error:  # noqa: BLE001 - the last resort: what is not ours becomes INTERNAL, logged
            await call.fail(error)
        except (asyncio.CancelledError, GeneratorExit):
            call.end("CANCELLED", sent)
            raise
        else:
            call.end("OK", sent)

    return stream


class _Served:
    """One call that is being served."""

    def __init__(self, path: str, serving: Serving, context: Context, *, streams: bool) -> None:
        metadata: Metadata = tuple(context.invocation_metadata() or ())
        request_id = traceparent = ""
        for key, value in metadata:
            if key == "x-request-id":
                request_id = str(value)
            elif key == telemetry.TRACEPARENT:
                traceparent = str(value)
        remaining = context.time_remaining()
        timeout_s = serving.timeouts_s[path]
        serving.under_way.begin()
        self._context = context
        self._serving = serving
        self._began = time.perf_counter()
        self._place: Place | None = None
        self._streams = streams
        self.facts = Call(
            method=path,
            metadata=metadata,
            request_id=request_id,
            timeout_s=timeout_s if remaining is None else min(remaining, timeout_s),
            traceparent=telemetry.continue_trace(traceparent),
            verified=self._verified,
        )

    def taken_in(self) -> AbstractContextManager[object]:
        """The call's place, where places are counted; in its block runs the clock until the call is verified.

        Raises:
            PapermeshError: UNAUTHENTICATED, RATE_LIMIT or UNAVAILABLE when there is no place for it; the block TIMEOUT.
        """
        if self._serving.shares is None:
            return nullcontext()
        self._place = self._serving.shares.enter(identity.caller(self.facts.metadata))
        return self._place

    def hold(self, answer_bytes: int) -> None:
        """Counts an answer that is made at once, until the caller has taken it; a stream's pieces wait for the caller.

        Raises:
            PapermeshError: RATE_LIMIT or UNAVAILABLE when there is no room for it.
        """
        if self._place and answer_bytes > _SENT_AT_ONCE:
            self._place.hold(answer_bytes)

    async def parsed(self, kind: type[Message], request: Any) -> Any:
        """The request: a message, or an iterator over those of a stream."""
        if self._place:
            await self._place.may_be_read()
        if self._streams:
            return _parse_all(kind, request)
        if not isinstance(request, bytes):
            request = await self._context.read()
            if request is grpc.aio.EOF:
                raise bad_arg("The call has no message. Send the one that the proto describes.")
        return _parse(kind, request)

    async def _verified(self) -> None:
        if self._place:
            self._place.verified()
            if self._streams:
                # Envoy's clock for requests that are not verified ends with the first word of the answer.
                await self._context.send_initial_metadata(())

    def end(self, code: str, bytes_out: int = 0) -> None:
        """Tells of the call's end, where somebody wants to know."""
        if self._serving.on_end:
            self._serving.on_end(Ended(self.facts, code, time.perf_counter() - self._began, bytes_out))
        self._serving.under_way.end()
        if (place := self._place) is None:
            return
        if bytes_out > _SENT_AT_ONCE:  # it is held until somebody reads it, and as long the call has its place
            self._context.add_done_callback(lambda _: place.leave())  # type: ignore[arg-type]  # any callable will do
        else:
            place.leave()

    async def fail(self, error: Exception) -> None:
        """Ends the call with the status of an error; what is no `PapermeshError` is a bug and says only its id."""
        if not isinstance(error, PapermeshError):
            _log.error(
                "A bug in %s",
                self.facts.method,
                exc_info=error,
                extra={"fields": {"request_id": self.facts.request_id}},
            )
            error = PapermeshError(Code.INTERNAL, "Something went wrong on our side. The log has it under this id.")
        error.request_id = error.request_id or self.facts.request_id
        self.end(error.code)
        code = status.status_code(error, behind_mesh=self._serving.behind_mesh)
        details = ((status.DETAILS_KEY, status.encode(error, code)),)
        await self._context.abort(code, status.text(error), trailing_metadata=details)


def _parse(kind: type[Message], data: bytes) -> Message:
    if len(data) > MAX_REQUEST_BYTES:
        raise message_too_large()
    try:
        return kind.FromString(data)
    except DecodeError:
        raise bad_arg(
            f"The request is no {kind.DESCRIPTOR.full_name}. Send the message that the proto describes."
        ) from None


async def _parse_all(kind: type[Message], stream: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for data in stream:
        yield _parse(kind, data)
