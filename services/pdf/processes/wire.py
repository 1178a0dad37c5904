"""The frames between the service and a worker, over a Unix stream socket.

A request is its length (4 bytes, little endian) and JSON; beside the first one comes the descriptor of the document
that all of them are about. An answer is the lengths of its header and its payload (4 bytes each), the header as JSON,
and the payload as it is: the result's JSON, made once in the worker and never parsed by the service.
"""

import struct
from typing import Any

import orjson

SOCKET = 3
"""The descriptor of the socket in a worker; 0, 1 and 2 are /dev/null."""

REQUEST = struct.Struct("<I")
ANSWER = struct.Struct("<II")

MAX_HEADER = 64 * 1024
"""Bytes of an answer's header; a worker that announces more is not to be trusted any longer."""


def pack_request(request: dict[str, Any]) -> bytes:
    """A request as it goes over the socket."""
    body = orjson.dumps(request)
    return REQUEST.pack(len(body)) + body


def pack_answer(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """An answer as it goes over the socket."""
    head = orjson.dumps(header)
    return b"".join((ANSWER.pack(len(head), len(payload)), head, payload))
