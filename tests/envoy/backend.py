"""A small backend for Envoy to call: answers every unary call on bytes, over mutual TLS.

`python -m tests.envoy.backend <tls_dir>` is one in a process of its own, to be killed; it prints its port.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

STOP_LIMIT_S = 10

HEALTH_CHECK = "/grpc.health.v1.Health/Check"

_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


@dataclass(frozen=True)
class Call:
    """What a backend saw of one call."""

    path: str
    metadata: tuple[tuple[str, str | bytes], ...]
    request: bytes
    context: grpc.ServicerContext

    def values(self, key: str) -> list[str | bytes]:
        return [value for name, value in self.metadata if name == key]


Behaviour = Callable[[Call], bytes]
Streaming = Callable[[Call], Iterator[bytes]]


def echo(call: Call) -> bytes:
    return call.request


def hang(call: Call) -> bytes:
    """Answers nothing until the caller has gone."""
    gone = threading.Event()
    if not call.context.add_callback(gone.set):
        return b""
    gone.wait(60)
    return b""


@dataclass
class Backend(grpc.GenericRpcHandler):
    """A server that answers every call as its behaviour says, health checks by itself, and some paths with a stream."""

    tls_dir: Path
    behaviour: Behaviour = echo
    streams: dict[str, Streaming] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        path, metadata = handler_call_details.method, tuple(handler_call_details.invocation_metadata)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if path == HEALTH_CHECK:
                return _SERVING
            call = Call(path, metadata, request, context)
            self.calls.append(call)
            return self.behaviour(call)

        def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            call = Call(path, metadata, request, context)
            self.calls.append(call)
            yield from self.streams[path](call)

        if path in self.streams:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(answer)

    @contextmanager
    def running(self, port: int = 0) -> Iterator["Backend"]:
        pool = ThreadPoolExecutor(32)
        self._server = server = grpc.server(
            pool, handlers=[self], options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
        )
        key, chain, roots = tls_files(self.tls_dir)
        credentials = grpc.ssl_server_credentials([(key, chain)], roots, require_client_auth=True)
        self.port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
        server.start()
        try:
            yield self
        finally:
            self.stop()
            pool.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """Ends it as a crash would: what runs is cut off."""
        self._server.stop(0).wait(STOP_LIMIT_S)


def tls_files(folder: Path) -> tuple[bytes, bytes, bytes]:
    key, chain, roots = (folder / name for name in ("tls.key", "tls.crt", "ca.crt"))
    return key.read_bytes(), chain.read_bytes(), roots.read_bytes()


if __name__ == "__main__":
    with Backend(Path(sys.argv[1])).running() as alone:
        print(alone.port, flush=True)  # noqa: T201 - how the parent learns it
        sys.stdin.read()  # until the parent closes it
