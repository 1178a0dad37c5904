"""From an action to the service that does the work, through Envoy's mesh listener."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.message import Message

from services.base import status
from services.base.actions import Action
from services.base.errors import Code, PapermeshError
from services.base.handlers import Call
from services.base.telemetry import TRACEPARENT


class Router:
    """Calls actions over one channel."""

    def __init__(self, channel: grpc.aio.Channel, actions: Mapping[str, Action]) -> None:
        """Routes to `actions` through `channel`; what does not change from call to call is made here, once."""
        self.actions = actions
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
            PapermeshError: BAD_ARG when the catalogue has none.
        """
        action = self.actions.get(name)
        if action is None:
            raise PapermeshError(
                Code.BAD_ARG,
                "There is no such action. ListActions, or GET /actions, lists them.",
                details={"action": name[:64]},
            )
        return action

    async def call(self, action: Action, request: Message, call: Call) -> str:
        """The action's result as JSON text.

        Args:
            action: The action.
            request: Its typed request, with resolved documents.
            call: The call that asks for it; its deadline, shortened to the action's timeout, goes along.

        Raises:
            PapermeshError: what the service answered, or what kept it from answering.
        """
        metadata = (
            ("x-result", "json"),
            ("x-action", action.name),
            ("x-request-id", call.request_id),
            (TRACEPARENT, call.traceparent),
        )
        timeout_s = min(call.timeout_s, action.method.timeout.total_seconds())
        try:
            response = await self._calls[action.name](request, metadata=metadata, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise status.decode(error) from error
        return str(response.json)
