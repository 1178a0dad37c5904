"""What a kubelet and a scraper get from a running Envoy, over plain HTTP."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from envoy.topology import Address
from tests.envoy.harness import INVOKE, Mesh, eventually, running_mesh
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with running_mesh(tmp_path_factory.mktemp("m"), probe=Address("127.0.0.1", free_port())) as running:
        yield running


@pytest.fixture
def http(mesh: Mesh) -> Iterator[httpx.Client]:
    probe = mesh.envoy.topology.probe
    assert probe is not None
    with httpx.Client(base_url=f"http://{probe.host}:{probe.port}", timeout=10) as client:
        yield client


def test_it_is_ready_once_envoy_is(http: httpx.Client) -> None:
    answer = http.get("/ready")
    assert (answer.status_code, answer.text.strip()) == (200, "LIVE")


def test_the_counters_are_prometheus_text(mesh: Mesh, http: httpx.Client) -> None:
    mesh.call(INVOKE)
    text = http.get("/stats/prometheus").text
    assert 'envoy_cluster_upstream_rq_total{envoy_cluster_name="dispatch"}' in text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/stats",
        "/clusters",
        "/certs",
        "/config_dump",
        "/healthcheck/fail",
        "/drain_listeners",
        "/quitquitquit",
        "/ready/",
        "/ready/../certs",
        "/stats/prometheus?filter=.*",
        "//ready",
        "/%72eady",
    ],
)
def test_no_other_page_is_there(http: httpx.Client, path: str) -> None:
    # The target as it stands; httpx would tidy up a URL first.
    assert http.get("/ready", extensions={"target": path.encode()}).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_nothing_can_be_changed(http: httpx.Client, method: str) -> None:
    assert http.request(method, "/ready").status_code == 404


def test_what_it_shows_is_not_written_into_the_log_of_calls(mesh: Mesh, http: httpx.Client) -> None:
    http.get("/ready")
    mesh.call(INVOKE)
    eventually(lambda: any(line["path"] == INVOKE for line in mesh.envoy.access_log()))
    assert not [line for line in mesh.envoy.access_log() if line["path"] == "/ready"]


def test_an_envoy_that_refuses_calls_for_want_of_memory_is_still_ready(tmp_path: Path) -> None:
    address = Address("127.0.0.1", free_port())
    with running_mesh(tmp_path, probe=address, heap_limit_bytes=1_000_000) as short:
        eventually(lambda: short.envoy.counter("overload.envoy.overload_actions.stop_accepting_requests.active") == 1)
        assert short.refused(INVOKE).code() is grpc.StatusCode.UNAVAILABLE
        assert httpx.get(f"http://{address.host}:{address.port}/ready", timeout=10).status_code == 200


def test_a_draining_envoy_is_not_ready(tmp_path: Path) -> None:
    address = Address("127.0.0.1", free_port())
    with running_mesh(tmp_path, probe=address) as leaving:
        leaving.envoy.get("/healthcheck/fail", "POST")
        answer = httpx.get(f"http://{address.host}:{address.port}/ready", timeout=10)
        assert (answer.status_code, answer.text.strip()) == (503, "DRAINING")


def test_nobody_listens_unless_an_address_is_named(tmp_path: Path) -> None:
    with running_mesh(tmp_path) as mesh:
        assert "probe" not in mesh.envoy.get("/stats?filter=probe")[1]
