"""The routes, as rendered from the action table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from envoy import routes
from envoy.topology import Address, Service, Topology
from services.base import actions
from services.base.actions import Method
from services.base.errors import OperatorError

TABLE = actions.load()
TOPOLOGY = Topology(
    config_dir="config",
    tls_dir="tls",
    admin_socket="admin.sock",
    dispatch=(Address("127.0.0.1", 1),),
    services=(
        Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("127.0.0.1", 2),)),
        Service("gitlab", ("papermesh.gitlab.v1.GitlabService",), (Address("127.0.0.1", 3),)),
    ),
)


def by_match(configuration: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (host,) = configuration["virtual_hosts"]
    return {next(iter(each["match"].values())): each["route"] for each in host["routes"]}


ENGINE = "/papermesh.engine.v1.EngineService/GetEngine"
EDGE = by_match(routes.edge(TABLE))
MESH = by_match(routes.mesh(TABLE, TOPOLOGY))


def methods(service: str, chosen: Callable[[Method], bool] = lambda _: True) -> list[Method]:
    return [each for each in TABLE.methods.values() if each.service == f"papermesh.{service}" and chosen(each)]


def test_the_edge_routes_dispatchs_methods_health_and_reflection_and_nothing_else() -> None:
    paths = {method.path for method in methods("dispatch.v1.DispatchService")}
    assert EDGE.keys() == paths | {"/grpc.health.v1.Health/", "/grpc.reflection."}
    assert {route["cluster"] for route in EDGE.values()} == {"dispatch"}


def test_the_mesh_routes_every_method_of_its_services_to_their_cluster() -> None:
    expected = {
        method.path: workload
        for workload, service in (("pdf", "pdf.v1.PdfService"), ("gitlab", "gitlab.v1.GitlabService"))
        for method in methods(service)
    }
    assert {path: route["cluster"] for path, route in MESH.items() if path != ENGINE} == expected


def test_the_engine_of_each_service_is_asked_for_by_its_name() -> None:
    (host,) = routes.mesh(TABLE, TOPOLOGY)["virtual_hosts"]
    engines = [each for each in host["routes"] if each["match"]["path"] == ENGINE]
    assert [(each["match"]["headers"], each["route"]["cluster"]) for each in engines] == [
        ([{"name": "x-service", "string_match": {"exact": "papermesh.pdf.v1.PdfService"}}], "pdf"),
        ([{"name": "x-service", "string_match": {"exact": "papermesh.gitlab.v1.GitlabService"}}], "gitlab"),
    ]
    assert ENGINE not in EDGE


@pytest.mark.parametrize("method", TABLE.methods.values(), ids=lambda method: method.path)
def test_a_method_may_run_for_its_own_timeout_and_a_grace_with_or_without_a_deadline(method: Method) -> None:
    route = EDGE.get(method.path) or MESH[method.path]
    limit = f"{method.timeout.total_seconds() + 1:g}s"
    assert route["max_stream_duration"] == {"max_stream_duration": limit, "grpc_timeout_header_max": limit}
    assert route["timeout"] == "0s", "it would answer UNAVAILABLE"


def test_a_long_stream_may_be_silent_as_long_as_it_may_last() -> None:
    watch = EDGE["/papermesh.dispatch.v1.DispatchService/WatchJob"]
    assert watch["idle_timeout"] == "0s"
    assert "idle_timeout" not in EDGE["/papermesh.dispatch.v1.DispatchService/Invoke"]


def test_nothing_is_retried_at_the_edge() -> None:
    assert not [path for path, route in EDGE.items() if "retry_policy" in route]
    assert "retry_policy" not in routes.edge(TABLE)["virtual_hosts"][0]


def test_on_the_mesh_exactly_the_methods_without_side_effects_are_retried() -> None:
    retried = {path for path, route in MESH.items() if "retry_policy" in route}
    assert retried == {
        method.path
        for service in ("pdf.v1.PdfService", "gitlab.v1.GitlabService", "engine.v1.EngineService")
        for method in methods(service, lambda method: method.read_only)
    }
    assert "/papermesh.gitlab.v1.GitlabService/RunGuide" not in retried


def test_a_retry_goes_to_another_host_and_only_after_a_failure_of_the_way() -> None:
    policy = MESH["/papermesh.pdf.v1.PdfService/GetMetadata"]["retry_policy"]
    assert policy["retry_on"] == "connect-failure,refused-stream,reset,unavailable,deadline-exceeded"
    assert policy["num_retries"] == 4
    assert policy["retry_host_predicate"][0]["name"] == "envoy.retry_host_predicates.previous_hosts"


def test_an_upload_has_its_methods_time_to_arrive() -> None:
    long = "/papermesh.dispatch.v1.DispatchService/PutDocument"
    service = TABLE.methods[long].service
    assert routes.request_timeout(TABLE, [service]) > TABLE.methods[long].timeout + routes.GRACE
    longer = replace(TABLE, methods={long: replace(TABLE.methods[long], timeout=timedelta(hours=1))})
    assert routes.request_timeout(longer, [service]) > timedelta(hours=1)
    assert routes.request_timeout(TABLE, []) > routes.STREAM_IDLE_TIMEOUT


def test_a_service_that_no_table_knows_is_one_clear_sentence() -> None:
    unknown = replace(TOPOLOGY, services=(Service("echo", ("acme.Echo",), (Address("127.0.0.1", 4),)),))
    with pytest.raises(OperatorError, match=r"serves acme\.Echo, which is not in the action table"):
        routes.mesh(TABLE, unknown)
