"""A worker's life: take a document with the first request, read it for each, answer, until the socket closes."""

import os
import resource
import socket
from collections.abc import Mapping
from typing import Any

import orjson

from services.base.errors import PapermeshError
from services.pdf.processes.wire import REQUEST, SOCKET, pack_answer
from services.pdf.worker.documents import open_document
from services.pdf.worker.operations import Operation
from services.pdf.worker.sandbox import confinement

_MAX_GROWTH_KIBIBYTES = 12 * 1024
"""A worker that has grown by more is not kept for another request: it would hold the memory without need, and to read
such a document costs many times what a new process does."""

_MAX_REQUEST = 65536


def serve(operations: Mapping[str, Operation]) -> None:
    """Answers requests on the worker's socket until the service closes it."""
    # Asked for nothing about itself, which the filter would refuse to tell.
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=SOCKET)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _MAX_GROWTH_KIBIBYTES
    first = _receive_first(connection)
    if first is None:
        return
    request: dict[str, Any] | None
    request, document = first
    while request is not None:
        answer, retire = _answer(operations, request, document)
        # The header is complete only now: what the request took counts.
        usage = resource.getrusage(resource.RUSAGE_SELF)
        worn = usage.ru_maxrss > grown or usage.ru_utime + usage.ru_stime > confinement.WORN_SECONDS
        _send(pack_answer(answer[0] | {"retire": retire or worn}, answer[1]))
        request = _receive()


def answer_ready(landlock: int) -> None:
    """Tells the service that this process is locked in and takes requests."""
    _send(pack_answer({"ready": True, "landlock": landlock}))


def answer_failed(reason: str) -> None:
    """Tells the service why this process cannot serve, and stays until it has been heard: the service hangs up."""
    _send(pack_answer({"failed": reason}))
    os.read(SOCKET, 1)


def _answer(
    operations: Mapping[str, Operation], request: dict[str, Any], document: int
) -> tuple[tuple[dict[str, Any], bytes], bool]:
    try:
        outcome = operations[request["op"]](open_document(document), request["args"])
    except PapermeshError as error:
        return ({"error": _as_json(error)}, b""), False
    except MemoryError:
        # What is left of the heap is in pieces: the service replaces this process.
        return ({"crash": "memory"}, b""), True
    except Exception as error:  # noqa: BLE001  # whatever it is, the service must learn where it came from
        return ({"crash": _origin(error)}, b""), True
    return (dict(outcome.header), outcome.payload), False


def _origin(error: Exception) -> str:
    """The kind of an unforeseen error and the line that raised it; not its message, which may quote the document."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{place}"


def _as_json(error: PapermeshError) -> dict[str, Any]:
    return {
        "code": error.code.value,
        "message": error.message,
        "violations": [[violation.field, violation.description] for violation in error.violations],
        "details": dict(error.details),
    }


def _receive_first(connection: socket.socket) -> tuple[dict[str, Any], int] | None:
    """The first request and the descriptor of the document; None when the service has closed the socket."""
    data, descriptors, _flags, _address = socket.recv_fds(connection, _MAX_REQUEST, 1)
    request = _receive(data) if data else None
    return None if request is None else (request, descriptors[0])


def _receive(data: bytes = b"") -> dict[str, Any] | None:
    """The next request, of which `data` is there already; None when the service has closed the socket."""
    while len(data) < REQUEST.size or len(data) < REQUEST.size + REQUEST.unpack_from(data)[0]:
        more = os.read(SOCKET, _MAX_REQUEST)
        if not more:
            return None
        data += more
    request: dict[str, Any] = orjson.loads(data[REQUEST.size :])
    return request


def _send(data: bytes) -> None:
    sent = os.write(SOCKET, data)
    rest = memoryview(data)
    while sent < len(data):
        sent += os.write(SOCKET, rest[sent:])
