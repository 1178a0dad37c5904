"""From an action to the service that does the work, through Envoy's mesh listener."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.message import Message

from services.base import status
from services.base.actions import Action
from services.base.call import Call
from services.base.channel import MeshChannel
from services.base.errors import Code, PapermeshError, timed_out
from services.base.flow import Flow
from services.base.results import AS_JSON, PARTIAL
from services.base.telemetry import TRACEPARENT
from services.dispatch.answers.engines import engine_of

_GRACE_S = 1.0
"""How much longer the deadline on the wire is than dispatch waits. After its wait, dispatch cancels the call, which
stops the work. With equal deadlines, a service's clock would sometimes be the first to see it pass, and its
DEADLINE_EXCEEDED would count against a healthy host."""


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """A service's result."""

    json: str
    """The result as JSON text."""

    engine: str
    """The version of the engine that made it; empty if the service does not say."""

    is_partial: bool = False
    """Whether the service has more to say to the same call later."""


class Router:
    """Calls actions over one channel."""

    def __init__(self, channel: MeshChannel, actions: Mapping[str, Action]) -> None:
        """Routes to `actions` through `channel`; whatever is the same for every call is made once, here."""
        self.actions = actions
        self._channel = channel
        self._calls: Mapping[str, grpc.aio.UnaryUnaryMultiCallable[Any, Any]] = MappingProxyType(
            {
                name: channel.unary_unary(
                    action.method.path,
                    request_serializer=action.request.SerializeToString,
                    response_deserializer=action.response.FromString,
                )
                for name, action in actions.items()
            }
        )

    def action(self, name: str) -> Action:
        """The action of that name.

        Raises:
            PapermeshError: BAD_ARG if the catalogue does not have it.
        """
        action = self.actions.get(name)
        if action is None:
            raise PapermeshError(
                Code.BAD_ARG,
                "There is no such action. ListActions, or GET /actions, lists them.",
                details={"action": name[:64]},
            )
        return action

    async def call(self, action: Action, request: Message, call: Call, flow: Flow, timeout_s: float) -> ServiceResult:
        """Lets the action's service do the work.

        Args:
            action: The action.
            request: Its typed request, with resolved documents.
            call: The call that asks for it, which gives the work its id and its trace.
            flow: On whose behalf it is, so that the service can give everybody a turn.
            timeout_s: How long it may take.

        Raises:
            PapermeshError: what the service answered, or what kept it from answering.
        """
        metadata = (
            AS_JSON,
            ("x-action", action.name),
            flow.metadata,
            ("x-request-id", call.request_id),
            (TRACEPARENT, call.traceparent),
        )
        try:
            async with within(timeout_s):
                await self._channel.back()
                under_way = self._calls[action.name](request, metadata=metadata, timeout=timeout_s + _GRACE_S)
                response = await under_way
            trailing = tuple(await under_way.trailing_metadata())
            return ServiceResult(str(response.json), engine_of(trailing), PARTIAL in trailing)
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Ends the block if it takes longer.

    Raises:
        PapermeshError: TIMEOUT.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise timed_out() from None
