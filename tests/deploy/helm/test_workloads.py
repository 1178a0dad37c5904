"""One entry in the list of workloads is all that the chart needs of one."""

import shutil

import pytest
import yaml

from deploy.workloads import SERVICES, Workload, for_the_chart
from tests.deploy.helm.chart import CHART, NAMESPACE, RELEASE, Rendered, environment, run

WORKER = Workload("worker", "services.worker", callees=("pdf",), blobs="read", redis=("state",))
GITLAB = Workload("gitlab", "services.gitlab", 9103, ("papermesh.gitlab.v1.GitlabService",), blobs="write")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The chart with two more workloads, and no value that says anything about them."""
    copy = shutil.copytree(CHART, tmp_path_factory.mktemp("chart") / "papermesh")
    (copy / "files" / "workloads.yaml").write_text(for_the_chart((*SERVICES, WORKER, GITLAB)), encoding="utf-8")
    done = run("template", RELEASE, str(copy), "--namespace", NAMESPACE)
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each))


def test_a_service_and_a_worker_have_pods_that_run_their_modules(rendered: Rendered) -> None:
    for each in (WORKER, GITLAB):
        (container,) = rendered.pod("Deployment", each.name)["containers"]
        assert container["command"] == ["python", "-m", each.module]


def test_a_service_is_told_its_port_and_a_worker_whom_to_call_and_where_the_state_is(rendered: Rendered) -> None:
    told = {name: environment(rendered.pod("Deployment", name)["containers"][0]) for name in ("gitlab", "worker")}
    assert told["gitlab"]["PAPERMESH_GITLAB_PORT"] == "9103"
    assert "PAPERMESH_MESH_ADDRESS" not in told["gitlab"]
    assert told["worker"]["PAPERMESH_MESH_ADDRESS"] == "pm-envoy.demo.svc.cluster.local:8444"
    assert {"PAPERMESH_REDIS_STATE_URL", "PAPERMESH_BLOBS_URL"} <= told["worker"].keys()
    assert "PAPERMESH_WORKER_PORT" not in told["worker"]


def test_both_have_certificates_and_only_the_service_is_called(rendered: Rendered) -> None:
    _, certificates = (environment(each) for each in rendered.pod("Job", "setup")["containers"])
    assert certificates["PAPERMESH_WORKLOADS"] == "adapter,dispatch,envoy,operator,gitlab,pdf,worker"
    assert "gitlab" in rendered.of("Service")
    assert "worker" not in rendered.of("Service")
    topology = yaml.safe_load(rendered.one("ConfigMap", "envoy-topology")["data"]["topology.yaml"])
    callers = {each["workload"]: each["callers"] for each in topology["services"]}
    assert callers == {"gitlab": ["dispatch"], "pdf": ["dispatch", "worker"]}
