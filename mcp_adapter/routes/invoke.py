"""POST /mcp/invoke, the hot route: a plain Starlette endpoint, since a model per request would cost too much."""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import Places
from mcp_adapter.http.envelope import NO_STORE, Exchange, success_json
from mcp_adapter.routes.call_options import read_call_options, refuse_encoded
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import canonical
from services.base.errors import bad_arg, bad_field, too_large
from services.base.names import ACTION_RULE, is_action

MAX_BODY_BYTES = 1024 * 1024
"""Bytes of the largest JSON body. Documents are uploaded, not sent along."""

_LINGER_S = 0.25
"""Seconds that a call gets to end by itself after its caller hung up, before it is cancelled. Cancelling resets a
stream on the one connection that all callers share, and Envoy's HTTP/2 library closes a connection with more than 33
resets a second. So a caller who keeps hanging up must not cause one each time."""

_CACHE = {pb.CACHE_STATE_UNSPECIFIED: "none", pb.CACHE_STATE_MISS: "miss", pb.CACHE_STATE_HIT: "hit"}


async def invoke(request: Request) -> Response:
    """Runs one action and answers with its result."""
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    calls: Places = request.app.state.calls
    refuse_encoded(request)
    no_cache, key = read_call_options(request)
    action, args = _parse(await _body(request))
    with calls.take(exchange.actor):
        call = client.invoke(action, args, exchange.person, no_cache=no_cache, idempotency_key=key)
        response = await _while_waited_for(request, call)
    exchange.request_id = response.request_id
    exchange.cache = _CACHE[response.cache]
    return success_json(exchange, response.json.encode(), _freshness(response))


def _freshness(response: pb.InvokeResponse) -> dict[str, str]:
    """How long the caller may reuse the answer. The tag is weak: equal results differ in their `meta`."""
    if not response.result_id:
        return NO_STORE
    return {"ETag": f'W/"{response.result_id}"', "Cache-Control": f"private, max-age={response.max_age_s}"}


async def _while_waited_for(request: Request, call: Awaitable[pb.InvokeResponse]) -> pb.InvokeResponse:
    """The response of a call, which ends when the caller hangs up: work that nobody waits for stops.

    Raises:
        ClientDisconnect: when the caller has hung up.
        PapermeshError: whatever the call raises.
    """
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    giving_up: list[asyncio.TimerHandle] = []

    def hung_up(ended: asyncio.Future[Any]) -> None:
        if not ended.cancelled():
            giving_up.append(asyncio.get_running_loop().call_later(_LINGER_S, task.cancel))

    watch = asyncio.ensure_future(request.receive())  # after the body, only the end of the connection can come
    watch.add_done_callback(hung_up)
    try:
        return await call
    except asyncio.CancelledError:
        if not giving_up:  # this process is stopping
            raise
        task.uncancel()
        raise ClientDisconnect from None
    finally:
        watch.cancel()
        for timer in giving_up:
            timer.cancel()


async def _body(request: Request) -> bytes:
    """The body, if it is within the limit."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY_BYTES:
            message = f"The body may have at most {MAX_BODY_BYTES} bytes. Upload documents through POST /documents."
            raise too_large(message, limit_bytes=MAX_BODY_BYTES)
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
    # It also becomes a header, and one too large for Envoy ends the one connection that all callers share.
    if not isinstance(action, str) or not is_action(action):
        raise bad_field("action", f"must be the name of an action, {ACTION_RULE}; GET /actions lists them")
    if not isinstance(args, dict):
        raise bad_field("args", "must be an object")
    return action, canonical.check_json(args)
