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
    "both roles in one Redis": (
        {
            **_OWN_REDIS,
            "redis.external.cache.host": "state.example",
            "networkPolicy.redis": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        },
        "redis.external.state and redis.external.cache are the same Redis",
    ),
    "a Redis that forgets nonces, not in so many words": (
        {"redis.state.persistence.enabled": False},
        "set redis.state.persistence.without to nonces-may-be-lost.",
    ),
    "an existing certificate without its Secret": (
        {
            "certificates.mode": "existing",
            "certificates.existing": {"adapter": "a", "dispatch": "d", "operator": "o", "pdf": "p"},
        },
        "certificates.mode is existing, but certificates.existing.envoy does not name the Secret with its certificate.",
    ),
    "nobody asked, not in so many words": (
        {"adapter.auth.mode": "none"},
        "set adapter.auth.none to yes-anyone-may-call.",
    ),
    "a Redis larger than its container": (
        {"redis.cache.maxMemory": "256mb"},
        "redis.cache.maxMemory is 256mb, but its container's limit is 256Mi: raise redis.cache.resources.limits.memory",
    ),
    "a variable that is there already": (
        {"services.pdf.env": {"PAPERMESH_PDF_WORKERS": "64"}},
        "services.pdf.env names PAPERMESH_PDF_WORKERS, which the chart sets from its other values",
    ),
    "a variable of the adapter's that is there already": (
        {"adapter.env.PAPERMESH_AUTH": "none"},
        "adapter.env names PAPERMESH_AUTH, which the chart sets from its other values",
    ),
    "more workers than fit": (
        {"services.pdf.workers.count": 3},
        "services.pdf: 3 workers of 768Mi and 1152Mi for the service itself are more than its limit of 2688Mi",
    ),
}
"""What would lose data or open a door, and what no schema can see."""

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
    "an external Redis without an address": (
        {**_OWN_REDIS, "redis.external.cache.host": ""},
        "at '/redis/external/cache/host': minLength",
    ),
    "an external Redis without its password": (
        {**_OWN_REDIS, "existingSecrets.redisState": ""},
        "at '/existingSecrets/redisState': minLength",
    ),
    "cert-manager without an issuer": (
        {"certificates.mode": "certManager"},
        "at '/certificates/certManager/issuerRef/name': minLength",
    ),
    "two trust bundles": (
        {
            "certificates.mode": "certManager",
            "certificates.certManager.issuerRef.name": "ca",
            "certificates.trustBundle": {"configMap": "a", "secret": "b"},
        },
        "at '/certificates/trustBundle/configMap': maxLength",
    ),
    "a trust bundle for certificates that the chart makes": (
        {"certificates.trustBundle.configMap": "a"},
        "at '/certificates/trustBundle/configMap': maxLength",
    ),
    "clients without their keys": ({"existingSecrets.clients": "mine"}, "at '/existingSecrets/adapterKey': minLength"),
    "one claim for pods anywhere": (
        {"singleNode": False},
        "at '/blobs/claim/accessModes/0': value must be 'ReadWriteMany'",
    ),
    "one audit claim for pods anywhere": (
        {"singleNode": False, "blobs.claim.accessModes": ["ReadWriteMany"]},
        "at '/dispatch/audit/claim/accessModes/0': value must be 'ReadWriteMany'",
    ),
    "a bucket without a name": ({"blobs.kind": "s3"}, "at '/blobs/s3/url': minLength"),
    "an issuer that is not named": (
        {"adapter.auth.mode": "oidc", "adapter.auth.oidc.audience": "papermesh"},
        "at '/adapter/auth/oidc/issuer': minLength",
    ),
    "an issuer that cannot be reached": (
        {"adapter.auth.mode": "oidc", "adapter.auth.oidc": {"issuer": "https://login.example", "audience": "p"}},
        "at '/networkPolicy/oidc': minItems",
    ),
    "an Ingress without a host": ({"adapter.ingress.enabled": True}, "at '/adapter/ingress/hosts': minItems"),
    "an Ingress that cannot reach the adapter": (
        {"adapter.ingress.enabled": True, "adapter.ingress.hosts": ["papermesh.example"]},
        "at '/networkPolicy/adapterClients': minItems",
    ),
    "an adapter that nobody reaches": (
        {"adapter.service.type": "LoadBalancer"},
        "at '/networkPolicy/adapterClients': minItems",
    ),
    "an edge Service that nobody reaches": (
        {"envoy.edgeService.enabled": True},
        "at '/networkPolicy/edgeClients': minItems",
    ),
    "a bucket that cannot be reached": (
        {"blobs.kind": "s3", "blobs.s3.url": "s3://documents"},
        "at '/networkPolicy/s3': minItems",
    ),
    "a Redis that cannot be reached": (_OWN_REDIS, "at '/networkPolicy/redis': minItems"),
    "counters that cannot be reached": (
        {"monitoring.serviceMonitor.enabled": True},
        "at '/networkPolicy/scrapers': minItems",
    ),
    "a Redis of one's own beside the chart's": (
        {"redis.external.state.host": "state.example"},
        "at '/redis/external/state/host': maxLength",
    ),
    "a CA for a Redis without TLS": (
        {**_OWN_REDIS, "redis.external.tls": {"enabled": False, "caSecret": "redis-ca"}},
        "at '/redis/external/tls/caSecret': maxLength",
    ),
    "a bucket beside a claim": ({"blobs.s3.url": "s3://documents"}, "at '/blobs/s3/url': maxLength"),
    "an issuer that nobody asks": (
        {"adapter.auth.oidc.issuer": "https://login.example"},
        "at '/adapter/auth/oidc/issuer': maxLength",
    ),
    "words that change nothing": ({"adapter.auth.none": "yes-anyone-may-call"}, "at '/adapter/auth/none': maxLength"),
    "an API key of no list": ({"existingSecrets.apiKey": "mine"}, "at '/existingSecrets/apiKey': maxLength"),
    "certificates of one's own that nobody mounts": (
        {"certificates.existing.pdf": "mine"},
        "at '/certificates/existing': maxProperties",
    ),
    "a rotation by a Job that is not there": (
        {
            "certificates.mode": "certManager",
            "certificates.certManager.issuerRef.name": "ca",
            "certificates.rotate.leaves": "today",
        },
        "at '/certificates/rotate/leaves': maxLength",
    ),
    "a label by which pods are selected": (
        {"services.pdf.podLabels": {"app.kubernetes.io/component": "engine"}},
        "at '/services/pdf/podLabels/app.kubernetes.io~1component': false schema",
    ),
    "a label of the chart everywhere": (
        {"commonLabels": {"app.kubernetes.io/version": "9"}},
        "at '/commonLabels/app.kubernetes.io~1version': false schema",
    ),
    "a service where its health is answered": (
        {"services.wordcount": {**_WORDCOUNT, "port": 9090}},
        "at '/services/wordcount/port': 'not' failed",
    ),
    "a service without a port": (
        {"services.wordcount": {**_WORDCOUNT, "port": None}},
        "at '/services/wordcount/port': got null, want integer",
    ),
    "an image without a version": (
        {"services.wordcount": {**_WORDCOUNT, "image": {"repository": "wordcount"}}},
        "at '/services/wordcount/image'",
    ),
    "a service by a part's name": ({"services.envoy": _WORDCOUNT}, "at '/services/envoy': false schema"),
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
    assert "be no longer than 36 characters" in _named("a" * 37)
    assert _named("a" * 36) == ""


def test_a_release_name_that_no_service_can_have_is_refused() -> None:
    assert "must begin with a letter, have no dots" in _named("1st")
    assert "must begin with a letter, have no dots" in _named("a.b")


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
_VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
_ENTRY = yaml.safe_load((CHART / "files" / "service.yaml").read_text(encoding="utf-8"))
_STRICT = [
    path
    for path in _objects({**_VALUES, "services": {"pdf": {**_ENTRY, **_VALUES["services"]["pdf"]}}})
    if not _FREE & set(path) and path != ("services",)
]


@settings(max_examples=25)
@given(path=st.sampled_from(_STRICT), name=st.from_regex(r"[a-z]{3,12}Typo", fullmatch=True))
def test_an_unknown_key_is_refused_wherever_it_stands(path: tuple[str, ...], name: str) -> None:
    said = refusal(**{".".join((*path, name)): "x"})
    assert f"additional properties '{name}' not allowed" in said
    assert f"at '{''.join(f'/{part}' for part in path)}'" in said


def _taken_away(path: tuple[str, ...]) -> list[tuple[str, ...]]:
    values = _VALUES
    for part in path:
        values = values[part]
    return [(*path, name) for name in values if (*path, name) not in {("global",), ("enabled",)}]


_NEEDED = [
    each for path in _STRICT if path[:1] != ("services",) and "esources" not in str(path) for each in _taken_away(path)
]
"""Entries of services have defaults of their own, and a limit may be taken away."""


@settings(max_examples=25)
@given(path=st.sampled_from(_NEEDED))
def test_a_value_that_is_taken_away_is_missed_by_its_name(path: tuple[str, ...]) -> None:
    """By a null, or by an upgrade that keeps the values of a chart which did not know it."""
    said = refusal(**{".".join(path): None})
    assert f"at '{''.join(f'/{part}' for part in path[:-1])}': missing property '{path[-1]}'" in said
