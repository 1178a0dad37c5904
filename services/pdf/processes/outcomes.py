"""Failed requests as the one error type: what workers answer, how they die, and deadlines."""

import os
import signal
from typing import Any

from services.base.errors import Code, FieldViolation, PapermeshError

_FROM_WORKERS = frozenset({Code.BAD_ARG, Code.TOO_LARGE})
"""Codes that a worker may answer with."""

_BUSY_MS = 1000
"""How long a caller is told to wait when too many are waiting."""


def timed_out() -> PapermeshError:
    """The deadline passed while a worker was busy with it."""
    return PapermeshError(Code.TIMEOUT, "The document took too long, and the work on it was stopped.")


def no_worker_in_time() -> PapermeshError:
    """The deadline passed while it was queued."""
    return PapermeshError(Code.TIMEOUT, "No worker became free in time; try again later.")


def busy() -> PapermeshError:
    """Too many wait for a worker. Not UNAVAILABLE: the mesh would eject a host that does all it can."""
    return PapermeshError(
        Code.RATE_LIMIT,
        f"The engine is busy; try again in {_BUSY_MS} ms.",
        retry_after_ms=_BUSY_MS,
        details={"reason": "busy"},
    )


def closing() -> PapermeshError:
    """The engine is being stopped."""
    return PapermeshError(Code.UNAVAILABLE, "The document engine is stopping; try again.")


def not_started() -> PapermeshError:
    """A kind's workers do not start. Not UNAVAILABLE: other kinds work, and the mesh would eject the host."""
    return PapermeshError(
        Code.ENGINE_FAIL,
        "The part of the engine that does this cannot start; its log says why.",
        details={"reason": "not_started"},
    )


def not_available(why: str) -> PapermeshError:
    """A kind of worker that this installation lacks; `why` is a sentence that says what to do about it."""
    return PapermeshError(Code.ENGINE_FAIL, why, details={"reason": "not_available"})


def engine_failed(reason: str) -> PapermeshError:
    """The worker died, or gave up; `reason` is one of "memory", "cpu", "time" and "crash"."""
    what = {
        "memory": "ran out of memory",
        "cpu": "used up its processor time",
        "time": "took too long",
    }.get(reason, "crashed")
    return PapermeshError(
        Code.ENGINE_FAIL,
        f"The engine {what} on this document; other requests are not affected.",
        details={"reason": reason},
    )


def reason_of_death(status: int | None) -> str:
    """Why a worker ended, "cpu" or "crash", by its status from waitpid (None if unknown)."""
    if status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return "cpu"
    return "crash"


def from_worker(error: dict[str, Any]) -> PapermeshError:
    """The error that a worker answered with. An invalid one becomes ENGINE_FAIL, since workers are not trusted.

    ENGINE_FAIL with the reason "time" is a program's that the worker started and ended.
    """
    try:
        code = Code(error["code"])
        violations = tuple(FieldViolation(str(name), str(description)) for name, description in error["violations"])
        details = {str(key): str(value) for key, value in error["details"].items()}
        message = str(error["message"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return engine_failed("crash")
    if code not in _FROM_WORKERS:
        return engine_failed("time" if (code, details.get("reason")) == (Code.ENGINE_FAIL, "time") else "crash")
    return PapermeshError(code, message, violations=violations, details=details)
