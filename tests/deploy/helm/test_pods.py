import pytest

from tests.deploy.helm.chart import VALUES, Object, containers, environment, render

pytestmark = pytest.mark.parametrize("name", VALUES)

_LONGEST_ACTION_S = 45


def specs(name: str) -> list[tuple[str, Object]]:
    return [(label, pod["spec"]) for label, pod in render(name).pods()]


def test_every_pod_is_one_of_the_restricted_kind(name: str) -> None:
    for label, spec in specs(name):
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, label
        assert security["runAsUser"] in {10001, 101, 999}, label
        assert security["fsGroup"] == security["runAsUser"], label
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, label
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), label
        for container in containers(spec):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, label
            assert own["capabilities"] == {"drop": ["ALL"]}, label


def test_no_root_file_system_can_be_written_to(name: str) -> None:
    for label, spec in specs(name):
        for container in containers(spec):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, label
            assert any(mount["mountPath"] == "/tmp" for mount in container["volumeMounts"]), label  # noqa: S108 - a pod's


def test_what_can_be_written_to_has_a_size(name: str) -> None:
    for label, spec in specs(name):
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"emptyDir", "secret", "configMap", "projected", "persistentVolumeClaim"}
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], label


def test_no_pod_but_the_setup_jobs_has_a_token_for_the_api_server(name: str) -> None:
    for label, spec in specs(name):
        assert spec["automountServiceAccountToken"] is False, label
        sources = [source for volume in spec["volumes"] for source in volume.get("projected", {}).get("sources", ())]
        has_token = any("serviceAccountToken" in source for source in sources)
        assert has_token == (label == "Job pm-setup"), label


def test_services_of_the_namespace_set_no_variables(name: str) -> None:
    assert all(spec["enableServiceLinks"] is False for _, spec in specs(name))


def test_secrets_are_mounted_whole_and_for_their_group_alone(name: str) -> None:
    for label, spec in specs(name):
        secret = {volume["name"] for volume in spec["volumes"] if "secret" in volume or "projected" in volume}
        for volume in spec["volumes"]:
            if volume["name"] in secret:
                assert (volume.get("secret") or volume["projected"])["defaultMode"] == 0o440, label
        for container in containers(spec):
            for mount in container["volumeMounts"]:
                if mount["name"] in secret:
                    assert "subPath" not in mount, label
                    assert mount["readOnly"] is True, label


def test_every_volume_is_mounted_and_every_mount_has_a_volume(name: str) -> None:
    for label, spec in specs(name):
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {"data"} if label == "StatefulSet pm-redis-state" else set()
        mounted = {mount["name"] for container in containers(spec) for mount in container["volumeMounts"]}
        assert mounted == volumes, label


def test_memory_is_limited_and_processors_are_not(name: str) -> None:
    for label, spec in specs(name):
        for container in containers(spec):
            resources = container["resources"]
            assert resources["limits"]["memory"], label
            assert "cpu" not in resources["limits"], label
            assert set(resources["requests"]) == {"cpu", "memory"}, label


def test_whoever_runs_on_is_asked_how_it_is(name: str) -> None:
    rendered = render(name)
    for kind in ("Deployment", "StatefulSet"):
        for what in rendered.of(kind):
            spec = rendered.pod(kind, what)
            asked = [each for each in containers(spec) if "readinessProbe" in each]
            assert len(asked) == 1, what
            assert {"startupProbe", "livenessProbe"} <= asked[0].keys(), what


def test_liveness_depends_on_nothing_else(name: str) -> None:
    """What waits for another part is not ready; restarting it would help nobody."""
    for label, spec in specs(name):
        for container in containers(spec):
            if probe := container.get("livenessProbe"):
                question = probe.get("grpc") or probe.get("httpGet") or probe.get("tcpSocket") or probe["exec"]
                assert question in (
                    {"port": 9090, "service": "liveness"},
                    {"path": "/healthz", "port": "probe"},
                    {"port": "metrics"},
                    {"command": ["redis-cli", "ping"]},
                ), label


def test_a_pod_has_longer_to_go_than_the_longest_call_takes(name: str) -> None:
    rendered = render(name)
    for what in rendered.of("Deployment"):
        if what == "redis-cache":
            continue
        spec = rendered.pod("Deployment", what)
        for container in containers(spec):
            told = environment(container) if "env" in container else {}
            if "PAPERMESH_DRAIN_S" in told:
                notice = float(told.get("PAPERMESH_DRAIN_NOTICE_S", 3))
                calls = float(told["PAPERMESH_DRAIN_S"])
                assert calls >= _LONGEST_ACTION_S
                assert spec["terminationGracePeriodSeconds"] > notice + calls


def test_no_pod_is_started_anew_because_the_charts_version_changed(name: str) -> None:
    for label, pod in render(name).pods():
        known = {"app.kubernetes.io/version", "helm.sh/chart", "app.kubernetes.io/managed-by"}
        assert not known & pod["metadata"]["labels"].keys(), label


def test_one_pod_more_comes_before_one_goes(name: str) -> None:
    for what, deployment in render(name).of("Deployment").items():
        strategy = deployment["spec"]["strategy"]
        if what == "redis-cache":
            assert strategy == {"type": "Recreate"}
        else:
            assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_pods_of_one_part_are_spread_over_the_nodes(name: str) -> None:
    rendered = render(name)
    for what in rendered.of("Deployment"):
        (constraint,) = rendered.pod("Deployment", what)["topologySpreadConstraints"]
        assert constraint["topologyKey"] == "kubernetes.io/hostname"
        assert constraint["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == what


def test_a_node_can_be_emptied(name: str) -> None:
    rendered = render(name)
    guarded = {what for what in rendered.of("Deployment") if what != "redis-cache"}
    budgets = rendered.of("PodDisruptionBudget")
    assert set(budgets) == guarded
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets.values())
