"""Many signed calls in flight at once: each is a few bytes that were made before, so that sending costs little."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import grpc
from google.protobuf.message import Message

from services.base.canonical import canonical_json
from tests.e2e.support.caller import Caller, Metadata, path
from tests.e2e.support.deployment import Deployment

AT_ONCE = 64
"""Calls in flight; Envoy takes a hundred over one connection."""

_LIMIT_S = 60

ACCEPTED = "accepted"
REPLAYED = "UNAUTHENTICATED: This call was made before: its nonce has been used. Sign each call with a new one."


@dataclass(frozen=True)
class Prepared:
    """A call of one message, signed and ready to be sent, as often as anybody likes."""

    path: str
    message: bytes
    metadata: Metadata

    @property
    def nonce(self) -> str:
        return dict(self.metadata)["x-nonce"]


def prepare(caller: Caller, request: Message, count: int, method: str = "Invoke") -> list[Prepared]:
    """The same call so many times, each with a signature of its own."""
    signed, message = canonical_json(request), request.SerializeToString()
    action = getattr(request, "action", None)
    return [Prepared(path(method), message, caller.signature.metadata(method, signed, action)) for _ in range(count)]


class Volley:
    """A connection to Envoy's edge over which many calls are sent at once."""

    def __init__(self, mesh: Deployment, workload: str) -> None:
        """Shows the certificate of a workload, "operator"."""
        folder = mesh.tls_dir(workload)
        credentials = grpc.ssl_channel_credentials(
            (folder / "ca.crt").read_bytes(), (folder / "tls.key").read_bytes(), (folder / "tls.crt").read_bytes()
        )
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self._channel = grpc.aio.secure_channel(mesh.stack.edge_address, credentials, options=options)

    async def send(self, calls: Sequence[Prepared], at_once: int = AT_ONCE) -> list[str]:
        """Sends calls in their order, so many at a time.

        Returns:
            How each ended: ACCEPTED, or "CODE: what it says".
        """
        outcomes = [""] * len(calls)
        waiting = iter(enumerate(calls))

        async def send_in_turn() -> None:
            for number, call in waiting:
                outcomes[number] = await self._send(call)

        await asyncio.gather(*(send_in_turn() for _ in range(at_once)))
        return outcomes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def _send(self, call: Prepared) -> str:
        try:
            send: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(call.path)
            await send(call.message, metadata=call.metadata, timeout=_LIMIT_S)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return ACCEPTED
