"""Alerts are on what Envoy really counts, by the labels that it really has."""

import re
from collections.abc import Iterator

import httpx
import pytest

from envoy.topology import Address
from tests.deploy.helm.chart import Object, render
from tests.envoy.harness import running_mesh
from tests.support.ports import free_port

_ASKED = re.compile(r"(envoy_\w+)\{namespace=\"demo\", service=\"pm-envoy\"\}")


@pytest.fixture(scope="module")
def counters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What a running Envoy shows to Prometheus."""
    with running_mesh(tmp_path_factory.mktemp("m"), probe=Address("127.0.0.1", free_port())) as mesh:
        probe = mesh.envoy.topology.probe
        assert probe is not None
        yield httpx.get(f"http://{probe.host}:{probe.port}/stats/prometheus", timeout=10).text


def alerts() -> list[Object]:
    (rules,) = render("production").of("PrometheusRule").values()
    (group,) = rules["spec"]["groups"]
    found: list[Object] = group["rules"]
    return found


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_envoy_counts(alert: Object, counters: str) -> None:
    asked = _ASKED.findall(alert["expr"])
    assert asked
    assert alert["expr"].count("envoy_") - alert["expr"].count("envoy_cluster_name") == len(asked)
    for name in asked:
        label = '{envoy_cluster_name="dispatch"}' if "by (envoy_cluster_name)" in alert["expr"] else "{}"
        assert re.search(rf"^{re.escape(name + label)} \d+$", counters, re.MULTILINE), name


def test_each_alert_says_what_it_means() -> None:
    for alert in alerts():
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in {"warning", "critical"}


def test_there_are_none_unless_they_are_asked_for() -> None:
    assert not render().of("PrometheusRule")
    assert not render().of("ServiceMonitor")
