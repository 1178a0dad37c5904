"""/documents: uploads that are spooled to disk and hashed on the way, and downloads."""

import base64
import hashlib
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import IO

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.envelope import Exchange, failure, success
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.errors import Code, PapermeshError, bad_arg, bad_field

router = APIRouter(tags=["documents"])

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_READ = 1024 * 1024
_MULTIPART_OVERHEAD = 64 * 1024
"""What boundaries and part headers may add to a document's own bytes."""


@router.post("/documents", summary="Upload a document", status_code=201)
async def upload(request: Request) -> Response:
    """Stores the bytes of one document, as the raw body or as the one file of a multipart form.

    The answer's `data.doc_ref` is ready to use in a call. A `Content-Digest: sha-256=:…:` header (RFC 9530) is checked.
    """
    exchange = Exchange.begin(request)
    client: DispatchClient = request.app.state.dispatch
    limit: int = request.app.state.settings.max_document_bytes
    spool_dir: Path = request.app.state.settings.spool_dir
    try:
        if int(request.headers.get("content-length", 0)) > limit + _MULTIPART_OVERHEAD:
            raise _too_large(limit)
        with tempfile.NamedTemporaryFile(dir=spool_dir, prefix="upload-") as spool:
            sha256, size = await _spool(request, spool, limit)
            stored = await client.put_document(Path(spool.name), sha256, size, exchange.person)
    except PapermeshError as error:
        return failure(exchange, error)
    except ClientDisconnect:
        return failure(exchange, bad_arg("The upload ended before it was complete."))
    exchange.request_id = stored.request_id
    reference = {"type": stored.doc_ref.type, "sha256": stored.doc_ref.sha256}
    return success(exchange, {"doc_ref": reference, "size": stored.size}, status=201)


@router.get("/documents/{sha256}", summary="Download a document")
async def download(request: Request, sha256: str) -> Response:
    """Streams the bytes of a document that the caller uploaded."""
    exchange = Exchange.begin(request)
    client: DispatchClient = request.app.state.dispatch
    try:
        if not _DIGEST.fullmatch(sha256):
            raise bad_field("sha256", "must be 64 lower-case hexadecimal digits")
        messages = client.get_document(sha256, exchange.person)
        header = (await anext(messages)).header
    except PapermeshError as error:
        return failure(exchange, error)
    # Somebody else's bytes: a browser must neither guess their type nor show them as a page of ours.
    headers = {
        "Content-Length": str(header.size),
        "Content-Disposition": f'attachment; filename="{sha256[:16]}.pdf"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_data(messages), media_type="application/octet-stream", headers=headers)


async def _data(messages: AsyncIterator[pb.GetDocumentResponse]) -> AsyncIterator[bytes]:
    async for message in messages:
        yield message.data


async def _spool(request: Request, spool: IO[bytes], limit: int) -> tuple[str, int]:
    """Writes the document to `spool`; returns its digest and size."""
    digest, size = hashlib.sha256(), 0
    async for piece in _document(request, limit):
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        digest.update(piece)
        spool.write(piece)
    spool.flush()
    if size == 0:
        raise bad_arg("The document is empty. Send its bytes as the body, or as a file of a multipart form.")
    _check_digest(request.headers.get("content-digest"), digest.digest())
    return digest.hexdigest(), size


async def _document(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The document's bytes, from the raw body or from a multipart form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        async for piece in request.stream():
            yield piece
        return
    parser = MultiPartParser(request.headers, _bounded(request, limit + _MULTIPART_OVERHEAD), max_files=1, max_fields=8)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise bad_arg(f"The form cannot be read: {error.message}") from None
    except KeyError:
        raise bad_arg("The form names no boundary in its Content-Type.") from None
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise bad_arg("The form must hold exactly one file.")
        while piece := await files[0].read(_READ):
            yield piece
    finally:
        await form.close()


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body, ended with an error where it grows over the limit: the parser itself bounds no file."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(limit - _MULTIPART_OVERHEAD)
        yield piece


def _check_digest(header: str | None, digest: bytes) -> None:
    """Refuses bytes that are not those that the sender meant."""
    sent = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", header or "")
    if sent and sent[1] != base64.b64encode(digest).decode():
        raise bad_field("Content-Digest", "the bytes that arrived have another SHA-256; send them again")


def _too_large(limit: int) -> PapermeshError:
    return PapermeshError(
        Code.TOO_LARGE,
        f"A document may have at most {limit} bytes. Split it, or compress its pictures.",
        details={"limit_bytes": str(limit)},
    )
