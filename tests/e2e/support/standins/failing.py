"""STANDIN_FAIL past the kit, which never gives codes such as ABORTED: any gRPC code, without details."""

import asyncio
from typing import Any, TypeAlias

import grpc

from services.base.actions import Action
from tests.e2e.support.standins.diary import Diary

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Failing(grpc.GenericRpcHandler):
    """Serves the method that the kit's servicer lacks."""

    def __init__(self, action: Action, diary: Diary) -> None:
        self._action = action
        self._diary = diary

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        if handler_call_details.method != self._action.method.path:
            return None
        return grpc.unary_unary_rpc_method_handler(self._fail)

    async def _fail(self, message: bytes, context: Context) -> bytes:
        key = self._action.request.FromString(message).key  # type: ignore[attr-defined]  # FailRequest
        left_s = context.time_remaining() or 0.0
        code = self._diary.code
        self._diary.write("started", "Fail", key, left_s)
        await asyncio.sleep(self._diary.delay_s)
        self._diary.write("failed" if code else "finished", "Fail", key, left_s)
        if code is not None:
            await context.abort(code, "as the test says")
        response = self._action.response(json=f'{{"replica":"{self._diary.folder.name}"}}')
        return response.SerializeToString()
