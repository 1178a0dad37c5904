from pathlib import Path

import pytest

from deploy.workloads import SERVICES
from envoy import binary
from envoy.topology import Topology, load
from envoy.validate import validate_topology
from services.base import actions
from services.base.errors import OperatorError
from tests.deploy.helm.chart import VALUES, Object, Rendered, render


def topology(rendered: Rendered, folder: Path) -> Topology:
    """What the chart's ConfigMap says, read as Envoy's init container reads it."""
    file = folder / "topology.yaml"
    file.write_text(rendered.one("ConfigMap", "envoy-topology")["data"]["topology.yaml"], encoding="utf-8")
    return load(file)


def parts(rendered: Rendered) -> dict[str, Object]:
    spec = rendered.pod("Deployment", "envoy")
    return {each["name"]: each for each in [*spec["initContainers"], *spec["containers"]]}


@pytest.mark.parametrize("name", VALUES)
def test_the_topology_is_one(name: str, tmp_path: Path) -> None:
    rendered = render(name)
    found = topology(rendered, tmp_path)
    assert found.namespace == "demo"
    assert not found.operator_on_mesh
    ports = {service["metadata"]["name"]: service["spec"]["ports"] for service in rendered.of("Service").values()}
    for part, endpoints in (
        ("dispatch", found.dispatch),
        *((each.workload, each.endpoints) for each in found.services),
    ):
        (endpoint,) = endpoints
        assert endpoint.host == f"pm-{part}.demo.svc.cluster.local"
        assert endpoint.port == ports[f"pm-{part}"][0]["port"]


def test_envoy_accepts_what_is_rendered_of_it(tmp_path: Path) -> None:
    assert not validate_topology(binary.find(), topology(render(), tmp_path), actions.load())


def test_whoever_names_a_callee_may_call_it(tmp_path: Path) -> None:
    callers = {each.workload: set(each.callers) for each in topology(render("production"), tmp_path).services}
    assert callers == {"pdf": {"dispatch", "reindex", "wordcount"}, "wordcount": {"dispatch"}}


def test_it_serves_what_a_laptop_serves(tmp_path: Path) -> None:
    here = {service.name: service.proto_services for service in SERVICES}
    assert {each.workload: each.serves for each in topology(render(), tmp_path).services} == here


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"protoServices": ["papermesh.pdf.v1.PdfService"]}, "a gRPC service is served by two workloads"),
        ({"protoServices": []}, r"services\.1\.serves: .*at least 1 item"),
    ],
)
def test_services_among_which_it_could_not_choose_are_refused_before_it_starts(
    entry: Object, told: str, tmp_path: Path
) -> None:
    """By the container that renders its configuration; the pods of before go on."""
    with pytest.raises(OperatorError, match=told):
        topology(render(services__wordcount={"command": ["wordcount"], "port": 9110, **entry}), tmp_path)


def test_its_heap_ends_a_fifth_below_the_containers_limit(tmp_path: Path) -> None:
    assert topology(render(), tmp_path).heap_limit_bytes == 512 * 1024 * 1024 * 4 // 5


def test_its_command_line_is_that_of_a_laptop_but_for_the_paths() -> None:
    found = parts(render())["envoy"]["command"]
    assert sorted(found) == sorted(binary.command(Path("envoy"), Path("/etc/papermesh/envoy/envoy.yaml")))


def test_it_is_ended_after_its_drain() -> None:
    """The kubelet ends sidecars when all other containers have ended; preStop hooks all begin at once."""
    rendered = parts(render())
    assert rendered["envoy"]["restartPolicy"] == "Always"
    assert "lifecycle" not in rendered["envoy"]
    hook = rendered["drain"]["lifecycle"]["preStop"]["exec"]["command"]
    assert hook == [
        *("python", "-m", "envoy", "drain", "--admin-socket=/run/papermesh/admin.sock"),
        *("--notice-s=6", "--timeout-s=50"),
    ]
    assert "restartPolicy" not in rendered["drain"]


def test_the_admin_socket_is_shared_by_two_containers_of_one_user() -> None:
    rendered = render()
    assert rendered.pod("Deployment", "envoy")["securityContext"]["runAsUser"] == 101
    for name in ("envoy", "drain"):
        assert {"name": "run", "mountPath": "/run/papermesh"} in parts(rendered)[name]["volumeMounts"]


def test_a_changed_topology_starts_it_anew_and_a_rotation_does_not() -> None:
    def checksums(**values: object) -> dict[str, str]:
        found: dict[str, str] = render(**values).one("Deployment", "envoy")["spec"]["template"]["metadata"][
            "annotations"
        ]
        return found

    assert checksums() == checksums(certificates__rotate={"leaves": "today", "ca": "today"})
    assert checksums() != checksums(services__pdf__port=9103)


def test_descriptors_of_a_service_reach_envoy_and_dispatch() -> None:
    rendered = render("production")
    path = "/etc/papermesh/descriptors/wordcount/wordcount.binpb"
    assert f"--descriptors={path}" in parts(rendered)["render"]["command"]
    told = rendered.pod("Deployment", "dispatch")["containers"][0]["env"]
    assert {"name": "PAPERMESH_DESCRIPTORS", "value": path} in told
