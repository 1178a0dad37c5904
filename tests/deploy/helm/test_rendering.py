import json
import shutil
from pathlib import Path

import pytest

from tests.deploy.helm.chart import CHART, NAMESPACE, RELEASE, VALUES, render, run, template


@pytest.mark.parametrize("name", VALUES)
def test_helm_lint_finds_nothing_to_complain_of(name: str) -> None:
    done = run("lint", str(CHART), "--strict", "--values", str(CHART / "ci" / f"{name}.yaml"))
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("name", VALUES)
def test_every_object_bears_the_release_in_its_name_and_the_labels_of_kubernetes(name: str) -> None:
    for each in render(name).objects:
        metadata = each["metadata"]
        assert metadata["name"].startswith(f"{RELEASE}-")
        assert metadata["namespace"] == NAMESPACE
        labels = metadata["labels"]
        assert labels["app.kubernetes.io/name"] == "papermesh"
        assert labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/component"]


def test_another_chart_can_have_it_among_its_dependencies(tmp_path: Path) -> None:
    """With a condition, and values for all of its parts."""
    shutil.copytree(CHART, tmp_path / "charts" / "papermesh")
    dependency = {"name": "papermesh", "version": "0.1.0", "condition": "papermesh.enabled"}
    about = {"apiVersion": "v2", "name": "around", "version": "0.0.1", "dependencies": [dependency]}
    (tmp_path / "Chart.yaml").write_text(json.dumps(about), encoding="utf-8")

    def kinds(enabled: str) -> int:
        done = run("template", RELEASE, str(tmp_path), "--set", f"global.anything=1,papermesh.enabled={enabled}")
        assert done.returncode == 0, done.stderr
        return done.stdout.count("\nkind: ")

    assert kinds("true") == template().stdout.count("\nkind: ")
    assert kinds("false") == 0


@pytest.mark.parametrize("name", VALUES)
def test_no_object_is_there_twice(name: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in render(name).objects]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", VALUES)
def test_two_renderings_are_the_same(name: str) -> None:
    """No `lookup`, no random text: whoever renders in a pipeline sees no change where there is none."""
    arguments = ("--values", str(CHART / "ci" / f"{name}.yaml"))
    assert template(*arguments).stdout == template(*arguments).stdout


@pytest.mark.parametrize("name", VALUES)
def test_what_is_rendered_reads_well(name: str) -> None:
    """No empty lines where something was left out, and no comment of a template's own."""
    lines = template("--values", str(CHART / "ci" / f"{name}.yaml")).stdout.splitlines()
    assert [line for line in lines if line != line.rstrip() or "{{" in line.split(" summary:")[0]] == []


def test_a_kubernetes_before_1_29_is_refused() -> None:
    assert run("template", RELEASE, str(CHART)).returncode == 0
    assert "requires kubeVersion: >= 1.29.0" in run("template", RELEASE, str(CHART), kubernetes="1.28.9").stderr


def test_labels_and_annotations_of_a_companys_own_are_everywhere() -> None:
    rendered = render("production")
    for each in rendered.objects:
        assert each["metadata"]["labels"]["team"] == "documents"
        assert each["metadata"]["annotations"]["contact"] == "documents@corp.example"
    for _, pod in rendered.pods():
        assert pod["metadata"]["labels"]["team"] == "documents"
        assert pod["metadata"]["annotations"]["contact"] == "documents@corp.example"


def test_the_document_of_helm_test_is_the_sample() -> None:
    own = CHART.parents[2] / "samples" / "leave-policy.pdf"
    assert (CHART / "files" / "leave-policy.pdf").read_bytes() == own.read_bytes()


def test_what_is_kept_when_the_release_goes_says_so() -> None:
    for claim in render().of("PersistentVolumeClaim").values():
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_template_of_redis_claim_knows_no_version() -> None:
    """It cannot be changed once it is there."""
    (claim,) = render().one("StatefulSet", "redis-state")["spec"]["volumeClaimTemplates"]
    assert set(claim["metadata"]["labels"]) == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
    }


def test_a_service_that_is_scaled_by_its_load_has_no_fixed_number() -> None:
    rendered = render()
    assert "replicas" not in rendered.one("Deployment", "pdf")["spec"]
    scaler = rendered.one("HorizontalPodAutoscaler", "pdf")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    fixed = render(services__pdf__autoscaling__enabled=False)
    assert fixed.one("Deployment", "pdf")["spec"]["replicas"] == 2
    assert "pdf" not in fixed.of("HorizontalPodAutoscaler")


def test_the_http_port_is_the_first_of_the_adapters_service() -> None:
    assert render().one("Service", "adapter")["spec"]["ports"][0]["name"] == "http"


@pytest.mark.parametrize("name", VALUES)
def test_a_port_says_whether_it_speaks_tls(name: str) -> None:
    """A mesh around ours goes by it: what it takes for plain gRPC it would look into."""
    for service in render(name).of("Service").values():
        for port in service["spec"]["ports"]:
            plain = {"http": "http", "metrics": "http", "redis": None}
            assert port.get("appProtocol") == plain.get(port["name"], "https")


def test_only_what_envoy_balances_over_is_headless() -> None:
    services = render("production").of("Service")
    headless = {name for name, service in services.items() if service["spec"].get("clusterIP") == "None"}
    assert headless == {"dispatch", "pdf", "wordcount"}


def test_a_rolling_update_fits_into_a_core_and_a_half() -> None:
    """What all pods request, and one more of each Deployment."""
    total = 0
    rendered = render()
    for kind in ("Deployment", "StatefulSet"):
        for name, each in rendered.of(kind).items():
            spec = each["spec"]["template"]["spec"]
            sidecars = [c for c in spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"]
            requested = sum(_millis(c["resources"]["requests"]["cpu"]) for c in [*spec["containers"], *sidecars])
            replicas = 2 if name == "pdf" else each["spec"]["replicas"]
            surge = 1 if each["spec"].get("strategy", {}).get("type") == "RollingUpdate" else 0
            total += requested * (replicas + surge)
    assert total <= 1500


def _millis(cpu: str) -> int:
    return int(cpu.removesuffix("m")) if cpu.endswith("m") else int(cpu) * 1000


def test_envoy_knows_a_pod_by_the_time_that_kubernetes_counts_on_it() -> None:
    """Else the last pod that Envoy knows may be evicted: calls were lost that way."""
    rendered = render("production")
    for name in ("dispatch", "pdf", "wordcount"):
        assert rendered.one("Service", name)["spec"]["publishNotReadyAddresses"] is True
        probe = rendered.pod("Deployment", name)["containers"][0]["readinessProbe"]
        assert probe["initialDelaySeconds"] >= 5 + 2 + 1
