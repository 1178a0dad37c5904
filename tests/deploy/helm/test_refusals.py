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
        "networkPolicy.adapterClients does not let its controller reach the adapter.",
    ),
    "more workers than fit": (
        {"services.pdf.workers.count": 3},
        "services.pdf: 3 workers of 768Mi and 256Mi for the service itself are more than its limit of 2Gi",
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
    "an unknown log level": ({"logLevel": "info"}, "at '/logLevel': value must be one of"),
    "a service with a wrong name": ({"services.Foo": {}}, "at '/services': additional properties 'Foo' not allowed"),
    "a drain that cuts calls off": ({"drain.callSeconds": 20}, "at '/drain/callSeconds': minimum: got 20, want 45"),
    "a port that is none": ({"services.pdf.port": 70000}, "at '/services/pdf/port': maximum: got 70,000, want 65,535"),
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


def _named(name: str) -> str:
    return run("template", name, str(CHART)).stderr


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
