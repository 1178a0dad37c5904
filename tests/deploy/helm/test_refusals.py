"""Values that contradict each other, or are none, end the installation with one sentence that names them."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deploy.helm.chart import CHART, refusal, run, template

_OWN_REDIS = {
    "redis.included": False,
    "redis.external.state.host": "state.example",
    "redis.external.cache.host": "cache.example",
    "existingSecrets.redisState": "state",
    "existingSecrets.redisCache": "cache",
}
_WORDCOUNT = {"command": ["wordcount"], "port": 9110, "protoServices": ["wordcount.v1.WordCountService"]}

CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "an external Redis without an address": (
        {**_OWN_REDIS, "redis.external.cache.host": ""},
        "redis.included is false, but redis.external.cache.host does not say where Redis is.",
    ),
    "an external Redis without its password": (
        {**_OWN_REDIS, "existingSecrets.redisState": ""},
        "redis.included is false, but existingSecrets.redisState does not name the Secret with its password.",
    ),
    "both roles in one Redis": (
        {**_OWN_REDIS, "redis.external.cache.host": "state.example"},
        "redis.external.state and redis.external.cache are one Redis",
    ),
    "a Redis that forgets nonces, not in so many words": (
        {"redis.state.persistence.enabled": False},
        "set redis.state.persistence.without to nonces-may-be-lost.",
    ),
    "an existing certificate without its Secret": (
        {"certificates.mode": "existing", "certificates.existing": {"adapter": "a", "dispatch": "d"}},
        "certificates.mode is existing, but certificates.existing.envoy does not name the Secret with its certificate.",
    ),
    "cert-manager without an issuer": (
        {"certificates.mode": "certManager"},
        "certificates.certManager.issuerRef.name does not name an issuer.",
    ),
    "two trust bundles": (
        {
            "certificates.mode": "certManager",
            "certificates.certManager.issuerRef.name": "ca",
            "certificates.trustBundle": {"configMap": "a", "secret": "b"},
        },
        "certificates.trustBundle names both a configMap and a secret: name one of them.",
    ),
    "a trust bundle for certificates that the chart makes": (
        {"certificates.trustBundle.configMap": "a"},
        "certificates.trustBundle is for certificates of your own",
    ),
    "clients without their keys": (
        {"existingSecrets.clients": "mine"},
        "clients, adapterKey and operatorKey belong together.",
    ),
    "one claim for pods anywhere": (
        {"singleNode": False},
        "blobs.claim.accessModes is ReadWriteOnce, and more than one pod mounts it",
    ),
    "one audit claim for pods anywhere": (
        {"singleNode": False, "blobs.claim.accessModes": ["ReadWriteMany"]},
        "dispatch.audit.claim.accessModes is ReadWriteOnce, and more than one pod mounts it",
    ),
    "a bucket without a name": ({"blobs.kind": "s3"}, "blobs.kind is s3, but blobs.s3.url does not name the bucket"),
    "nobody asked, not in so many words": (
        {"adapter.auth.mode": "none"},
        "set adapter.auth.none to yes-anyone-may-call.",
    ),
    "an issuer that is not named": (
        {"adapter.auth.mode": "oidc", "adapter.auth.oidc.audience": "papermesh"},
        "adapter.auth.mode is oidc, but adapter.auth.oidc.issuer is not set.",
    ),
    "an issuer that cannot be reached": (
        {"adapter.auth.mode": "oidc", "adapter.auth.oidc": {"issuer": "https://login.example", "audience": "p"}},
        "networkPolicy.oidc does not let the adapter reach the issuer",
    ),
    "an Ingress without a host": (
        {"adapter.ingress.enabled": True},
        "adapter.ingress.enabled is true, but adapter.ingress.hosts is empty.",
    ),
    "an Ingress that cannot reach the adapter": (
        {"adapter.ingress.enabled": True, "adapter.ingress.hosts": ["papermesh.example"]},
        "networkPolicy.adapterClients does not let its controller reach the adapter: list its address there.",
    ),
    "an adapter that nobody reaches": (
        {"adapter.service.type": "LoadBalancer"},
        "adapter.service.type is LoadBalancer, but networkPolicy.adapterClients does not let its callers reach",
    ),
    "an edge Service that nobody reaches": (
        {"envoy.edgeService.enabled": True},
        "envoy.edgeService.enabled is true, but networkPolicy.edgeClients does not let its callers reach Envoy",
    ),
    "a bucket that cannot be reached": (
        {"blobs.kind": "s3", "blobs.s3.url": "s3://documents"},
        "blobs.kind is s3, but networkPolicy.s3 does not let dispatch and pdf reach the bucket",
    ),
    "a Redis that cannot be reached": (
        _OWN_REDIS,
        "redis.included is false, but networkPolicy.redis does not let dispatch reach yours",
    ),
    "counters that cannot be reached": (
        {"monitoring.serviceMonitor.enabled": True},
        "monitoring.serviceMonitor.enabled is true, but networkPolicy.scrapers does not let Prometheus reach Envoy",
    ),
    "a Redis of one's own beside the chart's": (
        {"redis.external.state.host": "state.example"},
        "redis.external.state.host is set, but redis.included is true: change one of them.",
    ),
    "a CA for a Redis without TLS": (
        {**_OWN_REDIS, "redis.external.tls": {"enabled": False, "caSecret": "redis-ca"}},
        "redis.external.tls.caSecret is set, but redis.external.tls.enabled is false",
    ),
    "a bucket beside a claim": (
        {"blobs.s3.url": "s3://documents"},
        "blobs.s3.url is set, but blobs.kind is claim",
    ),
    "an issuer that nobody asks": (
        {"adapter.auth.oidc.issuer": "https://login.example"},
        "adapter.auth.oidc.issuer is set, but adapter.auth.mode is apiKeys",
    ),
    "words that change nothing": (
        {"adapter.auth.none": "yes-anyone-may-call"},
        "adapter.auth.none is set, but adapter.auth.mode is apiKeys",
    ),
    "an API key of no list": (
        {"existingSecrets.apiKey": "mine"},
        "existingSecrets.apiKey is set, but existingSecrets.apiKeys, which it is one of, is not",
    ),
    "certificates of one's own that nobody mounts": (
        {"certificates.existing.pdf": "mine"},
        "certificates.existing is set, but certificates.mode is selfSigned",
    ),
    "a certificate of nobody": (
        {
            "certificates.mode": "existing",
            "certificates.existing": dict.fromkeys(("adapter", "dispatch", "envoy", "operator", "pdf", "pfd"), "mine"),
        },
        "certificates.existing.pfd is the Secret of no workload: adapter, dispatch, envoy, operator, pdf have one.",
    ),
    "a rotation by a Job that is not there": (
        {
            "certificates.mode": "certManager",
            "certificates.certManager.issuerRef.name": "ca",
            "certificates.rotate.leaves": "today",
        },
        "certificates.rotate.leaves is set, but certificates.mode is certManager",
    ),
    "a Redis larger than its container": (
        {"redis.cache.maxMemory": "256mb"},
        "redis.cache.maxMemory is 256mb, and its container ends at 256Mi: raise redis.cache.resources.limits.memory",
    ),
    "a label by which pods are selected": (
        {"services.pdf.podLabels": {"app.kubernetes.io/component": "engine"}},
        "services.pdf.podLabels sets app.kubernetes.io/component, a label that the chart sets itself: leave it out.",
    ),
    "a label of the chart everywhere": (
        {"commonLabels": {"app.kubernetes.io/version": "9"}},
        "commonLabels sets app.kubernetes.io/version",
    ),
    "a variable that is there already": (
        {"services.pdf.env": {"PAPERMESH_PDF_WORKERS": "64"}},
        "services.pdf.env names PAPERMESH_PDF_WORKERS, which the chart sets from its other values",
    ),
    "a variable of the adapter's that is there already": (
        {"adapter.env.PAPERMESH_AUTH": "none"},
        "adapter.env names PAPERMESH_AUTH, which the chart sets from its other values",
    ),
    "one proto service served twice": (
        {"services.other": {**_WORDCOUNT, "protoServices": ["papermesh.pdf.v1.PdfService"]}},
        "services.other and services.pdf both serve papermesh.pdf.v1.PdfService",
    ),
    "a service where its health is answered": (
        {"services.wordcount": {**_WORDCOUNT, "port": 9090}},
        "services.wordcount.port is 9090, where its health is answered: choose another.",
    ),
    "more workers than fit": (
        {"services.pdf.workers.count": 3},
        "services.pdf: 3 workers of 768Mi and 512Mi for the service itself are more than its limit of 2Gi",
    ),
    "a service without a command": (
        {"services.wordcount": {**_WORDCOUNT, "command": []}},
        "services.wordcount.command is empty",
    ),
    "a service that serves nothing": (
        {"services.wordcount": {**_WORDCOUNT, "protoServices": []}},
        "services.wordcount has a port, but protoServices does not say what is served there.",
    ),
    "a service without a port": (
        {"services.wordcount": {**_WORDCOUNT, "port": None}},
        "services.wordcount has protoServices, but no port where they are served.",
    ),
    "an image without a version": (
        {"services.wordcount": {**_WORDCOUNT, "image": {"repository": "wordcount"}}},
        "services.wordcount.image has neither a tag nor a digest.",
    ),
    "a callee that is not there": (
        {"services.wordcount": {**_WORDCOUNT, "callees": ["ocr"]}},
        "services.wordcount.callees names ocr, which is no enabled service with a port.",
    ),
    "a caller that is not there": (
        {"services.wordcount": {**_WORDCOUNT, "callers": ["dispatch", "ocr"]}},
        "services.wordcount.callers names ocr",
    ),
    "a service by a part's name": (
        {"services.envoy": _WORDCOUNT},
        "services.envoy: this name is a part's own",
    ),
    "fewer at most than at least": (
        {"services.pdf.autoscaling.maxReplicas": 1},
        "services.pdf.autoscaling.maxReplicas is less than its minReplicas.",
    ),
}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no replica": ({"adapter.replicas": 0}, "at '/adapter/replicas': minimum: got 0, want 1"),
    "no replica of a service": ({"services.pdf.replicas": 0}, "at '/services/pdf/replicas': minimum: got 0, want 1"),
    "a text for a number": ({"envoy.concurrency": "two"}, "at '/envoy/concurrency': got string, want integer"),
    "a number for a text": ({"adapter.env.PAPERMESH_X": 1}, "at '/adapter/env/PAPERMESH_X': got number, want string"),
    "a text for an object": ({"image": "papermesh"}, "at '/image': got string, want object"),
    "an unknown cache scope": ({"dispatch.cacheScope": "person"}, "at '/dispatch/cacheScope': value must be one of"),
    "an unknown log level": ({"logLevel": "info"}, "at '/logLevel': value must be one of"),
    "a service with a wrong name": ({"services.Foo": {}}, "at '/services': additional properties 'Foo' not allowed"),
    "a drain that cuts calls off": ({"drain.callSeconds": 20}, "at '/drain/callSeconds': minimum: got 20, want 45"),
    "a port that is none": ({"services.pdf.port": 70000}, "at '/services/pdf/port': maximum: got 70,000, want 65,535"),
    "a claim for one pod alone": (
        {"blobs.claim.accessModes": ["ReadWriteOncePod"]},
        "at '/blobs/claim/accessModes/0': value must be one of 'ReadWriteOnce', 'ReadWriteMany'",
    ),
    "a label that cannot be one": (
        {"commonLabels": {"team": "a b"}},
        "at '/commonLabels/team': 'a b' does not match pattern",
    ),
    "a way out to everywhere": ({"adapter.egress": [{"to": []}]}, "at '/adapter/egress/0': missing property 'ports'"),
    "a variable from nowhere": ({"adapter.env.A": {"value": "b"}}, "at '/adapter/env/A'"),
    "a pull secret without a name": (
        {"imagePullSecrets": [{"nmae": "registry"}]},
        "at '/imagePullSecrets/0': missing property 'name'",
    ),
    "half a description of workers": (
        {"services.x": {"command": ["x"], "workers": {"count": 1}}},
        "/services/x/workers",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused_in_a_sentence(case: str) -> None:
    values, sentence = CONTRADICTIONS[case]
    said = refusal(**values)
    assert sentence in said
    assert said.count("Error: ") == 1


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused_by_its_path(case: str) -> None:
    values, sentence = WRONG[case]
    assert sentence in refusal(**values)


def test_a_long_release_name_is_refused() -> None:
    assert "is longer than 36 characters" in _named("a" * 37)
    assert _named("a" * 36) == ""


def test_a_release_name_that_no_service_can_have_is_refused() -> None:
    assert "must begin with a letter and have no dots" in _named("1st")
    assert "must begin with a letter and have no dots" in _named("a.b")


def test_two_deployments_never_share_an_audience_by_being_cut_short() -> None:
    """A call that was signed for one would be good for the other."""
    said = _named("a" * 36, "--namespace", "b" * 40)
    assert "is longer than 63 characters: set audience to a shorter one." in said
    assert _named("a" * 36, "--namespace", "b" * 40, "--set", "audience=production") == ""


def _named(name: str, *arguments: str) -> str:
    return run("template", name, str(CHART), *arguments).stderr


def test_values_for_the_chart_around_this_one_are_let_be() -> None:
    assert template(values={"global": {"anything": {"goes": 1}}}).returncode == 0


def _objects(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all objects in the values that are not free for all."""
    if not isinstance(node, dict):
        return []
    found = [path]
    for name, value in node.items():
        found += _objects(value, (*path, name))
    return found


_FREE = {"global", "commonLabels", "commonAnnotations", "annotations", "labels", "env", "nodeSelector", "affinity"}
_FREE |= {"podLabels", "podAnnotations", "matchLabels", "namespaceSelector", "existing"}
_STRICT = [
    path
    for path in _objects(yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8")))
    if not _FREE & set(path) and path != ("services",)
]


@settings(max_examples=25)
@given(path=st.sampled_from(_STRICT), name=st.from_regex(r"[a-z]{3,12}Typo", fullmatch=True))
def test_an_unknown_key_is_refused_wherever_it_stands(path: tuple[str, ...], name: str) -> None:
    said = refusal(**{".".join((*path, name)): "x"})
    assert f"additional properties '{name}' not allowed" in said
    assert f"at '{''.join(f'/{part}' for part in path)}'" in said


def _taken_away(path: tuple[str, ...]) -> list[tuple[str, ...]]:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for part in path:
        values = values[part]
    return [(*path, name) for name in values if (*path, name) not in {("global",), ("enabled",)}]


_NEEDED = [
    each for path in _STRICT for each in _taken_away(path) if path[:1] != ("services",) and "esources" not in str(path)
]
"""Entries of services have defaults of their own, and a limit may be taken away."""


@settings(max_examples=25)
@given(path=st.sampled_from(_NEEDED))
def test_a_value_that_is_taken_away_is_missed_by_its_name(path: tuple[str, ...]) -> None:
    """By a null, or by an upgrade that keeps the values of a chart which did not know it."""
    said = refusal(**{".".join(path): None})
    assert f"at '{''.join(f'/{part}' for part in path[:-1])}': missing property '{path[-1]}'" in said
