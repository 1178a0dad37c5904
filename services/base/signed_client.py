"""Signed calls to a service through Envoy's edge: all that they have in common, so that one more is three lines.

    class GreeterClient(SignedClient):
        service = pb.DESCRIPTOR.services_by_name["GreeterService"]

        async def greet(self, name: str, person: Person) -> pb.GreetResponse:
            return await self.answer(pb.GreetResponse, pb.GreetRequest(name=name), person)

A method is known by its response, which no other method has (`buf lint` sees to it). Each request, or the header of a
stream, has a field `actor`, which is filled in here.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.base import actions, signature, status
from services.base.canonical import canonical_json
from services.base.clock import Clock
from services.base.errors import timed_out
from services.base.refusals import Refusals
from services.base.signature import Key
from services.base.telemetry import TRACEPARENT

GRACE_S = 0.5
"""How much longer than a call may take its answer is waited for: the service ends the call at its time, and says so
with its id. Whoever hangs says nothing, and is waited for no longer."""

_Response = TypeVar("_Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Person:
    """On whose behalf a client calls, and in which trace."""

    actor: str
    """Empty for the client itself."""

    traceparent: str
    nonce: str = ""
    """What their one call bears, such that it can be made once whoever signs it; empty for a new one each time."""


class _Method(NamedTuple):
    """How a method is called, and how many seconds it may take."""

    path: str
    limit_s: float
    send: Callable[..., Any]


class SignedClient:
    """Signs and makes calls to one service, and ends each at its time by a clock of this process.

    Each call tells grpc its deadline too, which the mesh heeds; but a caller must not wait for somebody else to notice.
    """

    service: ClassVar[ServiceDescriptor]

    def __init__(
        self,
        channel: grpc.aio.Channel,
        key: Callable[[], Key],
        audience: str,
        *,
        streams: grpc.aio.Channel | None = None,
        refusals: Refusals | None = None,
        table: actions.ActionTable | None = None,
    ) -> None:
        """Calls a deployment.

        Args:
            channel: To Envoy's edge. Its one connection carries a hundred calls at once.
            key: What signs a call, asked for each.
            audience: The deployment's name.
            streams: What methods that stream go over, whose calls last for as long as people take; the same channel
                when left out.
            refusals: Who was refused a moment ago, and is told so again here; nobody is when left out.
            table: Where the methods' timeouts come from; the built-in one when left out.
        """
        self._key = key
        self._audience = audience
        self._refusals = refusals
        self._clock = Clock()
        timeouts = {path: method.timeout for path, method in (table or actions.load()).methods.items()}
        self._methods: dict[type[Message], _Method] = {}
        for method in self.service.methods:
            path = f"/{self.service.full_name}/{method.name}"
            send = _bind(method, path, channel, streams or channel)
            self._methods[GetMessageClass(method.output_type)] = _Method(path, timeouts[path].total_seconds(), send)

    async def answer(
        self, kind: type[_Response], request: Any, person: Person, messages: AsyncIterator[Message] | None = None
    ) -> _Response:
        """What the method with this kind of response answers; `messages` is its stream, if it takes one.

        Raises:
            PapermeshError: whatever the mesh answered; TIMEOUT where it has not; RATE_LIMIT where it would for sure.
        """
        with self.begun(kind, request, person, messages) as call:
            response: _Response = await call
        return response

    async def stream(self, kind: type[_Response], request: Any, person: Person) -> AsyncGenerator[_Response, None]:
        """The same for one that answers with several messages."""
        with self.begun(kind, request, person) as call:
            try:
                async for message in call:
                    yield message
            finally:
                call.cancel()

    def begun(
        self,
        kind: type[Message],
        request: Any,
        person: Person,
        messages: AsyncIterator[Message] | None = None,
        *,
        action: str | None = None,
        text: bytes | None = None,
        limit_s: float | None = None,
    ) -> "_Begun":
        """A call that has been sent, to be waited for in a block; raises, as the block does, what `answer` raises.

        Args:
            kind: The method's response.
            request: Its request, which is signed.
            person: Who calls.
            messages: What is sent in its place, where the method takes a stream.
            action: The action that is invoked, if one is.
            text: The request's canonical JSON, where it is at hand.
            limit_s: How long the call may take, where that is not for the method to say.
        """
        path, method_s, send = self._methods[kind]
        called = action or path.rpartition("/")[2]
        self.heed(called, person)
        request.actor = person.actor
        key = self._key()
        signed = signature.sign(
            client=key.client,
            secret=key.secret,
            audience=self._audience,
            method=path,
            request=text or canonical_json(request),
            action=action,
            nonce=person.nonce,
        )
        limit_s = (limit_s or method_s) + GRACE_S
        call = send(messages or request, metadata=(*signed, (TRACEPARENT, person.traceparent)), timeout=limit_s)
        begun = _Begun(call, self._clock, self._refusals, (person.actor, called))
        self._clock.start(begun, limit_s)
        return begun

    def heed(self, called: str, person: Person) -> None:
        """Refuses what would be refused for sure; `called` is an action, or the name of a method.

        Raises:
            PapermeshError: RATE_LIMIT.
        """
        if self._refusals:
            self._refusals.heed((person.actor, called))


class _Begun:
    """A call under way, as a context manager; see `SignedClient.begun`."""

    __slots__ = ("_call", "_clock", "_is_over", "_refusals", "_refused")

    def __init__(self, call: Any, clock: Clock, refusals: Refusals | None, refused: tuple[str, str]) -> None:
        self._call = call
        self._clock = clock
        self._refusals = refusals
        self._refused = refused
        self._is_over = False

    def time_is_over(self) -> None:
        """Ends the call."""
        self._is_over = True
        self._call.cancel()

    def __enter__(self) -> Any:
        return self._call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.stop(self)
        if isinstance(error, grpc.aio.AioRpcError):
            ours = status.decode(error)
            if self._refusals:
                self._refusals.learn(self._refused, ours)
            raise ours from error
        if self._is_over and isinstance(error, asyncio.CancelledError):
            raise timed_out() from None


def _bind(method: MethodDescriptor, path: str, channel: grpc.aio.Channel, streams: grpc.aio.Channel) -> Any:
    """A method of a channel: `unary_unary` of the one, anything else of the one for streams."""
    kinds = ("unary", "stream")
    shape = f"{kinds[method.client_streaming]}_{kinds[method.server_streaming]}"
    make = getattr(channel if shape == "unary_unary" else streams, shape)
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    return make(path, request.SerializeToString, response.FromString)
