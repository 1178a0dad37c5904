"""The probe listener for kubelets and metrics scrapers, over plain HTTP: whether Envoy is ready, and its counters.

Neither can reach the admin interface, a Unix socket, and it could do far more. This listener passes on only two of its
pages, read-only.
"""

from envoy.admin import TIMEOUT_S
from envoy.limits import BUFFER_BYTES
from envoy.message import Message, extension, socket_address
from envoy.topology import Address, Topology

PAGES = ("/ready", "/stats/prometheus")
"""The pages of the admin interface that are passed on."""

_CLUSTER = "admin"
_TIMEOUT = f"{TIMEOUT_S:g}s"


def listener(address: Address) -> Message:
    """The listener. It answers even while Envoy refuses calls for lack of memory: a restart would then help nobody."""
    return {
        "name": "probe",
        "stat_prefix": "probe",
        "address": socket_address(address.host, address.port),
        "enable_reuse_port": False,
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [{"filters": [_manager()]}],
    }


def cluster(topology: Topology) -> Message:
    """The admin interface, as an upstream."""
    pipe = {"endpoint": {"address": {"pipe": {"path": topology.admin_socket}}}}
    return {
        "name": _CLUSTER,
        "type": "STATIC",
        "connect_timeout": _TIMEOUT,
        "load_assignment": {"cluster_name": _CLUSTER, "endpoints": [{"lb_endpoints": [pipe]}]},
    }


def _manager() -> Message:
    return extension(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="probe",
        codec_type="HTTP1",
        common_http_protocol_options={"idle_timeout": "60s", "max_headers_count": 100},
        max_request_headers_kb=16,
        request_headers_timeout=_TIMEOUT,
        request_timeout=_TIMEOUT,
        server_header_transformation="PASS_THROUGH",
        http_filters=[extension("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)],
        route_config={
            "name": "probe",
            "virtual_hosts": [{"name": "probe", "domains": ["*"], "routes": [_route(page) for page in PAGES]}],
        },
    )


def _route(page: str) -> Message:
    """Matches exactly this page, read-only and without a query: some queries cost the admin interface much work."""
    exactly = [{"name": name, "string_match": {"exact": text}} for name, text in ((":method", "GET"), (":path", page))]
    return {"match": {"path": page, "headers": exactly}, "route": {"cluster": _CLUSTER, "timeout": _TIMEOUT}}
