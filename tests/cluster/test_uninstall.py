"""`helm uninstall` leaves what docs/kubernetes.md says that it leaves, and an installation takes it up again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support.asking import asking
from tests.cluster.support.kubectl import kubectl, objects
from tests.cluster.support.release import Release
from tests.cluster.support.talking import SAMPLE

pytestmark = pytest.mark.timeout(900)

CLAIMS = {"{}-blobs", "{}-audit", "data-{}-redis-state-0"}
SECRETS = {
    "adapter-key",
    "api-key",
    "api-keys",
    "audit-key",
    "ticket-key",
    "ca",
    "clients",
    "operator-key",
    "redis-cache",
    "redis-state",
    "trust",
}
"""And the certificate of each workload."""

PASSING = ("events", "pods.metrics.k8s.io", "endpoints", "endpointslices", "controllerrevisions")
"""Kinds that others than the release make and remove."""


@dataclass(frozen=True)
class ThereAndBack:
    """What an uninstallation and the next installation were like."""

    workloads: set[str]
    left: set[str]
    secrets: Mapping[str, Any]
    secrets_again: Mapping[str, Any]
    answer: Mapping[str, Any]
    """To the question, afterwards and with the key of before, about a document that was uploaded before."""

    release: Release


@pytest.fixture(scope="module")
def there_and_back(upgraded: Upgraded) -> ThereAndBack:
    release = upgraded.release
    values, kept = release.values(), secrets(release)
    marker = f"{release.name}-tls-"
    workloads = {name.removeprefix(marker) for name in kept if name.startswith(marker)}
    with asking(release) as asker:
        reference = asker.upload(SAMPLE.read_bytes())
        release.uninstall()
        left = whatever_is(release)
        release.upgrade(values)
        answer = asker.invoke("PDF_METADATA", {"doc_ref": reference})
    return ThereAndBack(workloads, left, kept, secrets(release), answer, release)


def whatever_is(release: Release) -> set[str]:
    """Every object of the cluster with the release's label, and of its namespace with the release's name."""
    ours = set()
    for scope in ("true", "false"):
        listed = kubectl("api-resources", f"--namespaced={scope}", "--verbs=list", "-o", "name").split()
        kinds = ",".join(kind for kind in listed if not kind.startswith(PASSING))
        for each in objects(kinds, *(("-n", release.namespace) if scope == "true" else ())):
            about = each["metadata"]
            labelled = about.get("labels", {}).get("app.kubernetes.io/instance") == release.name
            elsewhere = about.get("namespace", release.namespace) != release.namespace
            named = scope == "true" and f"{release.name}-" in f"{about['name']}-"
            if (labelled or named) and not elsewhere:
                ours.add(f"{each['kind']}/{about['name']}")
    return ours


def secrets(release: Release) -> dict[str, Any]:
    """The release's Secrets and what they hold."""
    found = {each["metadata"]["name"]: each["data"] for each in objects("secrets", "-n", release.namespace)}
    return {name: held for name, held in found.items() if name.startswith(f"{release.name}-")}


def test_claims_and_secrets_are_left_and_nothing_else(there_and_back: ThereAndBack) -> None:
    name = there_and_back.release.name
    claims = {f"PersistentVolumeClaim/{claim.format(name)}" for claim in CLAIMS}
    certificates = {f"tls-{workload}" for workload in there_and_back.workloads}
    assert there_and_back.left == claims | {f"Secret/{name}-{secret}" for secret in SECRETS | certificates}


def test_the_next_installation_takes_the_secrets_as_they_are(there_and_back: ThereAndBack) -> None:
    assert there_and_back.secrets_again == there_and_back.secrets


def test_it_knows_the_documents_of_before_and_whose_they_are(there_and_back: ThereAndBack) -> None:
    assert there_and_back.answer["data"]["pages"] == 3


def test_it_answers_a_signed_call(there_and_back: ThereAndBack) -> None:
    there_and_back.release.test()
