"""Incoming documents: what a client announces, and whether the bytes that follow match it."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.documents import check_digest, document_too_large
from services.base.errors import bad_field
from services.base.file_kinds import Beginning
from services.base.spool_file import SpoolFile, spool_file

_MAX_PIECE = 512 * 1024


async def header(stream: AsyncIterator[pb.PutDocumentRequest]) -> pb.PutDocumentHeader:
    """The first message of an upload.

    Raises:
        PapermeshError: BAD_ARG when it is missing or not a header.
    """
    async for message in stream:
        if message.WhichOneof("message") == "header":
            return message.header
        break
    raise bad_field("header", "the first message of an upload must be its header")


def check_header(sent: pb.PutDocumentHeader, max_bytes: int) -> None:
    """Refuses a header that announces an unacceptable document.

    Raises:
        PapermeshError: BAD_ARG, or TOO_LARGE over `max_bytes`.
    """
    check_digest(sent.sha256, "header.sha256")
    if sent.size < 1:
        raise bad_field("header.size", "must be at least 1; an empty file is not a document")
    if sent.size > max_bytes:
        raise document_too_large(max_bytes)


@contextlib.asynccontextmanager
async def received(
    sent: pb.PutDocumentHeader, stream: AsyncIterator[pb.PutDocumentRequest], spool_dir: Path
) -> AsyncIterator[Path]:
    """A file with the bytes that follow a header, once they are proved to match it; it is removed afterwards.

    The bytes are hashed on the way into a file in the spool folder, so memory holds one piece at a time.

    Raises:
        PapermeshError: BAD_ARG when the bytes do not match the header or are not a PDF; UNAVAILABLE when the folder
            cannot be used.
    """
    with spool_file(spool_dir, "upload-") as spool:
        if await _spool(sent.size, stream, spool) != sent.sha256:
            raise bad_field("data", "the bytes do not have the SHA-256 that the header announces")
        yield spool.path


async def _spool(size: int, stream: AsyncIterator[pb.PutDocumentRequest], spool: SpoolFile) -> str:
    """Writes exactly `size` bytes and returns their digest."""
    digest, received, beginning = hashlib.sha256(), 0, Beginning()
    async for message in stream:
        if message.WhichOneof("message") != "data" or not 0 < len(message.data) <= _MAX_PIECE:
            raise bad_field("data", f"after the header, send pieces of 1 to {_MAX_PIECE} bytes")
        received += len(message.data)
        if received > size:
            raise bad_field("data", f"more bytes arrived than the {size} that the header announces")
        beginning.feed(message.data)
        digest.update(message.data)
        spool.write(message.data)
    if received < size:
        raise bad_field("data", f"{received} bytes arrived of the {size} that the header announces")
    beginning.finish()
    return digest.hexdigest()
