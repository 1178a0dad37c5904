"""What a servicer knows of a call besides its request, and what others are told of its end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call"]

Metadata = tuple[tuple[str, str | bytes], ...]


async def _unheard() -> None:
    """What a call that no server serves makes of being verified."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method."""

    method: str
    """gRPC path."""

    metadata: Metadata

    request_id: str
    """The id that Envoy gave the call; it stands in Envoy's log too."""

    timeout_s: float
    """Seconds that are left for the work, at most the method's own timeout."""

    traceparent: str
    """To pass on to the next hop."""

    notes: dict[str, Any] = field(default_factory=dict)
    """What the servicer learns of the call on its way, for whoever is told of its end (`Ended`)."""

    verified: Callable[[], Awaitable[None]] = _unheard
    """To be called once it is known who calls. A server that clients reach ends a call whose servicer does not within
    three seconds, whatever its method (`services.base.shares`)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that was served, however it ended."""

    call: Call
    code: str
    """"OK", a `Code`, or "CANCELLED" when the caller had left."""

    latency_s: float
    bytes_out: int
    """Bytes of the answer's messages; 0 for an error."""


OnEnd = Callable[[Ended], None]
"""Is told of every call's end, before the caller is. Raises nothing."""
