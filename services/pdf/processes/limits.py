"""What one document may cost: plain numbers, so that both sides of the worker's socket agree on them."""

from dataclasses import dataclass

from services.base.errors import PapermeshError, too_large

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a kind of worker; everything over one is a typed error, never a crash of the service."""

    memory_bytes: int = 1024 * MIB
    """Address space that a worker may map beyond what it starts with."""

    cpu_seconds: int = 60
    """Processor time for one request, and for each program that it starts. The caller's deadline limits wall-clock
    time; this limit needs no watcher."""

    kept: int = 20
    """Workers kept for the next question about the one document that each has opened."""

    kept_seconds: float = 60.0
    """Seconds that one of them is kept without a question."""

    result_bytes: int = 16 * MIB
    """Bytes of one result's JSON text."""

    waiting: int = 192
    """Requests that may wait for a worker: four times what dispatch lets one client have under way. The next one is
    told at once that the engine is busy."""


def result_too_large(limit_bytes: int) -> PapermeshError:
    """The error for a result over the limit."""
    message = f"The result is over the limit of {limit_bytes} bytes; ask for fewer pages at a time."
    return too_large(message, limit_bytes=limit_bytes)
