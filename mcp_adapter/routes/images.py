"""/images: the pictures that an action made."""

from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import Places
from mcp_adapter.http.envelope import Exchange
from mcp_adapter.http.streamed import Content, streamed

router = APIRouter(tags=["documents"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": {"image/png": _BINARY, "image/webp": _BINARY}}
}


@router.head("/images/{image_id}", include_in_schema=False)
@router.get("/images/{image_id}", summary="Show a picture", response_class=StreamingResponse, responses=_PICTURE)
async def show(request: Request, image_id: str) -> Response:
    """Streams a picture that an action made of a document of the caller's; 304 if `If-None-Match` holds its tag."""
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    downloads: Places = request.app.state.downloads
    async with AsyncExitStack() as held:
        held.enter_context(downloads.take(exchange.actor))
        messages = client.get_image(image_id, exchange.person)
        held.push_async_callback(messages.aclose)
        header = (await anext(messages)).header
        # Weak: a picture that was drawn again by another version looks the same, and may have other bytes.
        name = f'inline; filename="{image_id[:16]}.{header.format}"'
        content = Content(f'W/"{image_id}"', header.size, f"image/{header.format}", name)
        return streamed(request, content, (message.data async for message in messages), held)
