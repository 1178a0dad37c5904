"""A worker's life: take a document with the first request, then read it and answer each until the socket closes.

A worker whose views take content alone gets none.
"""

import os
import resource
import socket
from collections.abc import Mapping
from typing import Any

from services.base.errors import Code, PapermeshError
from services.pdf.processes.limits import result_too_large
from services.pdf.processes.wire import LENGTHS, SOCKET, Request, pack, unpack_request
from services.pdf.worker.sandbox import confinement
from services.pdf.worker.views import Arguments, Given, Outcome, View

_MAX_GROWTH_KIBIBYTES = 18 * 1024
"""A worker that has grown by more is not kept for another request: it would hold memory needlessly, and reading such a
document costs far more than a new process. Pages of the zygote count when they are touched for the first time: 7 MiB
with Python 3.11 and 13 with 3.13, of which a worker owns 1.5."""

_AT_ONCE = 64 * 1024
"""Bytes of a request that are read at a time; most requests have fewer."""


def serve(views: Mapping[str, View], result_bytes: int) -> None:
    """Answers requests on the worker's socket until the service closes it; more than `result_bytes` are TOO_LARGE."""
    # Python must not query the socket, since the filter would refuse that.
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=SOCKET)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _MAX_GROWTH_KIBIBYTES
    data, descriptors, _flags, _address = socket.recv_fds(connection, _AT_ONCE, 1)
    document = descriptors[0] if descriptors else -1
    while request := _receive(data):
        given = Given(document, request.password)
        (header, payload), retire = _answer(views[request.operation], given, request.arguments, result_bytes)
        # The header is complete only now: what the request took counts.
        usage = resource.getrusage(resource.RUSAGE_SELF)
        worn = usage.ru_maxrss > grown or usage.ru_utime + usage.ru_stime > confinement.WORN_SECONDS
        _send(pack(header | {"retire": retire or worn}, payload))
        data = os.read(SOCKET, _AT_ONCE)


def answer_ready(landlock: int) -> None:
    """Tells the service that this process is confined and takes requests."""
    _send(pack({"ready": True, "landlock": landlock}))


def answer_failed(reason: str) -> None:
    """Tells the service why this process cannot serve, and stays until the service has heard it and hangs up."""
    _send(pack({"failed": reason}))
    os.read(SOCKET, 1)


def _answer(view: View, given: Given, arguments: Arguments, result_bytes: int) -> tuple[Outcome, bool]:
    """What the view made, and whether this process should stop serving."""
    try:
        return _bounded(view(given, arguments), result_bytes), False
    except PapermeshError as error:
        # A program that it has started may still be at work, and ends with it.
        return ({"error": _as_json(error)}, b""), error.code is Code.ENGINE_FAIL
    except MemoryError:
        # The rest of the heap is fragmented: the service replaces this process.
        return ({"crash": "memory"}, b""), True
    except Exception as error:  # noqa: BLE001  # whatever it is, the service must learn where it came from
        return ({"crash": _origin(error)}, b""), True


def _bounded(outcome: Outcome, result_bytes: int) -> Outcome:
    if len(outcome[1]) > result_bytes:
        raise result_too_large(result_bytes)
    return outcome


def _origin(error: Exception) -> str:
    """An unexpected error's kind and line; not its message, which may quote the document."""
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


def _receive(data: bytes) -> Request | None:
    """The request that begins with `data`; None if the service has closed the socket."""
    frame = bytearray(data)
    while len(frame) < LENGTHS.size or len(frame) < LENGTHS.size + sum(LENGTHS.unpack_from(frame)):
        if not data:
            return None
        data = os.read(SOCKET, _AT_ONCE)
        frame += data
    return unpack_request(frame)


def _send(data: bytes) -> None:
    sent = os.write(SOCKET, data)
    rest = memoryview(data)
    while sent < len(data):
        sent += os.write(SOCKET, rest[sent:])
