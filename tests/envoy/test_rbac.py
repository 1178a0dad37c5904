"""Who may call what, as rendered."""

from dataclasses import replace
from typing import Any

from envoy import rbac
from envoy.topology import Address, Service, Topology

ID = "spiffe://papermesh/ns/default"
PDF = Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("127.0.0.1", 2),))
GITLAB = Service("gitlab", ("papermesh.gitlab.v1.GitlabService",), (Address("127.0.0.1", 3),), ("dispatch", "worker"))
TOPOLOGY = Topology(
    config_dir="config",
    tls_dir="tls",
    admin_socket="admin.sock",
    dispatch=(Address("127.0.0.1", 1),),
    services=(PDF, GITLAB),
)


def principals(filter_: dict[str, Any]) -> dict[str, list[str]]:
    rules = filter_["typed_config"]["rules"]
    assert rules["action"] == "ALLOW", "what no policy allows is refused"
    return {
        name: [next(iter(each["authenticated"]["principal_name"].items())) for each in policy["principals"]]
        for name, policy in rules["policies"].items()
    }


def test_the_edge_lets_the_adapter_the_operator_and_clients_in() -> None:
    callers = [("exact", f"{ID}/sa/adapter"), ("exact", f"{ID}/sa/operator"), ("prefix", f"{ID}/client/")]
    assert principals(rbac.edge(TOPOLOGY)) == {
        "dispatch": callers,
        "operator": [("exact", f"{ID}/sa/operator")],
        "unknown": callers,
    }


def test_a_service_is_open_to_its_callers_alone() -> None:
    found = principals(rbac.mesh(TOPOLOGY))
    assert found["pdf"] == [("exact", f"{ID}/sa/dispatch")]
    assert found["gitlab"] == [("exact", f"{ID}/sa/dispatch"), ("exact", f"{ID}/sa/worker")]


def test_the_operator_is_a_caller_of_every_service_where_the_topology_says_so() -> None:
    found = principals(rbac.mesh(replace(TOPOLOGY, operator_on_mesh=True)))
    assert all(("exact", f"{ID}/sa/operator") in callers for callers in found.values())


def test_a_listeners_callers_pass_for_paths_that_nothing_serves_and_for_no_other() -> None:
    policies = rbac.mesh(TOPOLOGY)["typed_config"]["rules"]["policies"]
    (permission,) = policies["unknown"]["permissions"]
    excluded = permission["not_rule"]["or_rules"]["rules"]
    assert [each["url_path"]["path"]["prefix"] for each in excluded if "url_path" in each] == [
        "/papermesh.pdf.v1.PdfService/",
        "/papermesh.gitlab.v1.GitlabService/",
    ]
    engines = [each["and_rules"]["rules"] for each in excluded if "and_rules" in each]
    assert [(path["url_path"]["path"]["prefix"], asked["header"]["string_match"]) for path, asked in engines] == [
        ("/papermesh.engine.v1.EngineService/", {"exact": "papermesh.pdf.v1.PdfService"}),
        ("/papermesh.engine.v1.EngineService/", {"exact": "papermesh.gitlab.v1.GitlabService"}),
    ]


def test_a_mesh_without_services_lets_nobody_in() -> None:
    assert principals(rbac.mesh(replace(TOPOLOGY, services=()))) == {}
