"""Every handler of a server behind one check: the peer is Envoy. That includes health and reflection."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias, cast

import grpc

from services.base import identity, status
from services.base.errors import PapermeshError

# Quoted: grpc's classes take no parameters at run time, only in their stubs.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Guard(grpc.aio.ServerInterceptor):
    """Refuses every peer but one, whatever a server hosts."""

    def __init__(self, peer: bytes) -> None:
        """Lets in the SPIFFE id `peer`."""
        self._peer = peer
        self._made: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The guarded handler of a method; None for one that is not served."""
        path = handler_call_details.method
        if path not in self._made:
            inner = await continuation(handler_call_details)
            if inner is None:
                return None
            self._made[path] = _guard(inner, self._peer)
        return self._made[path]


def _guard(inner: Handler, peer: bytes) -> Handler:
    kinds = ("unary", "stream")
    shape = f"{kinds[inner.request_streaming]}_{kinds[inner.response_streaming]}"
    serve: Any = getattr(inner, shape)

    async def check(context: Context) -> None:
        try:
            identity.check_peer(context.auth_context(), peer)
        except PapermeshError as error:
            await context.abort(status.status_code(error), error.message)

    async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
        await check(context)
        async for response in serve(request, context):
            yield response

    async def answer(request: Any, context: Context) -> Any:
        """For one message; and for handlers that write to the context instead of yielding, as grpc's health does."""
        await check(context)
        return await serve(request, context)

    guarded = stream if inspect.isasyncgenfunction(serve) else answer
    make = getattr(grpc, f"{shape}_rpc_method_handler")
    return cast("Handler", make(guarded, inner.request_deserializer, inner.response_serializer))
