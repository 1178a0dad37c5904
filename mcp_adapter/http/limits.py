"""What one peer may take of an HTTP server, and what is answered to one who would take more."""

from dataclasses import dataclass

from services.base.errors import Code, PapermeshError, too_large

KEEP_ALIVE_S = 30
"""Seconds that a connection is kept for a next request."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may take."""

    connections: int = 512
    """Connections at a time; half of the files that a process may commonly open."""

    peer_connections: int = 128
    """Those of one peer, a quarter."""

    untaken_bytes: int = 128 * 1024 * 1024
    """Bytes of answers that were given and not taken, all connections together; of more, the oldest one goes."""

    head_bytes: int = 64 * 1024
    """Bytes of a request's line and headers, and of whatever else is sent between two pieces of a body."""

    headers: int = 200
    """Headers of one request."""

    pipelined: int = 16
    """Requests that may wait for the answer to one before them. uvicorn sets up each as soon as it is read."""

    head_s: float = 10
    """Seconds from the beginning of a connection, or of a request on a kept one, to the end of its head."""

    piece_s: float = 30
    """Seconds that the sender of a body, or the reader of an answer, may stand still."""

    bytes_per_s: float = 4096
    """What such a second is earned by: the slowest that a body may come, or an answer be taken. The six uploads that a
    browser makes at once share a bad mobile link, 30 kB/s, and each has to keep up."""

    whole_s: float = 1_800
    """Seconds for all of a body, or of an answer: the largest upload, 100 MB, comes over half a megabit a second."""

    def head_too_large(self) -> PapermeshError:
        """The answer to a head over its bounds."""
        message = f"A request may have {self.headers} headers, and {self.head_bytes} bytes of them. Send fewer."
        return too_large(message, limit_bytes=self.head_bytes, limit_headers=self.headers)

    def head_too_slow(self) -> PapermeshError:
        """The answer to one that was not complete in time."""
        message = f"The head of the request was not complete within {self.head_s:g} seconds. Send it again."
        return PapermeshError(Code.TIMEOUT, message)

    def body_too_slow(self) -> PapermeshError:
        """The answer to a body that came too slowly."""
        pace = (
            f"at least {self.bytes_per_s:g} bytes a second, {self.piece_s:g} seconds without any at most, and"
            f" {self.whole_s:g} for all of it"
        )
        return PapermeshError(Code.TIMEOUT, f"The body came too slowly: {pace}. Send it again.")
