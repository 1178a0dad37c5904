"""What Envoy refuses under load, so that a flood cannot take the process down."""

from envoy.message import Message, extension
from envoy.topology import Topology

_HEAP = "envoy.resource_monitors.fixed_heap"

SHRINK_AT = 0.95
REFUSE_AT = 0.98
"""Shares of the heap limit."""

_NEVER = 2**32 - 1
_REQUESTS_AT_ONCE = 50


def overload_manager(topology: Topology) -> Message:
    """Measures the heap four times a second, and counts connections as they come."""
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=topology.heap_limit_bytes,
            ),
            extension(
                "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                "resource_monitors.global_downstream_max_connections",
                max_active_downstream_connections=topology.connection_limit,
            ),
        ],
        "actions": [
            _at("envoy.overload_actions.shrink_heap", SHRINK_AT),
            _at("envoy.overload_actions.stop_accepting_requests", REFUSE_AT),
        ],
        "loadshed_points": [
            _at("envoy.load_shed_points.tcp_listener_accept", REFUSE_AT),
            _at("envoy.load_shed_points.http_connection_manager_decode_headers", REFUSE_AT),
        ],
    }


def runtime(topology: Topology) -> Message:
    """Limits that belong to no listener.

    Each listener takes at most half of the connections, so that a flood at the edge leaves the mesh its own.

    Envoy's limit on cancelled calls is off. It would close a connection with many calls cancelled within a second, and
    lose every call on it. Here connections are shared: dispatch has one, the adapter has one, and people often hang up
    early. Other limits remain: every caller has a certificate, a rate, and 100 streams a connection; no connection may
    take a turn of the event loop for itself; the HTTP/2 library closes one after 1,000 resets and 33 more a second.
    """
    limit = {"connection_limit": max(1, topology.connection_limit // 2)}
    return {
        "layers": [
            {
                "name": "papermesh",
                "static_layer": {
                    "envoy": {"resource_limits": {"listener": {"edge": limit, "mesh": limit}}},
                    "overload": {"premature_reset_total_stream_count": _NEVER},
                    "http": {"max_requests_per_io_cycle": _REQUESTS_AT_ONCE},
                },
            }
        ]
    }


def _at(name: str, share: float) -> Message:
    return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}
