"""POST /mcp/invoke, the hot route: a plain Starlette endpoint, since a model per request would cost too much."""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.envelope import Exchange, failure, success_json
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import canonical
from services.base.errors import Code, PapermeshError, bad_arg, bad_field

MAX_BODY_BYTES = 1024 * 1024
"""The largest JSON body. Documents are uploaded, not sent along."""

_CACHE = {pb.CACHE_STATE_UNSPECIFIED: "none", pb.CACHE_STATE_MISS: "miss", pb.CACHE_STATE_HIT: "hit"}


async def invoke(request: Request) -> Response:
    """Runs one action and answers with its result."""
    exchange = Exchange.begin(request)
    try:
        action, args = _parse(await _body(request))
        client: DispatchClient = request.app.state.dispatch
        call = asyncio.ensure_future(client.invoke(action, args, exchange.person))
        watch = asyncio.ensure_future(_cancel_when_gone(request, call))
        try:
            response = await call
        finally:
            watch.cancel()
    except PapermeshError as error:
        return failure(exchange, error)
    exchange.request_id = response.request_id
    exchange.cache = _CACHE[response.cache]
    return success_json(exchange, response.json.encode())


async def _body(request: Request) -> bytes:
    """The body, as long as it is within the limit."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise PapermeshError(
                Code.TOO_LARGE,
                f"The body may have at most {MAX_BODY_BYTES} bytes. Upload documents through POST /documents.",
                details={"limit_bytes": str(MAX_BODY_BYTES)},
            )
        pieces.append(piece)
    return b"".join(pieces)


def _parse(body: bytes) -> tuple[str, dict[str, Any]]:
    """The action and its arguments."""
    try:
        call = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_arg(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    if not isinstance(call, dict):
        raise bad_arg('The body must be an object, {"action": …, "args": {…}}.')
    unknown = call.keys() - {"action", "args"}
    if unknown:
        raise bad_field(min(unknown)[:200], "no such field; the body has action and args")
    action, args = call.get("action"), call.get("args", {})
    if not isinstance(action, str) or not action.isascii() or not action.isprintable() or not action:
        raise bad_field("action", "must be the name of an action; GET /actions lists them")
    if not isinstance(args, dict):
        raise bad_field("args", "must be an object")
    return action, canonical.check_json(args)
