"""What Envoy refuses, and from when on, so that a flood cannot take the process down."""

from envoy.message import Message, extension
from envoy.topology import Topology

_HEAP = "envoy.resource_monitors.fixed_heap"

SHRINK_AT = 0.95
REFUSE_AT = 0.98
"""Shares of the heap limit."""


def overload_manager(topology: Topology) -> Message:
    """Measures the heap four times a second, and counts connections as they come."""
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "resource_monitors.fixed_heap",
                "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=topology.heap_limit_bytes,
            ),
            extension(
                "resource_monitors.global_downstream_max_connections",
                "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
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
    """Each listener takes at most half of the connections, so that a flood at the edge leaves the mesh its own."""
    limit = {"connection_limit": max(1, topology.connection_limit // 2)}
    return {
        "layers": [
            {
                "name": "papermesh",
                "static_layer": {"envoy": {"resource_limits": {"listener": {"edge": limit, "mesh": limit}}}},
            }
        ]
    }


def _at(name: str, share: float) -> Message:
    return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}
