"""A release with parts that a company brings, two Redis over TLS; and what is seen when a part is missing."""

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.support.asking import asking
from tests.cluster.support.kubectl import kubectl, objects
from tests.cluster.support.own_redis import OwnRedis, own_redis
from tests.cluster.support.pods import own_namespace
from tests.cluster.support.release import Release, is_ready
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


@pytest.fixture
def namespace(release: Release) -> Iterator[str]:
    """Another one, for another release; each test's own, since one that was removed goes slowly."""
    name = f"{release.namespace}-{secrets.token_hex(3)}"
    with own_namespace(name):
        yield name


@pytest.fixture
def brought(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own_redis(f"{release.namespace}-redis", tmp_path_factory.mktemp("redis")) as brought:
        yield brought


def test_a_redis_of_ones_own_over_tls_is_used_and_its_end_shows_as_not_ready(
    release: Release, namespace: str, brought: OwnRedis
) -> None:
    clients = {"adapterClients": [{"podSelector": {"matchLabels": {"test-role": "adapter-client"}}}]}
    values = {**SMALL, **brought.values(), "image": release.image_values()}
    values["networkPolicy"] = {**values["networkPolicy"], **clients}
    brought.publish_secrets(namespace)
    other = Release(namespace, release.name, release.image)
    other.upgrade(values)
    other.test()
    assert {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in other.pods()} == {
        *("adapter", "dispatch", "envoy", "pdf")
    }
    with asking(other) as asker:
        reference = asker.upload(b"%PDF-1.7 no document, but known")
        brought.end("state")
        (dispatch,) = other.pods("dispatch")
        eventually(lambda: not any(map(is_ready, other.pods("dispatch"))), SEEN_WITHIN_S, "dispatch out of service")
        answer = asker.invoke("PDF_METADATA", {"doc_ref": reference})
    assert answer["error"]["code"] == "UNAVAILABLE"
    assert all(map(is_ready, other.pods("adapter")))
    assert "Redis" in kubectl("-n", namespace, "logs", dispatch["metadata"]["name"])
    assert other.restarts() == dict.fromkeys(other.restarts(), 0)


def test_a_secret_that_is_missing_stands_in_the_events_of_a_pod_by_its_name(release: Release, namespace: str) -> None:
    other = Release(namespace, release.name, release.image)
    other.install({**SMALL, "image": release.image_values(), "existingSecrets": {"auditKey": "nowhere"}})

    def said() -> bool:
        return any('"nowhere" not found' in each.get("message", "") for each in objects("events", "-n", namespace))

    eventually(said, SEEN_WITHIN_S, "an event that names the Secret")
