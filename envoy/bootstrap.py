"""The bootstrap: the whole configuration, static but for the secrets."""

from envoy import listeners, probe
from envoy.clusters import all_clusters
from envoy.message import Message
from envoy.overload import overload_manager, runtime
from envoy.topology import Topology
from services.base.actions import ActionTable

ADMIN_PATHS = r"/(ready|stats|stats/prometheus|certs|clusters|healthcheck/fail|drain_listeners)(\?.*)?"
"""A pattern of the pages that health checks, metrics and an orderly stop need, without those that end the process, or
dump or change its settings. Envoy matches it against the query string too."""


def bootstrap(table: ActionTable, topology: Topology) -> Message:
    """Everything that Envoy reads when it starts."""
    return {
        "node": {"id": "papermesh-envoy", "cluster": "papermesh"},
        "admin": {
            "address": {"pipe": {"path": topology.admin_socket, "mode": 0o600}},
            "allow_paths": [{"safe_regex": {"regex": ADMIN_PATHS}}],
            # Whoever looks into an overloaded Envoy must get in.
            "ignore_global_conn_limit": True,
        },
        "overload_manager": overload_manager(topology),
        "layered_runtime": runtime(topology),
        "static_resources": {
            "listeners": [
                listeners.edge(table, topology),
                listeners.mesh(table, topology),
                *([probe.listener(topology.probe)] if topology.probe else []),
            ],
            "clusters": [*all_clusters(topology), *([probe.cluster(topology)] if topology.probe else [])],
        },
    }
