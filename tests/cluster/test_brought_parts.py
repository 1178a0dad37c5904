"""A release with what a company brings, Redis over TLS and every Secret; and what is seen when a part is missing."""

from collections.abc import Iterator

import pytest

from tests.cluster.support.asking import asking
from tests.cluster.support.kubectl import kubectl, objects
from tests.cluster.support.own_redis import OwnRedis, own_redis
from tests.cluster.support.pods import own_namespace
from tests.cluster.support.release import Release, is_ready, role
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(900)

SEEN_WITHIN_S = 60
READY_WITHIN_S = 120

SMALL = {
    "adapter": {"replicas": 1},
    "dispatch": {"replicas": 1},
    "envoy": {"replicas": 1},
    "services": {"pdf": {"replicas": 1, "autoscaling": {"enabled": False}}},
}


CERTIFICATES = ("adapter", "dispatch", "envoy", "operator", "pdf")
KEYS = {
    "clients": "clients",
    "adapterKey": "adapter-key",
    "operatorKey": "operator-key",
    "auditKey": "audit-key",
    "ticketKey": "ticket-key",
    "apiKeys": "api-keys",
    "apiKey": "api-key",
}
"""The Secrets that the setup Job makes besides certificates, by the values that name a company's own."""


@pytest.fixture(scope="module")
def brought(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own_redis(f"{release.namespace}-redis", tmp_path_factory.mktemp("redis")) as brought:
        yield brought


@pytest.fixture(scope="module")
def other(release: Release, brought: OwnRedis) -> Iterator[Release]:
    """Another release, which uses these."""
    clients = {"adapterClients": [{"podSelector": {"matchLabels": {"test-role": "adapter-client"}}}]}
    values = {**SMALL, **brought.values(), "image": release.image_values()}
    values["networkPolicy"] = {**values["networkPolicy"], **clients}
    namespace = f"{release.namespace}-brought"
    with own_namespace(namespace):
        brought.publish_secrets(namespace)
        other = Release(namespace, release.name, release.image)
        other.upgrade(values)
        yield other


def test_with_two_redis_of_ones_own_over_tls_a_signed_call_is_answered(other: Release) -> None:
    other.test()
    assert {role(pod) for pod in other.pods()} == {"adapter", "dispatch", "envoy", "pdf"}


def test_with_every_certificate_and_key_brought_there_is_no_setup_job(other: Release) -> None:
    """Whoever made them: here it was the Job of the installation before."""
    existing = {workload: f"{other.name}-tls-{workload}" for workload in CERTIFICATES}
    keys = {value: f"{other.name}-{name}" for value, name in KEYS.items()}
    other.upgrade({"certificates": {"mode": "existing", "existing": existing}, "existingSecrets": keys})
    assert other.hooks("Job") == []
    other.test()


def test_the_end_of_redis_shows_as_a_dispatch_that_is_not_ready_and_says_why(other: Release, brought: OwnRedis) -> None:
    before = other.restarts()
    with asking(other) as asker:
        reference = asker.upload(b"%PDF-1.7 no document, but known")
        with brought.without("state"):
            (dispatch,) = other.pods("dispatch")
            eventually(lambda: not any(map(is_ready, other.pods("dispatch"))), SEEN_WITHIN_S, "dispatch out of service")
            answer = asker.invoke("PDF_METADATA", {"doc_ref": reference})
            assert all(map(is_ready, other.pods("adapter")))
        eventually(other.all_ready, READY_WITHIN_S, "readiness of all pods")
    assert answer["error"]["code"] == "UNAVAILABLE"
    assert "Redis" in kubectl("-n", other.namespace, "logs", dispatch["metadata"]["name"])
    assert other.restarts() == before


def test_a_secret_that_is_missing_stands_in_the_events_of_a_pod_by_its_name(release: Release) -> None:
    namespace = f"{release.namespace}-missing"
    with own_namespace(namespace):
        other = Release(namespace, release.name, release.image)
        other.install({**SMALL, "image": release.image_values(), "existingSecrets": {"auditKey": "nowhere"}})

        def said() -> bool:
            return any('"nowhere" not found' in each.get("message", "") for each in objects("events", "-n", namespace))

        eventually(said, SEEN_WITHIN_S, "an event that names the Secret")
