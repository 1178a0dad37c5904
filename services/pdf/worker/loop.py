"""A worker's life: read a request, open the document, answer, until the socket closes."""

import os
import resource
from collections.abc import Mapping
from typing import Any

import orjson

from services.base.errors import PapermeshError
from services.pdf.wire import REQUEST, pack_answer
from services.pdf.worker import sandbox
from services.pdf.worker.documents import open_document
from services.pdf.worker.operations import Operation

DOCUMENT = "document.pdf"
"""The document's name in the worker's folder."""

_RETIRE_KIBIBYTES = 256 * 1024
"""A worker that has grown by this much is replaced: the allocator seldom gives memory back."""


def serve(operations: Mapping[str, Operation], cpu_seconds: int) -> None:
    """Answers requests on the worker's socket until the service closes it."""
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _RETIRE_KIBIBYTES
    while (request := _receive()) is not None:
        sandbox.limit_processor_time(cpu_seconds)
        answer, retire = _answer(operations, request)
        # The header is complete only now: the memory that the request took counts.
        retire = retire or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > limit
        _send(pack_answer(answer[0] | {"retire": retire}, answer[1]))


def answer_ready(landlock: int) -> None:
    """Tells the service that this process is locked in and takes requests."""
    _send(pack_answer({"ready": True, "landlock": landlock}))


def answer_failed(reason: str) -> None:
    """Tells the service why this process cannot serve, and stays until it has been heard: the service hangs up."""
    _send(pack_answer({"failed": reason}))
    os.read(sandbox.SOCKET, 1)


def _answer(operations: Mapping[str, Operation], request: dict[str, Any]) -> tuple[tuple[dict[str, Any], bytes], bool]:
    try:
        outcome = operations[request["op"]](open_document(DOCUMENT), request["args"])
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


def _receive() -> dict[str, Any] | None:
    """The next request, None when the service has closed the socket."""
    data = os.read(sandbox.SOCKET, 65536)
    while data and (len(data) < REQUEST.size or len(data) < REQUEST.size + REQUEST.unpack_from(data)[0]):
        more = os.read(sandbox.SOCKET, 65536)
        if not more:
            return None
        data += more
    if not data:
        return None
    request: dict[str, Any] = orjson.loads(data[REQUEST.size :])
    return request


def _send(data: bytes) -> None:
    sent = os.write(sandbox.SOCKET, data)
    rest = memoryview(data)
    while sent < len(data):
        sent += os.write(sandbox.SOCKET, rest[sent:])
