"""The upstream clusters: dispatch behind the edge listener, and each service behind the mesh listener."""

from envoy import tls
from envoy.limits import BACKENDS_IDLE, BACKENDS_WINDOW, BUFFER_BYTES, CONNECTION_LIFE, http2
from envoy.message import Message, extension, seconds, socket_address, typed
from envoy.topology import Address, Topology
from services.base.shares import CALLS

MAX_REQUESTS = 16 * CALLS
"""Calls in flight to a cluster, waiting ones included; the next one gets UNAVAILABLE at once. This counts all callers
together, because Envoy cannot count by certificate. dispatch does (`services.base.shares`). Sixteen dispatch processes
take this many, so one certificate's share there, with all its calls about to be refused, is less than a quarter."""

MAX_CONNECTIONS = 256
"""Each carries a hundred calls, more than MAX_REQUESTS in all."""


def all_clusters(topology: Topology) -> list[Message]:
    """The cluster of dispatch, then those of the services in the topology's order."""
    return [
        _cluster(topology, "dispatch", topology.dispatch, _DISPATCH_EJECTIONS, _DISPATCH_HEALTH_CHECK),
        *(
            _cluster(topology, service.workload, service.endpoints, _SERVICE_EJECTIONS, _health_check(2))
            for service in topology.services
        ),
    ]


def _cluster(
    topology: Topology,
    workload: str,
    endpoints: tuple[Address, ...],
    outlier_detection: Message,
    health_check: Message,
) -> Message:
    return {
        "name": workload,
        **_discovery(endpoints),
        "connect_timeout": "1s",
        # Of two hosts drawn by lot, and not of all: a host that was just killed has the least to do, and would draw all
        # calls and their second tries until it is ejected. Reads were lost that way.
        "lb_policy": "LEAST_REQUEST",
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 0},
            # Otherwise what is learnt of hosts within a second is held back and told at once: a host that is put out
            # soon after its return would get calls for the rest of that second.
            "update_merge_window": "0s",
        },
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": MAX_CONNECTIONS,
                    "max_pending_requests": MAX_REQUESTS,
                    "max_requests": MAX_REQUESTS,
                    # When one of two replicas is killed, all of its calls want their second try in the same moment:
                    # with a minimum of 3 instead of 50, one call in twenty failed.
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 50},
                }
            ]
        },
        "outlier_detection": outlier_detection,
        "health_checks": [health_check],
        "transport_socket": tls.upstream(topology, workload),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "extensions.upstreams.http.v3.HttpProtocolOptions",
                common_http_protocol_options={
                    "idle_timeout": seconds(BACKENDS_IDLE),
                    "max_connection_duration": seconds(CONNECTION_LIFE),
                },
                explicit_http_config={"http2_protocol_options": http2(BACKENDS_WINDOW)},
            )
        },
        "load_assignment": {
            "cluster_name": workload,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {"endpoint": {"address": socket_address(endpoint.host, endpoint.port)}}
                        for endpoint in endpoints
                    ]
                }
            ],
        },
    }


def _discovery(endpoints: tuple[Address, ...]) -> Message:
    if not any(endpoint.is_name for endpoint in endpoints):
        return {"type": "STATIC"}
    return {
        "cluster_type": extension(
            "extensions.clusters.dns.v3.DnsCluster",
            "cluster.dns",
            # Every address is a host of its own, since a headless service has one for each pod.
            all_addresses_in_single_endpoint=False,
            dns_refresh_rate="2s",
            dns_failure_refresh_rate={"base_interval": "1s", "max_interval": "2s"},
            # A headless service's records live for 30 s, far longer than a pod takes to go.
            respect_dns_ttl=False,
            dns_lookup_family="V4_PREFERRED",
        ),
        # A pod that has left DNS gets no new call, whatever its last health check said.
        "ignore_health_on_host_removal": True,
    }


def _health_check(healthy_threshold: int) -> Message:
    """Finds a host that hangs, which counting failed calls does not.

    Args:
        healthy_threshold: How many checks in a row a failed host must pass before it is used again. With one, a host
            that works only for moments passes a check in each of them, and gets calls that it then sits on.
    """
    return {
        "grpc_health_check": {},
        "tls_options": {"alpn_protocols": ["h2"]},
        "timeout": "1s",
        "interval": "1s",
        "interval_jitter": "0.1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": healthy_threshold,
        # Otherwise an idle cluster is checked once a minute, and its first call goes to a host that is long gone.
        "no_traffic_interval": "1s",
    }


_EJECTIONS: Message = {
    "interval": "1s",
    # Times the number of ejections, up to the maximum: a part that was restarted is back within seconds.
    "base_ejection_time": "1s",
    "max_ejection_time": "5s",
    "max_ejection_percent": 100,
    "split_external_local_origin_errors": True,
    # A host that answers its health checks and fails its calls must stay out for its time.
    "successful_active_health_check_uneject_host": False,
    "consecutive_local_origin_failure": 3,
    "enforcing_consecutive_local_origin_failure": 100,
    # A document's fault (INTERNAL, UNKNOWN) must not look like its host's.
    "enforcing_consecutive_5xx": 0,
    "enforcing_success_rate": 0,
    "enforcing_local_origin_success_rate": 0,
    "enforcing_failure_percentage": 0,
    "enforcing_failure_percentage_local_origin": 0,
}
"""What both kinds share. Ejections are short: there may be no other host, and health checks watch as well."""

_DISPATCH_EJECTIONS: Message = {**_EJECTIONS, "enforcing_consecutive_gateway_failure": 0}
"""Only failed connections eject dispatch: it answers UNAVAILABLE and DEADLINE_EXCEEDED for the services behind it."""

_SERVICE_EJECTIONS: Message = {
    **_EJECTIONS,
    "consecutive_gateway_failure": 3,
    "enforcing_consecutive_gateway_failure": 100,
}
"""Three answers of UNAVAILABLE or DEADLINE_EXCEEDED in a row eject a service's host."""

_DISPATCH_HEALTH_CHECK: Message = {
    **_health_check(1),
    "unhealthy_interval": "0.25s",
    # One that has missed a single check is not asked sooner: a pause of two seconds must not put it out.
    "unhealthy_edge_interval": "1s",
}
"""Notices quickly that dispatch is back: it must serve within 2 s of Redis's return, and itself waits 0.5 s."""
