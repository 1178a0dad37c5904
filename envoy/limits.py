"""Limits that listeners and clusters share: buffers, windows, and how long a connection lives."""

from datetime import timedelta

from envoy.message import Message
from services.base.served import MAX_REQUEST_BYTES

BUFFER_BYTES = 32 * 1024
"""Per connection and direction. A longer body streams on as the other side reads; only a retry would need all of it."""

REQUEST_BYTES = MAX_REQUEST_BYTES + 1024
"""The longest request of a call that sends one message. Slightly above a service's own limit, because the service's
answer is better."""

CONNECTION_LIFE = timedelta(hours=1)
"""The longest life of a connection: an open one outlives the removal of the CA that let it in."""

CONNECTION_DRAIN = timedelta(seconds=1)
"""From telling a connection's peer to go until its further requests are refused: more than one round trip."""

DRAIN_TIME = timedelta(seconds=6)
"""The time in which a draining Envoy tells its connections to go. Idle ones are told in the last third, if that leaves
room for CONNECTION_DRAIN; with less room they never are."""

BACKENDS_IDLE = timedelta(hours=1)

CALLERS_IDLE = timedelta(minutes=1)
"""How long a caller's connection may be idle. It takes one of the listener's places, and a new handshake costs a caller
only milliseconds."""


STREAMS = 100
"""Calls that one connection carries at once."""

STREAM_WINDOW = 64 * 1024
"""Bytes of one call's messages, in one direction, that Envoy holds while the other side does not read them."""

CALLERS_WINDOW = 1024 * 1024
"""The same for all calls of a caller's connection."""

BACKENDS_WINDOW = STREAMS * STREAM_WINDOW
"""The same for all calls of a connection to a backend, which callers share. As much as all its calls may hold together:
otherwise a few callers who read nothing would stop everybody's answers."""


def http2(connection_window: int) -> Message:
    """The HTTP/2 settings of one connection, on either side."""
    return {
        "max_concurrent_streams": STREAMS,
        "initial_stream_window_size": STREAM_WINDOW,
        "initial_connection_window_size": connection_window,
        # Finds a peer that vanished without a word. A gRPC server counts pings on a quiet connection as abuse, unless
        # its grpc.http2.min_ping_interval_without_data_ms is below this interval.
        "connection_keepalive": {"interval": "30s", "timeout": "5s"},
    }
