"""/documents: uploads that are spooled to disk and hashed on the way, their list, downloads, and deletion."""

import base64
import re
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import Places
from mcp_adapter.http.envelope import Exchange, success
from mcp_adapter.http.form import OVERHEAD_BYTES, Form
from mcp_adapter.http.spool import Spool, Spools
from mcp_adapter.http.streamed import Content, streamed
from mcp_adapter.routes.call_options import refuse_encoded
from services.base.documents import check_digest, document_too_large
from services.base.errors import bad_field

router = APIRouter(tags=["documents"])

_PAGE_SIZE = re.compile("[1-9][0-9]{0,3}", re.ASCII)

_MEDIA_TYPE = "application/octet-stream"
"""Not PDF's own: a browser is to save it, not to show it as a page of ours."""

_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes of the document",
        "content": {_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/documents", summary="Upload a document", status_code=201)
async def upload(request: Request) -> Response:
    """Stores one document, a PDF, sent as the raw body or as the only file of a multipart form.

    The answer's `data.doc_ref` is ready to use in a call. A `Content-Digest: sha-256=:…:` header (RFC 9530) is checked.
    """
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    spools: Spools = request.app.state.spools
    refuse_encoded(request)
    limit: int = request.app.state.settings.max_document_bytes
    if int(request.headers.get("content-length", 0)) > limit + OVERHEAD_BYTES:
        raise document_too_large(limit)
    client.heed("PutDocument", exchange.person)  # before the bytes are taken, not after
    with spools.open(exchange.actor) as spool:
        await _receive(request, spool)
        stored = await client.put_document(spool.content(), spool.digest.hex(), spool.size, exchange.person)
    exchange.request_id = stored.request_id
    reference = {"type": stored.doc_ref.type, "sha256": stored.doc_ref.sha256}
    return success(exchange, {"doc_ref": reference, "size": stored.size}, status=201)


@router.head("/documents", include_in_schema=False)
@router.get("/documents", summary="List your documents")
async def list_documents(request: Request, page_size: str = "", page_token: str = "") -> Response:
    """Lists the caller's uploads, the newest first: `page_size` of them, from 1 to 1,000 (default 100).

    The answer's `data` has `documents`, each with `doc_ref`, `charged_bytes`, `upload_time` and `use_time`, and
    `next_page_token`. Send that token as `page_token` for the next page; it is empty on the last one.
    """
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    calls: Places = request.app.state.calls
    if page_size and not _PAGE_SIZE.fullmatch(page_size):
        raise bad_field("page_size", "must be a number from 1 to 1000")
    with calls.take(exchange.actor):
        listed = await client.list_documents(int(page_size or 0), page_token, exchange.person)
    exchange.request_id = listed.request_id
    documents = [
        {
            "doc_ref": {"type": each.doc_ref.type, "sha256": each.doc_ref.sha256},
            "charged_bytes": each.charged_bytes,
            "upload_time": each.upload_time.ToJsonString(),
            "use_time": each.use_time.ToJsonString(),
        }
        for each in listed.documents
    ]
    return success(exchange, {"documents": documents, "next_page_token": listed.next_page_token})


@router.head("/documents/{sha256}", include_in_schema=False)
@router.get("/documents/{sha256}", summary="Download a document", response_class=StreamingResponse, responses=_BYTES)
async def download(request: Request, sha256: str) -> Response:
    """Streams a document that the caller uploaded; 304 if `If-None-Match` holds its tag."""
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    downloads: Places = request.app.state.downloads
    check_digest(sha256, "sha256")
    async with AsyncExitStack() as held:
        held.enter_context(downloads.take(exchange.actor))
        messages = client.get_document(sha256, exchange.person)
        held.push_async_callback(messages.aclose)
        size = (await anext(messages)).header.size
        # A digest is not a key: the right to the bytes has been checked by now.
        content = Content(f'"{sha256}"', size, _MEDIA_TYPE, f'attachment; filename="{sha256[:16]}.pdf"')
        return streamed(request, content, (message.data async for message in messages), held)


@router.delete("/documents/{sha256}", summary="Delete a document")
async def delete(request: Request, sha256: str) -> Response:
    """Deletes an upload of the caller's; the bytes stay as long as somebody else has uploaded them too.

    The answer's `data` is `{"deleted": true}`.
    """
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    calls: Places = request.app.state.calls
    check_digest(sha256, "sha256")
    with calls.take(exchange.actor):
        deleted = await client.delete_document(sha256, exchange.person)
    exchange.request_id = deleted.request_id
    return success(exchange, {"deleted": True})


async def _receive(request: Request, spool: Spool) -> None:
    """Writes the document to `spool`, from the raw body or from a multipart form."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        form = Form(content_type, spool.write)
        async for piece in request.stream():
            form.feed(piece)
        form.finish()
    else:
        async for piece in request.stream():
            spool.write(piece)
    spool.finish()
    _check_digest(request.headers.get("content-digest"), spool.digest)


def _check_digest(header: str | None, digest: bytes) -> None:
    """Refuses bytes that differ from what the sender meant."""
    sent = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", header or "")
    if not sent and re.search(r"sha-256\b", header or "", re.IGNORECASE):
        raise bad_field("Content-Digest", "must be sha-256=:…:, with the digest in Base64 between the colons")
    if sent and sent[1] != base64.b64encode(digest).decode():
        raise bad_field("Content-Digest", "the bytes that arrived have a different SHA-256; send them again")
