"""The clusters, the secrets and the overload manager, as rendered."""

from dataclasses import replace
from typing import Any

import pytest

from envoy import tls
from envoy.bootstrap import bootstrap
from envoy.clusters import all_clusters
from envoy.overload import overload_manager, runtime
from envoy.topology import Address, Service, Topology
from services.base import actions

TOPOLOGY = Topology(
    config_dir="config",
    tls_dir="tls",
    admin_socket="admin.sock",
    dispatch=(Address("127.0.0.1", 1), Address("::1", 2)),
    services=(Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("pdf.papermesh.svc", 3),)),),
    heap_limit_bytes=1000,
    connection_limit=100,
)
DISPATCH, PDF = all_clusters(TOPOLOGY)

both = pytest.mark.parametrize("cluster", [DISPATCH, PDF], ids=["dispatch", "pdf"])


def test_addresses_are_called_as_they_are() -> None:
    assert DISPATCH["type"] == "STATIC"
    endpoints = DISPATCH["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert [each["endpoint"]["address"]["socket_address"]["port_value"] for each in endpoints] == [1, 2]


def test_names_are_resolved_every_two_seconds_whatever_their_records_say() -> None:
    config = PDF["cluster_type"]["typed_config"]
    assert config["all_addresses_in_single_endpoint"] is False, "strict DNS: a host for each address"
    assert config["dns_refresh_rate"] == "2s"
    assert config["respect_dns_ttl"] is False
    assert PDF["ignore_health_on_host_removal"] is True


@both
def test_no_call_goes_to_a_host_that_is_known_to_be_ill(cluster: dict[str, Any]) -> None:
    assert cluster["common_lb_config"]["healthy_panic_threshold"] == {"value": 0}


@both
def test_what_is_learnt_of_a_host_holds_at_once(cluster: dict[str, Any]) -> None:
    assert cluster["common_lb_config"]["update_merge_window"] == "0s", "Envoy's default holds it back for a second"


@both
def test_health_is_asked_every_second_over_http_2(cluster: dict[str, Any]) -> None:
    (check,) = cluster["health_checks"]
    assert check["grpc_health_check"] == {}
    assert check["tls_options"] == {"alpn_protocols": ["h2"]}
    assert check["interval"] == check["no_traffic_interval"] == check["timeout"] == "1s"


def test_a_service_that_failed_is_believed_the_second_time_and_dispatch_at_once() -> None:
    assert PDF["health_checks"][0]["healthy_threshold"] == 2
    assert DISPATCH["health_checks"][0]["healthy_threshold"] == 1


def test_a_dispatch_that_is_out_is_asked_often_and_put_out_no_sooner_for_it() -> None:
    (check,) = DISPATCH["health_checks"]
    assert check["unhealthy_interval"] == "0.25s"
    assert check["unhealthy_edge_interval"] == check["interval"]


@both
def test_ejection_may_take_every_host_and_outlasts_a_passing_health_check(cluster: dict[str, Any]) -> None:
    detection = cluster["outlier_detection"]
    assert detection["max_ejection_percent"] == 100
    assert detection["split_external_local_origin_errors"] is True
    assert detection["successful_active_health_check_uneject_host"] is False
    assert detection["enforcing_consecutive_local_origin_failure"] == 100


@both
def test_neither_5xx_nor_shares_of_failures_eject(cluster: dict[str, Any]) -> None:
    detection = cluster["outlier_detection"]
    assert detection["enforcing_consecutive_5xx"] == 0
    assert detection["enforcing_failure_percentage"] == 0
    assert detection["enforcing_success_rate"] == 0


def test_three_gateway_failures_eject_a_service_and_never_dispatch() -> None:
    assert PDF["outlier_detection"]["consecutive_gateway_failure"] == 3
    assert PDF["outlier_detection"]["enforcing_consecutive_gateway_failure"] == 100
    assert DISPATCH["outlier_detection"]["enforcing_consecutive_gateway_failure"] == 0


@both
def test_breakers_bound_calls_connections_and_retries(cluster: dict[str, Any]) -> None:
    (breaker,) = cluster["circuit_breakers"]["thresholds"]
    assert breaker == {
        "max_connections": 256,
        "max_pending_requests": 16_384,
        "max_requests": 16_384,
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 50},
    }


@both
def test_a_connection_is_http_2_with_pings_small_buffers_and_an_end(cluster: dict[str, Any]) -> None:
    assert cluster["per_connection_buffer_limit_bytes"] == 32768
    options = cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    assert options["common_http_protocol_options"]["max_connection_duration"] == "3600s"
    http2 = options["explicit_http_config"]["http2_protocol_options"]
    assert http2["initial_stream_window_size"] == 65536
    assert http2["initial_connection_window_size"] == http2["max_concurrent_streams"] * 65536, "no call stops another"
    assert http2["connection_keepalive"] == {"interval": "30s", "timeout": "5s"}


@both
def test_a_backend_must_show_the_certificate_of_its_workload(cluster: dict[str, Any]) -> None:
    common = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    uri = f"spiffe://papermesh/ns/default/sa/{cluster['name']}"
    assert common["combined_validation_context"]["default_validation_context"]["match_typed_subject_alt_names"] == [
        {"san_type": "URI", "matcher": {"exact": uri}}
    ]
    assert common["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
    assert common["alpn_protocols"] == ["h2"]
    assert common["tls_certificate_sds_secret_configs"][0]["name"] == "envoy"


@both
def test_secrets_come_from_files_in_a_watched_folder(cluster: dict[str, Any]) -> None:
    common = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    sources = [
        common["tls_certificate_sds_secret_configs"][0],
        common["combined_validation_context"]["validation_context_sds_secret_config"],
    ]
    for source, file in zip(sources, (tls.CERTIFICATE_FILE, tls.TRUST_FILE), strict=True):
        assert source["sds_config"]["path_config_source"] == {
            "path": f"config/{file}",
            "watched_directory": {"path": "config"},
        }


def test_both_secrets_watch_the_folder_of_the_certificate() -> None:
    files = tls.secrets(TOPOLOGY)
    certificate = files[tls.CERTIFICATE_FILE]["resources"][0]["tls_certificate"]
    trust = files[tls.TRUST_FILE]["resources"][0]["validation_context"]
    assert certificate["watched_directory"] == trust["watched_directory"] == {"path": "tls"}
    assert certificate["certificate_chain"] == {"filename": "tls/tls.crt"}
    assert certificate["private_key"] == {"filename": "tls/tls.key"}
    assert trust["trusted_ca"] == {"filename": "tls/ca.crt"}


def test_the_heap_is_shrunk_at_95_percent_and_calls_are_refused_at_98() -> None:
    manager = overload_manager(TOPOLOGY)
    heap, connections = (each["typed_config"] for each in manager["resource_monitors"])
    assert heap["max_heap_size_bytes"] == 1000
    assert connections["max_active_downstream_connections"] == 100
    thresholds = {
        each["name"].rsplit(".", 1)[1]: each["triggers"][0]["threshold"]["value"]
        for each in (*manager["actions"], *manager["loadshed_points"])
    }
    assert thresholds == {
        "shrink_heap": 0.95,
        "stop_accepting_requests": 0.98,
        "tcp_listener_accept": 0.98,
        "http_connection_manager_decode_headers": 0.98,
    }


def test_each_listener_takes_half_of_the_connections() -> None:
    (layer,) = runtime(TOPOLOGY)["layers"]
    limits = layer["static_layer"]["envoy"]["resource_limits"]["listener"]
    assert limits == {"edge": {"connection_limit": 50}, "mesh": {"connection_limit": 50}}
    (layer,) = runtime(replace(TOPOLOGY, connection_limit=1))["layers"]
    assert layer["static_layer"]["envoy"]["resource_limits"]["listener"]["edge"] == {"connection_limit": 1}


def test_the_admin_interface_is_a_private_socket_with_a_short_list_of_pages() -> None:
    admin = bootstrap(actions.load(), TOPOLOGY)["admin"]
    assert admin["address"] == {"pipe": {"path": "admin.sock", "mode": 0o600}}
    assert len(admin["allow_paths"]) == 1
    assert admin["ignore_global_conn_limit"] is True
