"""The one error type of the mesh, and that of its operators.

Every failure that a user can cause is a `PapermeshError` with one of eleven codes (docs/errors.md). Domain code raises
it and knows no gRPC and no HTTP; `services.base.status` carries it across the wire, and the adapter writes it as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

__all__ = ["Code", "FieldViolation", "OperatorError", "PapermeshError", "bad_arg", "bad_field"]


class Code(StrEnum):
    """Why a call failed. The names are a contract: clients switch on them."""

    BAD_ARG = "BAD_ARG"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMIT = "RATE_LIMIT"
    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    ENGINE_FAIL = "ENGINE_FAIL"
    INTERNAL = "INTERNAL"

    @property
    def http_status(self) -> HTTPStatus:
        """The HTTP status that the adapter answers with."""
        return _HTTP[self]

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later with nothing changed by the caller."""
        return self in (Code.RATE_LIMIT, Code.TIMEOUT, Code.UNAVAILABLE)


_HTTP: Mapping[Code, HTTPStatus] = {
    Code.BAD_ARG: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.CONFLICT: HTTPStatus.CONFLICT,
    Code.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.RATE_LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    Code.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.ENGINE_FAIL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One argument that is wrong."""

    field: str
    """Path from the arguments' root, "doc_ref.sha256" or "texts[3]"."""

    description: str
    """What is wrong with it and what would be right."""


# Not frozen: Python writes the traceback and the cause into an exception as it travels.
@dataclass(slots=True, eq=False)
class PapermeshError(Exception):
    """A failure with its code and a sentence that says what to do."""

    code: Code
    message: str
    """For a person. Holds no secret, no text of a document and no file name."""

    retry_after_ms: int | None = None
    """How long to wait before the same call may succeed; always set with RATE_LIMIT."""

    violations: tuple[FieldViolation, ...] = ()
    """The arguments that are wrong, with BAD_ARG."""

    details: Mapping[str, str] = field(default_factory=dict)
    """More facts for a program, "limit_bytes": "100000000"."""

    request_id: str = ""
    """The id of the call in every log, once it is known."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class OperatorError(Exception):
    """What keeps a part or a command from its work, and whoever runs it can mend. The text says how, and no secret."""


NOTHING_DONE: Mapping[str, str] = {"reached": "no"}
"""Details of an error that no service had a part in: whatever the call was to do, it did not."""

RETRY_AFTER_MS = 1_000
"""What a caller is told to wait for a place: nobody knows how long those who hold the places will take."""

ACTOR_RATE, CLIENT_RATE = "actor_rate", "client_rate"
"""`reason` in the details of a refusal for a rate: whose bucket was empty, the actor's for what it called, or that of
its whole client."""


def rate_limited(wait_ms: int, reason: str) -> PapermeshError:
    """The answer to one call too many; `reason` says for whom, and the bucket has room again in `wait_ms`."""
    message = f"Too many calls. Try again in {wait_ms} ms."
    return PapermeshError(Code.RATE_LIMIT, message, retry_after_ms=wait_ms, details={"reason": reason})


def all_under_way(said: str, **details: str) -> PapermeshError:
    """The answer to one too many at a time; `said` is how many there are: "You have 6 uploads under way"."""
    message = f"{said}, the most allowed. Wait for one of them to end, or try again in {RETRY_AFTER_MS} ms."
    return PapermeshError(Code.RATE_LIMIT, message, retry_after_ms=RETRY_AFTER_MS, details=details)


def bad_arg(message: str, *violations: FieldViolation, **details: str) -> PapermeshError:
    """A BAD_ARG error; name the fields that are at fault, where there are any."""
    return PapermeshError(Code.BAD_ARG, message, violations=violations, details=details)


def too_large(message: str, **limits: int) -> PapermeshError:
    """A TOO_LARGE error; `limits` stand in its details, limit_bytes=1024."""
    return PapermeshError(Code.TOO_LARGE, message, details={name: str(limit) for name, limit in limits.items()})


def timed_out() -> PapermeshError:
    """The answer to a call whose deadline has passed."""
    return PapermeshError(Code.TIMEOUT, "The call exceeded its time limit, and its work was stopped.")


def bad_field(name: str, description: str) -> PapermeshError:
    """A BAD_ARG error about one argument."""
    return bad_arg(f"{name}: {description}", FieldViolation(name, description))
