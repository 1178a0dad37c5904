"""gRPC handlers around a servicer's methods: parsing, identity, deadline and the translation of errors, once for all.

A servicer is a plain object with one coroutine per method it serves, named as in the proto:

    async def GetMetadata(self, request: GetMetadataRequest, call: Call) -> GetMetadataResponse

It takes parsed messages and raises `PapermeshError`; it never sees a grpc context. Methods that it lacks are answered
UNIMPLEMENTED. Requests are parsed here and not by grpc, whose own answer to malformed bytes is UNKNOWN with the
parser's words.
"""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from services.base import status, telemetry
from services.base.errors import Code, PapermeshError, bad_arg

MAX_REQUEST_BYTES = 1024 * 1024
"""The largest request message that a service takes; larger ones are TOO_LARGE."""

_log = logging.getLogger(__name__)

Metadata = tuple[tuple[str, str | bytes], ...]
# Quoted: grpc's class takes no parameters at run time, only in its stub.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


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


def message_too_large() -> PapermeshError:
    """The answer to a message over the limit; Envoy gives the same one to what is much larger."""
    return PapermeshError(
        Code.TOO_LARGE,
        f"A message may have at most {MAX_REQUEST_BYTES} bytes. Upload documents; do not send them along.",
        details={"limit_bytes": str(MAX_REQUEST_BYTES)},
    )


def generic_handler(
    service: ServiceDescriptor, servicer: object, timeouts_s: dict[str, float], *, behind_mesh: bool
) -> grpc.GenericRpcHandler:
    """The handlers of one service.

    Args:
        service: Its descriptor.
        servicer: The object with its methods.
        timeouts_s: The longest each method may run in seconds, by its path.
        behind_mesh: Whether the server is a backend of Envoy's mesh listener (see `status.status_code`).
    """
    handlers = {}
    for method in service.methods:
        serve = getattr(servicer, method.name, None)
        if serve is not None:
            path = f"/{service.full_name}/{method.name}"
            handlers[method.name] = _handler(method, serve, path, timeouts_s[path], behind_mesh=behind_mesh)
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _handler(
    method: MethodDescriptor, serve: Callable[..., Any], path: str, timeout_s: float, *, behind_mesh: bool
) -> "grpc.RpcMethodHandler[Any, Any]":
    request_class = GetMessageClass(method.input_type)

    async def answer(request: Any, context: Context) -> bytes:
        """Serves a call that ends in one message."""
        call = _Serving(path, timeout_s, context)
        try:
            parse = _parse if isinstance(request, bytes) else _parse_all
            parsed = parse(request_class, request)
            response: Message = await serve(parsed, call.facts)
            return response.SerializeToString()
        except Exception as error:
            await call.fail(error, behind_mesh=behind_mesh)
            raise AssertionError from error  # fail() never returns

    async def stream(request: bytes, context: Context) -> AsyncIterator[bytes]:
        """Serves a call that answers with several messages."""
        call = _Serving(path, timeout_s, context)
        try:
            async for response in serve(_parse(request_class, request), call.facts):
                yield response.SerializeToString()
        except Exception as error:  # noqa: BLE001 - the last resort: what is not ours becomes INTERNAL, logged
            await call.fail(error, behind_mesh=behind_mesh)

    if method.client_streaming:
        return grpc.stream_unary_rpc_method_handler(answer)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(stream)
    return grpc.unary_unary_rpc_method_handler(answer)


class _Serving:
    """One call that is being served."""

    def __init__(self, path: str, timeout_s: float, context: Context) -> None:
        metadata: Metadata = tuple(context.invocation_metadata() or ())
        request_id = traceparent = ""
        for key, value in metadata:
            if key == "x-request-id":
                request_id = str(value)
            elif key == telemetry.TRACEPARENT:
                traceparent = str(value)
        remaining = context.time_remaining()
        self._context = context
        self.facts = Call(
            method=path,
            metadata=metadata,
            request_id=request_id,
            timeout_s=timeout_s if remaining is None else min(remaining, timeout_s),
            traceparent=telemetry.continue_trace(traceparent),
        )

    async def fail(self, error: Exception, *, behind_mesh: bool) -> None:
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
        code = status.status_code(error, behind_mesh=behind_mesh)
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
