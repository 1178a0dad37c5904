"""Bytes that come from the mesh piece by piece: the answer that streams them, and the one that says they are had."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of bytes before they come."""

    tag: str
    """Their entity tag (RFC 9110, 8.8.3), quotation marks and all."""

    size: int
    """How many there are."""

    media_type: str
    disposition: str
    """What a browser is to do with them."""

    policy: str = ""
    """The Content-Security-Policy that a browser shows them under; empty for what runs nothing."""


def streamed(request: Request, content: Content, data: AsyncIterator[bytes], held: AsyncExitStack) -> Response:
    """The answer with these bytes; 304 if `If-None-Match` holds their tag, and for HEAD none of them.

    Only for a caller whose right to them was checked a moment ago: "you already have it" tells that they are there.

    Args:
        request: The request.
        content: What they are.
        data: The bytes.
        held: What to close when all of them are sent; it is left alone where none are.
    """
    fresh = {"ETag": content.tag, "Cache-Control": "private, no-cache"}
    if _has(request, content.tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=fresh)
    # Made from somebody's document: a browser must neither guess their type nor run anything in them.
    headers = {
        **fresh,
        "Content-Length": str(content.size),
        "Content-Disposition": content.disposition,
        "X-Content-Type-Options": "nosniff",
    }
    if content.policy:
        headers["Content-Security-Policy"] = content.policy
    if request.method == "HEAD":
        return Response(headers=headers, media_type=content.media_type)
    return _Bytes(data, headers, content.media_type, held.pop_all())


class _Bytes(StreamingResponse):
    """Streams bytes, and closes their source however far it got."""

    def __init__(
        self, data: AsyncIterator[bytes], headers: Mapping[str, str], media_type: str, held: AsyncExitStack
    ) -> None:
        super().__init__(data, headers=headers, media_type=media_type)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


def _has(request: Request, tag: str) -> bool:
    """Whether the caller has the bytes with this tag (RFC 9110, 13.1.2)."""
    tags = {each.strip().removeprefix("W/") for each in ",".join(request.headers.getlist("if-none-match")).split(",")}
    return tag.removeprefix("W/") in tags or "*" in tags
