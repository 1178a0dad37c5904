from typing import Any

import pytest

from deploy.kubernetes.keys import _MAKERS
from tests.deploy.helm.chart import RELEASE, VALUES, Object, Rendered, containers, environment, render

_EVERYTHING = {
    *(f"tls-{name}" for name in ("adapter", "dispatch", "envoy", "operator", "pdf")),
    *("ca", "clients", "adapter-key", "operator-key", "audit-key", "api-key", "api-keys", "redis-state", "redis-cache"),
    *("ticket-key", "trust"),
}


def mounted(spec: Object) -> set[str]:
    """The Secrets that a pod mounts or is told from, without the release's name."""
    found = set()
    for volume in spec["volumes"]:
        if "secret" in volume:
            found.add(volume["secret"]["secretName"])
        for source in volume.get("projected", {}).get("sources", ()):
            if "secret" in source:
                found.add(source["secret"]["name"])
    for container in spec["containers"]:
        for value in environment(container).values() if "env" in container else ():
            if isinstance(value, dict) and "secretKeyRef" in value:
                found.add(value["secretKeyRef"]["name"])
    return {name.removeprefix(f"{RELEASE}-") for name in found}


def role(rendered: Rendered) -> list[Object]:
    rules: list[Object] = rendered.one("Role", "setup")["rules"]
    return rules


@pytest.mark.parametrize("name", VALUES)
def test_every_workload_mounts_its_own_certificate_and_no_other(name: str) -> None:
    rendered = render(name)
    for part in ("adapter", "dispatch", "envoy", "pdf"):
        certificates = {each for each in mounted(rendered.pod("Deployment", part)) if "tls" in each}
        own = f"corp-tls-{part}" if name == "external-everything" else f"tls-{part}"
        assert certificates == {own}


@pytest.mark.parametrize("name", VALUES)
def test_nobody_mounts_the_key_of_the_ca(name: str) -> None:
    assert all("ca" not in mounted(pod["spec"]) for _, pod in render(name).pods())


def test_each_part_mounts_what_it_needs_and_nothing_else() -> None:
    rendered = render()
    assert mounted(rendered.pod("Deployment", "adapter")) == {
        *("tls-adapter", "trust", "adapter-key", "ticket-key", "api-keys")
    }
    assert mounted(rendered.pod("Deployment", "dispatch")) == {
        *("tls-dispatch", "trust", "clients", "audit-key", "redis-state", "redis-cache")
    }
    assert mounted(rendered.pod("Deployment", "envoy")) == {"tls-envoy", "trust"}
    assert mounted(rendered.pod("Deployment", "pdf")) == {"tls-pdf", "trust"}
    assert mounted(rendered.pod("StatefulSet", "redis-state")) == {"redis-state"}
    assert mounted(rendered.pod("Deployment", "redis-cache")) == {"redis-cache"}
    assert mounted(rendered.one("Pod", "test")["spec"]) == {"tls-operator", "trust", "operator-key", "api-key"}


def test_the_setup_job_may_read_what_it_makes_and_nothing_else() -> None:
    create, named, pods = role(render())
    assert create == {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}
    assert set(named["resourceNames"]) == {f"{RELEASE}-{name}" for name in _EVERYTHING}
    assert named["verbs"] == ["get", "update"]
    assert pods == {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}


def test_whatever_a_pod_mounts_is_made_by_the_setup_job() -> None:
    rendered = render()
    needed = {name for _, pod in rendered.pods() for name in mounted(pod["spec"])}
    assert needed <= _EVERYTHING


def test_it_is_asked_for_kinds_of_keys_that_it_knows() -> None:
    keys, certificates = (environment(each) for each in render().pod("Job", "setup")["containers"])
    assert set(keys["PAPERMESH_KEYS"].split(",")) == set(_MAKERS)
    assert certificates["PAPERMESH_WORKLOADS"] == "adapter,dispatch,envoy,operator,pdf"
    assert certificates["PAPERMESH_LISTENERS"] == "envoy:8443,envoy:8444,dispatch:9101,pdf:9102"


def test_a_new_service_gets_a_certificate_by_its_entry() -> None:
    entry = {"command": ["wordcount"], "port": 9110, "protoServices": ["wordcount.v1.WordCountService"]}
    rendered = render(services__wordcount=entry)
    _, certificates = (environment(each) for each in rendered.pod("Job", "setup")["containers"])
    assert "wordcount" in certificates["PAPERMESH_WORKLOADS"].split(",")
    assert f"{RELEASE}-tls-wordcount" in role(rendered)[1]["resourceNames"]


def test_everything_of_the_setup_job_is_gone_when_it_has_ended() -> None:
    for each in render().objects:
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == "setup":
            annotations = each["metadata"]["annotations"]
            assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
            assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"


def test_what_the_setup_job_writes_down_meanwhile_is_on_no_disk() -> None:
    """The CA's key, and everybody's, pass through it."""
    written = [volume["emptyDir"] for volume in render().pod("Job", "setup")["volumes"] if "emptyDir" in volume]
    assert [each["medium"] for each in written] == ["Memory", "Memory"]


def test_with_certificates_of_cert_manager_it_makes_keys_alone() -> None:
    rendered = render("production")
    (keys,) = rendered.pod("Job", "setup")["containers"]
    assert keys["name"] == "keys"
    assert not any("tls" in name or name.endswith(("-ca", "-trust")) for name in role(rendered)[1]["resourceNames"])
    certificates = rendered.of("Certificate")
    assert set(certificates) == {"adapter", "dispatch", "envoy", "operator", "pdf", "reindex", "wordcount"}
    for name, each in certificates.items():
        assert each["spec"]["uris"] == [f"spiffe://papermesh/ns/demo/sa/{name}"]
        assert each["spec"]["secretName"] == f"{RELEASE}-tls-{name}"
    assert f"{RELEASE}-envoy.demo.svc.cluster.local" in certificates["envoy"]["spec"]["dnsNames"]
    assert "mesh.corp.example" in certificates["envoy"]["spec"]["dnsNames"]


def test_cert_manager_makes_the_certificates_of_clients_too() -> None:
    client = render("production", certificates__clients=["reports"]).one("Certificate", "client-reports")["spec"]
    assert client["uris"] == ["spiffe://papermesh/ns/demo/client/reports"]
    assert client["secretName"] == f"{RELEASE}-tls-client-reports"
    assert "dnsNames" not in client


def test_cert_manager_has_envoys_addresses_as_addresses() -> None:
    envoy = render("production", envoy__extraNames=["10.1.2.3", "mesh.example"]).one("Certificate", "envoy")["spec"]
    assert envoy["ipAddresses"] == ["127.0.0.1", "10.1.2.3"]
    assert "mesh.example" in envoy["dnsNames"]


@pytest.mark.parametrize(
    ("name", "kind", "bundle"),
    [("production", "configMap", "papermesh-trust"), ("default", "secret", f"{RELEASE}-trust")],
    ids=["of cert-manager", "of the setup Job"],
)
def test_a_trust_bundle_stands_apart_from_the_certificate_in_every_pod(name: str, kind: str, bundle: str) -> None:
    volumes = [each for _, pod in render(name).pods() for each in pod["spec"]["volumes"] if each["name"] == "tls"]
    assert len(volumes) >= len(("adapter", "dispatch", "envoy", "pdf", "test"))
    for volume in volumes:
        leaf, trusted = volume["projected"]["sources"]
        assert [item["path"] for item in leaf["secret"]["items"]] == ["tls.crt", "tls.key"]
        assert trusted == {kind: {"name": bundle, "items": [{"key": "ca.crt", "path": "ca.crt"}]}}


@pytest.mark.parametrize("name", VALUES)
def test_nothing_of_a_certificates_folder_is_mounted_by_subpath(name: str) -> None:
    """The kubelet would never renew it."""
    for label, pod in render(name).pods():
        for container in containers(pod["spec"]):
            mounts = [each for each in container.get("volumeMounts", ()) if each["name"] == "tls"]
            assert not any("subPath" in each or "subPathExpr" in each for each in mounts), label


def test_who_brings_everything_has_no_setup_job() -> None:
    rendered = render("external-everything")
    assert not rendered.of("Job")
    assert not rendered.of("Role")


@pytest.mark.parametrize("values", [{}, {"adapter__auth": {"mode": "none", "none": "yes-anyone-may-call"}}])
def test_api_keys_are_made_where_they_are_asked_for(values: dict[str, Any]) -> None:
    keys = environment(render(**values).pod("Job", "setup")["containers"][0])["PAPERMESH_KEYS"]
    assert ("api-keys" in keys.split(",")) == (not values)
