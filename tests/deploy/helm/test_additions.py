"""What a company adds to the pods stands where it expects it, beside what the chart says itself."""

from typing import Any

import pytest
import yaml

from tests.deploy.helm.chart import CHART, RELEASE, Object, containers, environment, render, run

PARTS = {"adapter": "adapter", "dispatch": "dispatch", "services__pdf": "pdf"}
"""Parts that run Papermesh's Python, by their values."""

SCHEDULED = {
    **{part: ("Deployment", name) for part, name in PARTS.items()},
    "envoy": ("Deployment", "envoy"),
    "redis__state": ("StatefulSet", "redis-state"),
    "redis__cache": ("Deployment", "redis-cache"),
    "setup": ("Job", "setup"),
    "test": ("Pod", "test"),
}
"""Everything that has a pod."""

DESCRIPTORS = {"configMap": "11", "key": "12"}

NODES = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast"]}]}],
        }
    }
}


def pod(kind: str, name: str, **values: Any) -> Object:
    """The metadata and spec of one pod."""
    found = render(**values).one(kind, name)
    whole: Object = found if kind == "Pod" else found["spec"]["template"]
    return whole


@pytest.mark.parametrize("part", PARTS)
def test_a_variable_is_a_text_or_comes_from_somewhere(part: str) -> None:
    source = {"secretKeyRef": {"name": "mine", "key": "password"}}
    added = {"HTTPS_PROXY": "http://proxy.example", "PASSWORD": {"valueFrom": source}, "YES": "true"}
    (container,) = pod("Deployment", PARTS[part], **{f"{part}__env": added})["spec"]["containers"]
    told = environment(container)
    assert {name: told[name] for name in added} == {**added, "PASSWORD": source}
    assert len(container["env"]) == len(told)


@pytest.mark.parametrize("part", PARTS)
def test_a_volume_is_mounted_where_a_value_says(part: str) -> None:
    volume = {"name": "own-ca", "configMap": {"name": "corp-ca"}}
    mount = {"name": "own-ca", "mountPath": "/etc/corp-ca", "readOnly": True}
    spec = pod("Deployment", PARTS[part], **{f"{part}__volumes": [volume], f"{part}__volumeMounts": [mount]})["spec"]
    assert volume in spec["volumes"]
    assert mount in spec["containers"][0]["volumeMounts"]


def test_every_image_can_be_given_by_its_digest_which_wins_over_the_tag() -> None:
    digests = {part: f"sha256:{number * 64}" for part, number in (("papermesh", "a"), ("envoy", "b"), ("redis", "c"))}
    rendered = render(
        image__digest=digests["papermesh"], envoy__image__digest=digests["envoy"], redis__image__digest=digests["redis"]
    )
    images = {container["image"] for _, each in rendered.pods() for container in containers(each["spec"])}
    assert images == {
        f"papermesh@{digests['papermesh']}",
        f"docker.io/envoyproxy/envoy@{digests['envoy']}",
        f"docker.io/library/redis@{digests['redis']}",
    }


@pytest.mark.parametrize("part", SCHEDULED)
def test_a_pod_runs_where_a_value_says(part: str) -> None:
    taint = {"key": "documents", "operator": "Exists"}
    found = pod(
        *SCHEDULED[part],
        **{
            f"{part}__nodeSelector": {"pool": "documents"},
            f"{part}__tolerations": [taint],
            f"{part}__affinity": NODES,
            f"{part}__priorityClassName": "documents",
            f"{part}__podLabels": {"team": "mine"},
            f"{part}__podAnnotations": {"sidecar.istio.io/inject": "false"},
        },
        commonLabels={"team": "everybody", "cost": "7"},
        imagePullSecrets=[{"name": "registry"}],
    )
    spec = found["spec"]
    assert spec["nodeSelector"] == {"pool": "documents"}
    assert spec["tolerations"] == [taint]
    assert spec["affinity"]["nodeAffinity"] == NODES["nodeAffinity"]
    assert spec["priorityClassName"] == "documents"
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert found["metadata"]["labels"]["team"] == "mine"
    assert found["metadata"]["labels"]["cost"] == "7"
    assert found["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"


def test_an_affinity_of_ones_own_does_not_part_pods_that_share_a_claim() -> None:
    own = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "mine"}}}
    affinity = {**NODES, "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]}}
    for part, name in (("dispatch", "dispatch"), ("services__pdf", "pdf")):
        spec = pod("Deployment", name, **{f"{part}__affinity": affinity})["spec"]
        first, second = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert first == own
        assert second["labelSelector"]["matchLabels"]["papermesh.io/claim"] == "shared"
        assert second["topologyKey"] == "kubernetes.io/hostname"


def test_the_next_pod_of_a_single_dispatch_comes_to_the_node_of_its_claim() -> None:
    """In a rolling update both are there for a while, and both mount the audit logs."""
    bucket = {"blobs__kind": "s3", "blobs__s3__url": "s3://documents", "networkPolicy__s3": [{"podSelector": {}}]}
    spec = pod("Deployment", "dispatch", singleNode=False, dispatch__replicas=1, **bucket)["spec"]
    (rule,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    shared = render("production").pod("Deployment", "dispatch")
    assert "affinity" not in shared


def test_a_service_that_writes_documents_may() -> None:
    """As one that fetches them from elsewhere does."""

    def mounts(blobs: str) -> list[Object]:
        (container,) = pod("Deployment", "pdf", services__pdf__blobs=blobs)["spec"]["containers"]
        return [each for each in container["volumeMounts"] if each["name"] == "blobs"]

    whole = {"name": "blobs", "mountPath": "/var/lib/papermesh/blobs"}
    readings = {"name": "blobs", "mountPath": "/var/lib/papermesh/blobs/readings", "subPath": "readings"}
    assert mounts("none") == []
    assert mounts("read") == [{**whole, "readOnly": True}]
    assert mounts("readings") == [{**whole, "readOnly": True}, readings]
    assert mounts("write") == [{**whole, "readOnly": False}]


def test_a_service_is_told_of_the_redis_that_its_entry_names() -> None:
    spec = pod("Deployment", "pdf", services__pdf__redis=["state"])["spec"]
    told = environment(spec["containers"][0])
    assert told["PAPERMESH_REDIS_STATE_URL"] == (
        "redis://:$(REDIS_STATE_PASSWORD)@pm-redis-state.demo.svc.cluster.local:6379/0"
    )
    assert "PAPERMESH_REDIS_CACHE_URL" not in told


def test_whoever_may_call_is_told_where_even_when_only_the_callee_names_it() -> None:
    wordcount = {"command": ["wordcount"], "port": 9110, "protoServices": ["wordcount.v1.WordCountService"]}
    values = {"services__wordcount": wordcount, "services__pdf__callers": ["dispatch", "wordcount"]}
    (container,) = pod("Deployment", "wordcount", **values)["spec"]["containers"]
    assert environment(container)["PAPERMESH_MESH_ADDRESS"] == "pm-envoy.demo.svc.cluster.local:8444"


def test_a_worker_has_no_port_no_service_and_no_way_in() -> None:
    rendered = render(services__reindex={"command": ["reindex"], "callees": ["pdf"]})
    (container,) = rendered.pod("Deployment", "reindex")["containers"]
    assert [port["name"] for port in container["ports"]] == ["probe"]
    assert "reindex" not in rendered.of("Service")
    assert "ingress" not in rendered.one("NetworkPolicy", "reindex")["spec"]


def test_more_of_a_part_may_be_away_at_once_where_a_value_says() -> None:
    budget = render(services__pdf__podDisruptionBudget__maxUnavailable="50%").one("PodDisruptionBudget", "pdf")
    assert budget["spec"]["maxUnavailable"] == "50%"


def _names(node: Any) -> list[Any]:
    """Every name of something else that stands anywhere in an object."""
    if isinstance(node, list):
        return [name for each in node for name in _names(each)]
    if not isinstance(node, dict):
        return []
    here = [value for key, value in node.items() if key.lower().endswith("name") or key == "namespace"]
    return here + [name for each in node.values() for name in _names(each)]


def test_names_that_yaml_takes_for_something_else_stay_names() -> None:
    """A Secret may be called 1234, a service "no"."""
    keys = ("clients", "adapterKey", "operatorKey", "auditKey", "ticketKey", "apiKeys", "apiKey")
    secrets = (*keys, "redisState", "redisCache")
    rendered = render(
        existingSecrets=dict.fromkeys(secrets, "1234"),
        certificates={
            "mode": "existing",
            "existing": {"adapter": "12", "dispatch": "1", "envoy": "1e3", "operator": "no", "pdf": "2", "no": "null"},
            "trustBundle": {"secret": "0x7"},
        },
        services__no={"command": ["no"], "port": 9111, "protoServices": ["a.B"], "descriptors": DESCRIPTORS},
        envoy__priorityClassName="123",
        dispatch__audit__claim__existing="5",
        blobs__claim__existing="6",
        redis__state__persistence__storageClass="7",
        adapter__ingress={"enabled": True, "className": "8", "hosts": ["9"], "tlsSecret": "10"},
        networkPolicy__adapterClients=[{"podSelector": {}}],
    )
    for each in rendered.objects:
        assert [name for name in _names(each) if not isinstance(name, str)] == [], each["metadata"]["name"]
        assert all(isinstance(value, str) for value in each["metadata"]["labels"].values())
    assert rendered.pod("Deployment", "no")["containers"][0]["name"] == "no"


def test_a_namespace_may_be_called_like_a_number() -> None:
    done = run("template", RELEASE, str(CHART), "--namespace", "1234")
    assert done.returncode == 0
    for each in yaml.load_all(done.stdout, yaml.CSafeLoader):
        if each:
            assert each["metadata"]["namespace"] == "1234"
    assert 'namespace: "1234"\n' in done.stdout
