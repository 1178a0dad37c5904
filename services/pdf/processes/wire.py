"""The frames between the service and a worker, over a Unix stream socket.

A frame is the lengths of its header and its payload (4 bytes each, little endian), the header as JSON, and the payload
as it is. A request's header names the operation, its arguments and the document's password; one of the arguments may be
bytes, which are the payload. With the first request comes the descriptor of the document that all of them are about. An
answer's payload is the result's JSON, made once in the worker and never parsed by the service.
"""

import struct
from typing import Any, NamedTuple

import orjson

SOCKET = 3
"""The descriptor of the socket in a worker; 0, 1 and 2 are /dev/null."""

LENGTHS = struct.Struct("<II")

MAX_HEADER = 64 * 1024
"""The most bytes of an answer's header; a worker that announces more is no longer trusted."""

CONTENT = "content"
"""The name of the argument that holds bytes."""


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """A frame as sent over the socket."""
    head = orjson.dumps(header)
    return b"".join((LENGTHS.pack(len(head), len(payload)), head, payload))


class Request(NamedTuple):
    """What a worker is asked about its document."""

    operation: str
    arguments: dict[str, Any]
    password: str
    """What opens the document; empty for none."""


def pack_request(operation: str, arguments: dict[str, Any], password: str = "") -> bytes:
    """A request as sent over the socket; the argument `CONTENT` is bytes, all others are JSON."""
    values = {name: value for name, value in arguments.items() if name != CONTENT}
    return pack({"op": operation, "args": values, "password": password}, arguments.get(CONTENT, b""))


def unpack_request(frame: bytes | bytearray) -> Request:
    """The request that `pack_request` packed."""
    end = LENGTHS.size + LENGTHS.unpack_from(frame)[0]
    header = orjson.loads(frame[LENGTHS.size : end])
    if len(frame) > end:
        header["args"][CONTENT] = bytes(frame[end:])
    return Request(header["op"], header["args"], header["password"])
