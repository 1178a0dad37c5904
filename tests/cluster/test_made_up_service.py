"""A service of a company's own, which one entry of the values has brought into a running release."""

import re
from collections.abc import Iterator

import pytest
from cryptography import x509

from tests.cluster.conftest import Upgraded
from tests.cluster.support import made_up
from tests.cluster.support.asking import Asker, asking
from tests.cluster.support.kubectl import execute
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(900)

CALL = """
import asyncio, os, sys
from pathlib import Path
import grpc
from services.base.channel import open_channel
async def main():
    address, folder = os.environ["PAPERMESH_MESH_ADDRESS"], Path(os.environ["PAPERMESH_TLS_DIR"])
    async with open_channel(address, folder) as channel:
        try:
            await channel.unary_unary(sys.argv[1])(b"", timeout=10)
            print("OK")
        except grpc.aio.AioRpcError as error:
            print(error.code().name, error.details())
asyncio.run(main())
"""
"""Calls a method on Envoy's mesh listener with an empty message, as whoever the pod's certificate says."""

READ = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())"

IN_SECONDS = 20


@pytest.fixture(scope="module")
def asker(upgraded: Upgraded) -> Iterator[Asker]:
    with asking(upgraded.release) as asker:
        yield asker


@pytest.fixture(scope="module")
def scraper(upgraded: Upgraded) -> Iterator[str]:
    """A pod that may read Envoy's counters."""
    release = upgraded.release
    with running(release.namespace, restricted("scraping", release.image, labels={"test-role": "scraper"})):
        yield "scraping"


def call(release: Release, part: str, method: str) -> str:
    """How a call from a pod of a part ends."""
    pod = release.pods(part)[0]["metadata"]["name"]
    return execute(release.namespace, pod, "python", "-c", CALL, method)


def calls_through_envoy(release: Release, scraper: str) -> int:
    """How many calls Envoy's pods have passed on to the service."""
    total = 0
    for pod in release.pods("envoy"):
        url = f"http://{pod['status']['podIP']}:9901/stats/prometheus"
        counters = execute(release.namespace, scraper, "python", "-c", READ, url)
        wanted = rf'^envoy_cluster_upstream_rq_total\{{[^}}]*"{made_up.NAME}"[^}}]*\}} (\d+)$'
        total += sum(map(int, re.findall(wanted, counters, re.MULTILINE)))
    return total


def test_its_action_is_in_the_catalogue_as_its_proto_describes_it(asker: Asker) -> None:
    actions = {each["name"]: each for each in asker.get("/actions")["data"]["actions"]}
    assert actions[made_up.ACTION]["description"].startswith("Counts the words of a text")
    assert "PDF_METADATA" in actions


def test_it_is_called_through_the_mesh(upgraded: Upgraded, asker: Asker, scraper: str) -> None:
    before = calls_through_envoy(upgraded.release, scraper)
    answer = asker.invoke(made_up.ACTION, {"text": f"Leave is leave {before}.", "top": 1})
    assert answer["data"] == {"total": 4, "words": [{"word": "leave", "count": 2}]}
    eventually(
        lambda: calls_through_envoy(upgraded.release, scraper) > before, IN_SECONDS, "a call in Envoy's counters"
    )


def test_a_wrong_argument_is_named_by_the_rules_of_its_proto(asker: Asker) -> None:
    error = asker.invoke(made_up.ACTION, {"text": "a", "top": 101})["error"]
    assert error["code"] == "BAD_ARG"
    assert [each["field"] for each in error["details"]["fields"]] == ["top"]


def test_it_has_an_identity_of_its_own(upgraded: Upgraded) -> None:
    certificate = x509.load_pem_x509_certificate(upgraded.release.secret(f"tls-{made_up.NAME}", "tls.crt"))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        f"spiffe://papermesh/ns/{upgraded.release.namespace}/sa/{made_up.NAME}"
    ]


def test_a_caller_that_is_not_named_is_refused(upgraded: Upgraded) -> None:
    assert call(upgraded.release, made_up.BYSTANDER, made_up.METHOD).startswith("PERMISSION_DENIED")


def test_the_caller_that_is_named_is_let_through_to_it(upgraded: Upgraded) -> None:
    """The text is empty: it is the servicer that refuses."""
    assert call(upgraded.release, "dispatch", made_up.METHOD).startswith("INVALID_ARGUMENT")


def test_the_refused_caller_is_let_through_to_the_service_that_it_names(upgraded: Upgraded) -> None:
    """There is no document: it is the servicer that refuses."""
    assert call(upgraded.release, made_up.BYSTANDER, made_up.CALLEES_METHOD).startswith("INVALID_ARGUMENT")
