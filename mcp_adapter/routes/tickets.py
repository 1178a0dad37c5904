"""POST /tickets: a URL that a browser can open by itself, once."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from mcp_adapter.http.envelope import Exchange, success
from mcp_adapter.people import tickets
from mcp_adapter.routes.call_options import refuse_encoded
from services.base.errors import bad_arg, too_large

router = APIRouter(tags=["documents"])

_MOST_BYTES = 4096
"""Of the body."""


@router.post("/tickets", summary="Get a URL to open in a browser", status_code=201)
async def make_ticket(request: Request) -> Response:
    """Seals a ticket for `{"path": "/images/…"}`, `{"path": "/documents/…"}` or `{"path": "/reports/…"}`.

    The answer's `data` is `{"url", "expires_in_s": 60}`. The URL needs no credential, and opens that path once, as the
    caller of this request. Whether the caller may see it is asked when it is opened.
    """
    exchange = Exchange.of(request)
    refuse_encoded(request)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise too_large(f"The body may have at most {_MOST_BYTES} bytes.", limit_bytes=_MOST_BYTES)
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_arg('The body is not JSON. Send {"path": …}.') from None
    if not isinstance(asked, dict) or asked.keys() != {"path"} or not isinstance(asked["path"], str):
        raise bad_arg('The body must be {"path": …}, and nothing else.')
    path = asked["path"]
    ticket = tickets.seal(request.app.state.ticket_keys(), path, exchange.actor)
    return success(exchange, {"url": f"{path}?ticket={ticket}", "expires_in_s": tickets.LIFETIME_S}, status=201)
