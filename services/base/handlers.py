"""gRPC handlers around a servicer's methods: parsing, identity, deadline and the translation of errors, once for all.

A servicer is a plain object with one coroutine per method it serves, named as in the proto:

    async def GetMetadata(self, request: GetMetadataRequest, call: Call) -> GetMetadataResponse

It takes parsed messages and raises `PapermeshError`; it never sees a grpc context. Methods that it lacks are answered
UNIMPLEMENTED. Requests are parsed here and not by grpc, whose own answer to malformed bytes is UNKNOWN with the
parser's words.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.base.results import PARTIAL
from services.base.served import Context, Served, Serving

ENGINE = "x-engine"
"""The trailing metadata with the version of the engine that made a result; see engine_service.proto."""


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
    sent = "stream" if method.client_streaming or serving.shares is not None else "unary"
    answered, serves = ("stream", _streaming) if method.server_streaming else ("unary", _answering)
    make = getattr(grpc, f"{sent}_{answered}_rpc_method_handler")
    return cast("grpc.RpcMethodHandler[Any, Any]", make(serves(method, serve, path, serving)))


def _answering(method: MethodDescriptor, serve: Callable[..., Any], path: str, serving: Serving) -> Callable[..., Any]:
    """Serves a call that ends in one message."""
    request_class = GetMessageClass(method.input_type)
    engine = ((ENGINE, serving.engine),) if serving.engine else ()

    async def answer(request: Any, context: Context) -> bytes:
        call = Served(path, serving, context, streams=method.client_streaming)
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
        trailing = (*engine, PARTIAL) if call.facts.notes.get("partial") else engine
        if trailing:
            context.set_trailing_metadata(trailing)
        call.end("OK", len(data))
        return data

    return answer


def _streaming(method: MethodDescriptor, serve: Callable[..., Any], path: str, serving: Serving) -> Callable[..., Any]:
    """Serves a call that answers with several messages."""
    request_class = GetMessageClass(method.input_type)

    async def stream(request: Any, context: Context) -> AsyncIterator[bytes]:
        call = Served(path, serving, context, streams=method.client_streaming)
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
