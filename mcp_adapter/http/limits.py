"""What one peer may take of an HTTP server, and the answers to taking more."""

from dataclasses import dataclass

from services.base.errors import Code, PapermeshError, too_large

KEEP_ALIVE_S = 30
"""Seconds that a connection is kept for the next request."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may take."""

    connections: int = 512
    """Connections at a time: half of the files that a process may usually open."""

    peer_connections: int = 128
    """One peer's connections: a quarter."""

    untaken_bytes: int = 128 * 1024 * 1024
    """Bytes of unread answers, over all connections; beyond that, the oldest one goes."""

    head_bytes: int = 64 * 1024
    """Bytes of a request's line and headers, and of anything sent between two pieces of a body."""

    headers: int = 200
    """Headers of one request."""

    pipelined: int = 16
    """Requests that may wait for the answer to an earlier one. uvicorn sets up each as soon as it is read."""

    head_s: float = 10
    """Seconds from the beginning of a connection, or of a request on a kept one, to the end of its head."""

    piece_s: float = 30
    """Seconds for which the sender of a body, or the reader of an answer, may pause."""

    bytes_per_s: float = 4096
    """Bytes that earn one such second: the slowest that a body may come, or an answer be read. A browser's six uploads
    at once may share a bad mobile link, 30 kB/s, and each has to keep up."""

    whole_s: float = 1_800
    """Seconds for a whole body or answer: enough for the largest upload, 100 MB, at half a megabit a second."""

    def head_too_large(self) -> PapermeshError:
        """The answer to a head over its limits."""
        message = f"A request may have at most {self.headers} headers, {self.head_bytes} bytes in all. Send fewer."
        return too_large(message, limit_bytes=self.head_bytes, limit_headers=self.headers)

    def head_too_slow(self) -> PapermeshError:
        """The answer to a head that did not arrive in time."""
        message = f"The head of the request did not arrive within {self.head_s:g} seconds. Send it again."
        return PapermeshError(Code.TIMEOUT, message)

    def body_too_slow(self) -> PapermeshError:
        """The answer to a body that came too slowly."""
        pace = (
            f"it needs at least {self.bytes_per_s:g} bytes a second, no pause over {self.piece_s:g} seconds, and"
            f" at most {self.whole_s:g} seconds in all"
        )
        return PapermeshError(Code.TIMEOUT, f"The body came too slowly: {pace}. Send it again.")
