"""GET /actions: the catalogue, with the schemas that forms and agents are made from."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import Places
from mcp_adapter.http.envelope import Exchange, success
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb

router = APIRouter(tags=["actions"])


@router.head("/actions", include_in_schema=False)
@router.get("/actions", summary="The actions that can be invoked")
async def list_actions(request: Request) -> Response:
    """Lists every action with its description, timeout, rate, and the JSON Schemas of its arguments and result."""
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    calls: Places = request.app.state.calls
    with calls.take(exchange.actor):
        listed = await client.list_actions(exchange.person)
    return success(exchange, {"actions": [_entry(action) for action in listed.actions]})


def _entry(action: pb.ActionInfo) -> dict[str, Any]:
    return {
        "name": action.name,
        "description": action.description,
        "args_schema": orjson.Fragment(action.args_schema),
        "result_schema": orjson.Fragment(action.result_schema),
        "timeout_s": action.timeout.ToTimedelta().total_seconds(),
        "cache_ttl_s": action.cache_ttl.ToTimedelta().total_seconds() if action.HasField("cache_ttl") else None,
        "rate": {"requests_per_minute": action.rate.requests_per_minute, "burst": action.rate.burst},
        "job": action.job,
        "read_only": action.read_only,
    }
