"""A `PapermeshError` as a gRPC status and back: the only module that knows both.

Inside the mesh an error is a status with google.rpc.ErrorInfo (reason = our code, domain "papermesh") and, where it
helps, RetryInfo, BadRequest and RequestInfo. What Envoy or grpc itself answers carries none of them; its bare code is
translated here too, so that nobody sees "upstream connect error".
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from services.base.errors import NOTHING_DONE, Code, FieldViolation, PapermeshError, timed_out

__all__ = ["decode"]

DOMAIN = "papermesh"
DETAILS_KEY = "grpc-status-details-bin"

_MAX_TEXT = 600
_MAX_MESSAGE = 1000
_MAX_DETAILS = 1000
_MAX_FIELD = 200
_MAX_DESCRIPTION = 500
_MAX_VIOLATIONS = 2000
"""In bytes. Trailers are headers: grpc refuses those over 8 KiB, and then nobody learns what went wrong. A Korean
letter has three bytes, nine in the status text, and base64 makes the details a third larger."""

_STATUS: Mapping[Code, grpc.StatusCode] = {
    Code.BAD_ARG: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Code.TOO_LARGE: grpc.StatusCode.OUT_OF_RANGE,
    Code.RATE_LIMIT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.ENGINE_FAIL: grpc.StatusCode.INTERNAL,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
}

_BARE: Mapping[grpc.StatusCode, tuple[Code, str]] = {
    grpc.StatusCode.INVALID_ARGUMENT: (Code.BAD_ARG, "The request was refused as malformed."),
    grpc.StatusCode.UNAUTHENTICATED: (Code.UNAUTHENTICATED, "The call was not authenticated."),
    grpc.StatusCode.PERMISSION_DENIED: (Code.FORBIDDEN, "This certificate may not make this call."),
    grpc.StatusCode.NOT_FOUND: (Code.NOT_FOUND, "There is no such thing."),
    grpc.StatusCode.ALREADY_EXISTS: (Code.CONFLICT, "It already exists."),
    grpc.StatusCode.OUT_OF_RANGE: (Code.TOO_LARGE, "The message is over a limit."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (Code.RATE_LIMIT, "Too many calls. Wait and try again."),
    grpc.StatusCode.DEADLINE_EXCEEDED: (Code.TIMEOUT, timed_out().message),
    grpc.StatusCode.UNAVAILABLE: (Code.UNAVAILABLE, "The service cannot be reached right now. Try again."),
}

_SHARED_FAULTS = frozenset({"store_full", "store_gone", "store_failed", "store_away"})
"""Reasons that every host of a service would give alike; `services.base.own_faults` and `blob_bucket` have them."""

_NEVER_SENT = frozenset({"UH", "UF", "UO", "NC", "NR", "URX"})
"""Envoy's flags of a call that reached no service: no healthy host, no connection, a breaker, no cluster, no route. The
last one says that tries were used up, and stands beside another."""

_BARE_RETRY_MS = 1000
"""What a caller is told to wait when whoever limited it did not say."""


def status_code(error: PapermeshError, *, behind_mesh: bool = False) -> grpc.StatusCode:
    """The gRPC code of an error.

    Args:
        error: The error.
        behind_mesh: The answer passes Envoy's mesh listener, which ejects hosts that answer DEADLINE_EXCEEDED or
            UNAVAILABLE, and tries others. A document's time-out is not its host's fault, nor is a store that all hosts
            share, so there they are INTERNAL; ErrorInfo still has the code.
    """
    if behind_mesh and (error.code is Code.TIMEOUT or error.details.get("reason") in _SHARED_FAULTS):
        return grpc.StatusCode.INTERNAL
    return _STATUS[error.code]


def text(error: PapermeshError) -> str:
    """The status text for people who see no details."""
    return _cut(error.message, _MAX_TEXT)


def encode(error: PapermeshError, code: grpc.StatusCode) -> bytes:
    """The value of `grpc-status-details-bin` for an error; what would make it too large is cut off."""
    status = status_pb2.Status(code=code.value[0], message=_cut(error.message, _MAX_MESSAGE))
    info = error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN)
    left = _MAX_DETAILS
    for key, value in error.details.items():
        left -= len(key.encode()) + len(str(value).encode())
        if left >= 0:
            info.metadata[key] = str(value)
    status.details.add().Pack(info)
    if error.retry_after_ms is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(milliseconds=error.retry_after_ms))
        status.details.add().Pack(retry)
    if error.request_id:
        status.details.add().Pack(error_details_pb2.RequestInfo(request_id=error.request_id))
    if error.violations:
        status.details.add().Pack(_bad_request(error.violations))
    return bytes(status.SerializeToString())


def _bad_request(violations: Iterable[FieldViolation]) -> error_details_pb2.BadRequest:
    """As many of the violations as there is room for."""
    request = error_details_pb2.BadRequest()
    for violation in violations:
        request.field_violations.add(
            field=_cut(violation.field, _MAX_FIELD), description=_cut(violation.description, _MAX_DESCRIPTION)
        )
        if request.ByteSize() > _MAX_VIOLATIONS:
            del request.field_violations[-1]
            break
    return request


def _cut(text: str, size: int) -> str:
    """The beginning of a text, at most `size` bytes in UTF-8."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


_SENT_TOO_LATE = "Internal error from Core"
"""What grpc.aio says when a message could not be sent since the call had ended; how it had ended is then lost."""


def decode(error: grpc.aio.AioRpcError) -> PapermeshError:
    """The error behind a failed call: ours, or the translation of a bare status."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                ours = _from_details(status_pb2.Status.FromString(value))
            except DecodeError:  # somebody else's trailer; the bare code still says something
                break
            if ours is not None:
                return ours
    return _from_bare(error.code(), error.details() or "")


def _from_details(status: status_pb2.Status) -> PapermeshError | None:
    """Our error from its details; None when they are not ours."""
    info = error_details_pb2.ErrorInfo()
    retry = error_details_pb2.RetryInfo()
    request = error_details_pb2.BadRequest()
    identity = error_details_pb2.RequestInfo()
    for detail in status.details:
        for part in (info, retry, request, identity):
            detail.Unpack(part)  # does nothing unless that is its type
    if info.domain != DOMAIN or info.reason not in Code.__members__:
        return None
    return PapermeshError(
        Code(info.reason),
        status.message,
        retry_after_ms=retry.retry_delay.ToMilliseconds() if retry.HasField("retry_delay") else None,
        violations=tuple(FieldViolation(each.field, each.description) for each in request.field_violations),
        details=dict(info.metadata),
        request_id=identity.request_id,
    )


def _from_bare(code: grpc.StatusCode, text: str) -> PapermeshError:
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "message larger than max" in text:
        return PapermeshError(Code.TOO_LARGE, "The message is over the size limit. Ask for fewer pages at a time.")
    if code is grpc.StatusCode.INTERNAL and ("RST_STREAM" in text or text == _SENT_TOO_LATE):
        # The stream was cut off, by a host that died or an Envoy that had answered before all of an upload was sent. A
        # bug of a service's comes with details.
        code = grpc.StatusCode.UNAVAILABLE
    ours, message = _BARE.get(code, (Code.INTERNAL, "Something went wrong on our side."))
    waits = _BARE_RETRY_MS if ours is Code.RATE_LIMIT else None
    flags = text.removeprefix("envoy: ").split(",") if text.startswith("envoy: ") else ["?"]
    details = NOTHING_DONE if _NEVER_SENT.issuperset(flags) else {}
    return PapermeshError(ours, message, retry_after_ms=waits, details=details)
