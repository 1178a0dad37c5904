"""The table of allowed paths, as the NetworkPolicies have it. That a cluster enforces them is tested on a cluster."""

import pytest

from tests.deploy.helm.chart import RELEASE, VALUES, Object, Rendered, render

Path = tuple[str, str, int]
"""Who, to whom, on which port."""

_HOOKS = {"setup", "setup-handshakes"}
"""There while the setup Job runs."""

DEFAULT: set[Path] = {
    ("test", "adapter", 9000),
    ("test", "envoy", 8443),
    ("adapter", "envoy", 8443),
    ("envoy", "dispatch", 9101),
    ("dispatch", "envoy", 8444),
    ("envoy", "pdf", 9102),
    ("dispatch", "redis-state", 6379),
    ("dispatch", "redis-cache", 6379),
}


def standing(rendered: Rendered) -> dict[str, Object]:
    """The policies that stay, by part."""
    found = rendered.of("NetworkPolicy")
    return {name: each["spec"] for name, each in found.items() if name not in _HOOKS}


def peers(rule: Object, key: str) -> list[str]:
    """The parts that a rule names; "outside" for what is no pod of the release."""
    names = []
    for peer in rule.get(key, ()):
        labels = peer.get("podSelector", {}).get("matchLabels", {})
        ours = labels.get("app.kubernetes.io/instance") == RELEASE and "namespaceSelector" not in peer
        names.append(labels["app.kubernetes.io/component"] if ours else "outside")
    return names


def let_in(rendered: Rendered) -> set[Path]:
    """What the ingress rules open."""
    return {
        (peer, part, port["port"])
        for part, policy in standing(rendered).items()
        for rule in policy.get("ingress", ())
        for peer in peers(rule, "from")
        for port in rule["ports"]
    }


def let_out(rendered: Rendered) -> set[Path]:
    """What the egress rules open."""
    return {
        (part, peer, port["port"])
        for part, policy in standing(rendered).items()
        for rule in policy.get("egress", ())
        for peer in peers(rule, "to")
        for port in rule["ports"]
    }


@pytest.mark.parametrize("name", VALUES)
def test_every_pod_is_closed_to_begin_with(name: str) -> None:
    closed = standing(render(name))["closed"]
    assert closed == {
        "podSelector": {
            "matchLabels": {"app.kubernetes.io/name": "papermesh", "app.kubernetes.io/instance": RELEASE},
        },
        "policyTypes": ["Ingress", "Egress"],
    }


@pytest.mark.parametrize("name", VALUES)
def test_each_path_inside_is_open_on_both_ends_or_on_none(name: str) -> None:
    rendered = render(name)
    assert {path for path in let_in(rendered) if path[0] != "outside"} == {
        path for path in let_out(rendered) if path[1] != "outside"
    }


@pytest.mark.parametrize("name", VALUES)
def test_no_rule_forgets_its_peers_or_its_ports(name: str) -> None:
    """Either would open the way for everybody, or to everything."""
    for part, policy in standing(render(name)).items():
        for direction, key in (("ingress", "from"), ("egress", "to")):
            for rule in policy.get(direction, ()):
                assert rule.get(key), (part, direction)
                assert rule["ports"], (part, direction)


def test_these_paths_are_open_and_no_others() -> None:
    rendered = render()
    assert let_in(rendered) == DEFAULT
    assert {path for path in let_out(rendered) if path[1] != "outside"} == DEFAULT
    names = {("adapter", "outside", 53), ("dispatch", "outside", 53), ("envoy", "outside", 53), ("test", "outside", 53)}
    assert {path for path in let_out(rendered) if path[1] == "outside"} == names


def test_the_document_engine_reaches_nobody() -> None:
    assert "egress" not in standing(render())["pdf"]


def test_redis_reaches_nobody() -> None:
    policies = standing(render())
    assert "egress" not in policies["redis-state"]
    assert "egress" not in policies["redis-cache"]


def test_what_a_company_adds_is_open_besides() -> None:
    outside = {path for path in let_in(render("production")) | let_out(render("production")) if "outside" in path}
    names = {(part, "outside", 53) for part in ("adapter", "dispatch", "envoy", "pdf", "reindex", "test", "wordcount")}
    assert outside - names == {
        ("outside", "adapter", 9000),
        ("outside", "envoy", 8443),
        ("outside", "envoy", 9901),
        ("adapter", "outside", 443),
        ("dispatch", "outside", 443),
        ("pdf", "outside", 443),
    }


def test_a_service_is_reached_by_envoy_alone_and_calls_through_it() -> None:
    inside = {path for path in let_in(render("production")) if {"wordcount", "reindex"} & set(path)}
    assert inside == {("envoy", "wordcount", 9110), ("wordcount", "envoy", 8444), ("reindex", "envoy", 8444)}


def test_an_external_redis_is_reached_on_its_port_alone() -> None:
    assert ("dispatch", "outside", 6380) in let_out(render("external-everything"))
    assert not {path for path in let_in(render("external-everything")) if path[2] == 6379}


def test_the_collector_is_reached_by_every_part_but_redis() -> None:
    rendered = render(networkPolicy__otlp=[{"ipBlock": {"cidr": "10.9.0.0/16"}}])
    to_collector = {part for part, peer, port in let_out(rendered) if (peer, port) == ("outside", 4317)}
    assert to_collector == {"adapter", "dispatch", "envoy", "pdf"}


@pytest.mark.parametrize("part", ["adapter", "dispatch", "envoy", "services.pdf"])
def test_a_way_out_of_a_part_is_its_own(part: str) -> None:
    rule = {"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    rendered = render(**{f"{part.replace('.', '__')}__egress": [rule]})
    assert {source for source, _, port in let_out(rendered) if port == 8080} == {part.removeprefix("services.")}


def test_a_service_reaches_the_redis_that_its_entry_names_and_no_other() -> None:
    rendered = render("production", services__reindex__redis=["state"])
    to_redis = {path for path in let_in(rendered) if path[2] == 6379 and path[0] != "dispatch"}
    assert to_redis == {("reindex", "redis-state", 6379)}
    assert to_redis <= let_out(rendered)
    external = render("external-everything", services__pdf__redis=["cache"])
    assert ("pdf", "outside", 6380) in let_out(external)


def test_outside_the_cluster_only_the_edge_listener_is_offered() -> None:
    """The mesh listener and the counters have no business there."""
    services = render("production").of("Service")
    open_to_outside = {name: each["spec"] for name, each in services.items() if each["spec"].get("type") != "ClusterIP"}
    outward = {name for name, spec in open_to_outside.items() if spec.get("clusterIP") != "None"}
    assert outward == {"edge"}
    assert [port["targetPort"] for port in services["edge"]["spec"]["ports"]] == [8443]


def test_the_setup_jobs_ways_are_gone_when_it_has_ended() -> None:
    for name in _HOOKS:
        annotations = render().one("NetworkPolicy", name)["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "hook-succeeded" in annotations["helm.sh/hook-delete-policy"]


def test_without_policies_there_are_none() -> None:
    assert not render(networkPolicy__enabled=False).of("NetworkPolicy")
