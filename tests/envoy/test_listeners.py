"""The listeners, as rendered: Envoy's list for edge proxies, item by item."""

from typing import Any

import pytest

from envoy.bootstrap import bootstrap
from envoy.topology import Address, Service, Topology
from services.base import actions

TOPOLOGY = Topology(
    config_dir="config",
    tls_dir="tls",
    admin_socket="admin.sock",
    dispatch=(Address("127.0.0.1", 1),),
    services=(Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("127.0.0.1", 2),)),),
)


@pytest.fixture(params=["edge", "mesh"])
def listener(request: pytest.FixtureRequest) -> dict[str, Any]:
    config = bootstrap(actions.load(), TOPOLOGY)
    (found,) = [each for each in config["static_resources"]["listeners"] if each["name"] == request.param]
    return found


@pytest.fixture
def manager(listener: dict[str, Any]) -> dict[str, Any]:
    (only,) = listener["filter_chains"][0]["filters"]
    return only["typed_config"]


@pytest.fixture
def tls(listener: dict[str, Any]) -> dict[str, Any]:
    return listener["filter_chains"][0]["transport_socket"]["typed_config"]


def test_the_listeners_are_on_loopback_unless_told_otherwise() -> None:
    addresses = [
        each["address"]["socket_address"]
        for each in bootstrap(actions.load(), TOPOLOGY)["static_resources"]["listeners"]
    ]
    assert addresses == [
        {"address": "127.0.0.1", "port_value": 8443},
        {"address": "127.0.0.1", "port_value": 8444},
    ]


def test_two_envoys_cannot_share_a_port(listener: dict[str, Any]) -> None:
    assert listener["enable_reuse_port"] is False


def test_a_connection_buffers_32_kib(listener: dict[str, Any]) -> None:
    assert listener["per_connection_buffer_limit_bytes"] == 32768


def test_a_handshake_is_bounded_in_time(listener: dict[str, Any]) -> None:
    assert listener["filter_chains"][0]["transport_socket_connect_timeout"] == "2s"


def test_only_http_2_within_limits_is_spoken(manager: dict[str, Any]) -> None:
    assert manager["codec_type"] == "HTTP2"
    options = manager["http2_protocol_options"]
    assert options["max_concurrent_streams"] == 100
    assert options["initial_stream_window_size"] == 65536
    assert options["initial_connection_window_size"] == 1048576
    assert options["connection_keepalive"] == {"interval": "30s", "timeout": "5s"}


def test_a_connection_lives_an_hour_at_most(manager: dict[str, Any]) -> None:
    options = manager["common_http_protocol_options"]
    assert options["max_connection_duration"] == "3600s"
    assert options["idle_timeout"] == "60s"
    assert manager["drain_timeout"] == "1s"


def test_streams_and_requests_are_bounded_in_time(listener: dict[str, Any], manager: dict[str, Any]) -> None:
    assert manager["stream_idle_timeout"] == "300s"
    assert manager["request_timeout"] == {"edge": "4s", "mesh": "302s"}[listener["name"]]
    assert manager["request_headers_timeout"] == "10s"


def test_headers_are_bounded_and_have_no_underscores(manager: dict[str, Any]) -> None:
    options = manager["common_http_protocol_options"]
    assert options["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert options["max_headers_count"] == 100
    assert manager["max_request_headers_kb"] == 16


def test_a_path_is_made_plain_before_anybody_judges_it(manager: dict[str, Any]) -> None:
    assert manager["normalize_path"] is True
    assert manager["merge_slashes"] is True
    assert manager["path_with_escaped_slashes_action"] == "REJECT_REQUEST"


def test_no_address_makes_a_caller_trusted(manager: dict[str, Any]) -> None:
    assert manager["use_remote_address"] is True
    assert manager["internal_address_config"]["cidr_ranges"] == [
        {"address_prefix": "255.255.255.255", "prefix_len": 32}
    ]


def test_a_call_gets_its_id_at_the_edge_alone() -> None:
    ids = {}
    for each in bootstrap(actions.load(), TOPOLOGY)["static_resources"]["listeners"]:
        config = each["filter_chains"][0]["filters"][0]["typed_config"]
        assert config["generate_request_id"] is True
        ids[each["name"]] = config["preserve_external_request_id"]
    assert ids == {"edge": False, "mesh": True}


def test_the_certificate_header_is_envoys_own_and_holds_the_uri_alone(manager: dict[str, Any]) -> None:
    assert manager["forward_client_cert_details"] == "SANITIZE_SET"
    assert manager["set_current_client_cert_details"] == {"uri": True}


def test_answers_do_not_name_the_server(manager: dict[str, Any]) -> None:
    assert manager["server_header_transformation"] == "PASS_THROUGH"
    assert manager["http_filters"][-1]["typed_config"]["suppress_envoy_headers"] is True
    body = manager["local_reply_config"]["body_format"]["text_format_source"]["inline_string"]
    assert body == "envoy: %RESPONSE_FLAGS%"


def test_access_control_comes_first_and_the_flood_limit_of_the_edge_before_anything_is_passed_on(
    listener: dict[str, Any], manager: dict[str, Any]
) -> None:
    flood_limit = ["envoy.filters.http.local_ratelimit"] if listener["name"] == "edge" else []
    assert [each["name"] for each in manager["http_filters"]] == [
        "envoy.filters.http.rbac",
        *flood_limit,
        "envoy.filters.http.match_delegate",
        "envoy.filters.http.body_size_limit",
        "envoy.filters.http.router",
    ]


def test_requests_of_one_message_are_bounded_and_none_is_held(manager: dict[str, Any]) -> None:
    names = [each["name"] for each in manager["http_filters"]]
    assert "envoy.filters.http.buffer" not in names
    (host,) = manager["route_config"]["virtual_hosts"]
    free = {next(iter(each["match"].values())): "typed_per_filter_config" in each for each in host["routes"]}
    table = actions.load()
    assert all(
        is_free is table.methods[path].client_streaming for path, is_free in free.items() if path in table.methods
    )
    assert all(is_free for path, is_free in free.items() if path not in table.methods)


def test_every_caller_shows_a_certificate_of_this_namespace_over_tls_1_3(tls: dict[str, Any]) -> None:
    common = tls["common_tls_context"]
    assert tls["require_client_certificate"] is True
    assert common["tls_params"] == {
        "tls_minimum_protocol_version": "TLSv1_3",
        "tls_maximum_protocol_version": "TLSv1_3",
    }
    assert common["alpn_protocols"] == ["h2"]
    matches = common["combined_validation_context"]["default_validation_context"]["match_typed_subject_alt_names"]
    assert matches == [{"san_type": "URI", "matcher": {"prefix": "spiffe://papermesh/ns/default/"}}]


def test_no_session_is_resumed_past_the_check_of_its_certificate(tls: dict[str, Any]) -> None:
    assert tls["disable_stateless_session_resumption"] is True
    assert tls["disable_stateful_session_resumption"] is True


def test_the_access_log_goes_to_standard_output_unless_a_file_is_named(manager: dict[str, Any]) -> None:
    (logger,) = manager["access_log"]
    assert logger["name"] == "envoy.access_loggers.stdout"
