"""The two listeners: "edge", for callers from outside, and "mesh", through which workloads call each other."""

from datetime import timedelta

from envoy import rate_limits, rbac, request_size, routes, tls, unverified
from envoy.access_log import access_log
from envoy.limits import BUFFER_BYTES, CALLERS_IDLE, CALLERS_WINDOW, CONNECTION_DRAIN, CONNECTION_LIFE, http2
from envoy.message import Message, extension, seconds, socket_address, typed
from envoy.topology import Address, Topology
from services.base.actions import ActionTable

HANDSHAKE_TIMEOUT = timedelta(seconds=2)
"""From accepting a connection to the end of its handshake. Until then it takes one of the listener's places, whoever it
is. The shorter this is, the more connections somebody without a certificate must open to take them all."""


def edge(table: ActionTable, topology: Topology) -> Message:
    """Callers to dispatch. The call gets its id here: a caller's own x-request-id is replaced."""
    manager = _connection_manager(
        topology,
        "edge",
        [rbac.edge(topology), rate_limits.http_filter(table, topology)],
        route_config=routes.edge(table),
        request_timeout=unverified.REQUEST_TIMEOUT,
    )
    manager["local_reply_config"]["mappers"].insert(0, unverified.answer())
    manager["preserve_external_request_id"] = False
    # So that a caller can name a call that Envoy itself refused.
    manager["always_set_request_id_in_response"] = True
    return _listener(topology, "edge", topology.edge, manager)


def mesh(table: ActionTable, topology: Topology) -> Message:
    """Workloads to services. The id that dispatch passes on is kept, so a call has one id in both listeners' logs."""
    manager = _connection_manager(
        topology,
        "mesh",
        [rbac.mesh(topology)],
        route_config=routes.mesh(table, topology),
        request_timeout=routes.request_timeout(
            table, [name for service in topology.services for name in service.serves]
        ),
    )
    manager["preserve_external_request_id"] = True
    return _listener(topology, "mesh", topology.mesh, manager)


def _listener(topology: Topology, name: str, address: Address, manager: Message) -> Message:
    return {
        "name": name,
        "stat_prefix": name,
        "address": socket_address(address.host, address.port),
        # With it, a second Envoy would silently take half of the calls. Without it, the workers share one socket, and
        # exact balance keeps one of them from taking all of the few connections that gRPC makes.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [
            {
                "transport_socket": tls.downstream(topology),
                "transport_socket_connect_timeout": seconds(HANDSHAKE_TIMEOUT),
                "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}],
            }
        ],
    }


def _connection_manager(
    topology: Topology, name: str, admission: list[Message], *, route_config: Message, request_timeout: timedelta
) -> Message:
    router = extension(
        "extensions.filters.http.router.v3.Router",
        # Neither callers nor services need to know how Envoy did it.
        suppress_envoy_headers=True,
    )
    return typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="HTTP2",
        http2_protocol_options=http2(CALLERS_WINDOW),
        common_http_protocol_options={
            "idle_timeout": seconds(CALLERS_IDLE),
            "max_connection_duration": seconds(CONNECTION_LIFE),
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        max_request_headers_kb=16,
        request_headers_timeout="10s",
        request_timeout=seconds(request_timeout),
        stream_idle_timeout=seconds(routes.STREAM_IDLE_TIMEOUT),
        drain_timeout=seconds(CONNECTION_DRAIN),
        normalize_path=True,
        merge_slashes=True,
        # A redirect would reach a gRPC client as INTERNAL.
        path_with_escaped_slashes_action="REJECT_REQUEST",
        use_remote_address=True,
        # An "internal" caller may set its x-request-id and steer retries and timeouts by x-envoy-* headers. An empty
        # list would make every private address internal, and loopback with it; this address is nobody's.
        internal_address_config={"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        generate_request_id=True,
        forward_client_cert_details="SANITIZE_SET",
        set_current_client_cert_details={"uri": True},
        server_header_transformation="PASS_THROUGH",
        # Envoy's own words hold addresses and the reasons of TLS; its flags are what a client translates.
        local_reply_config={
            "body_format": {"text_format_source": {"inline_string": "envoy: %RESPONSE_FLAGS%"}},
            "mappers": [request_size.answer(), rate_limits.answer()],
        },
        access_log=access_log(topology, name),
        http_filters=[*admission, *request_size.http_filters(), router],
        route_config=route_config,
    )
