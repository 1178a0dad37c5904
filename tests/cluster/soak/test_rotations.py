"""Certificates are replaced under load, and no call is lost: proved by the serial numbers that handshakes show."""

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.support.kubectl import execute
from tests.cluster.support.load import load
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.timeout(1_200)

TAKEN_UP_WITHIN_S = 240

BEHIND = {"dispatch": 9101, "pdf": 9102}
"""Listeners that Envoy alone reaches."""

SERIALS = """
import ssl, sys
from cryptography import x509
for listener in sys.argv[1:]:
    host, port = listener.rsplit(":", 1)
    shown = ssl.get_server_certificate((host, int(port)), timeout=10)
    print(listener, x509.load_pem_x509_certificate(shown.encode()).serial_number)
"""
"""Shakes hands with listeners; they show their certificate before they ask for the caller's."""


@pytest.fixture(scope="module")
def hand(release: Release) -> Iterator[str]:
    """A pod that may reach Envoy's edge."""
    name = "shaking-hands"
    with running(release.namespace, restricted(name, release.image, labels={"test-role": "edge-client"})):
        yield name


def serials(release: Release, hand: str) -> dict[str, str]:
    """The serial number of the certificate that every listener of every pod shows."""
    edge = [f"{pod['status']['podIP']}:8443" for pod in release.pods("envoy")]
    behind = [f"{pod['status']['podIP']}:{port}" for part, port in BEHIND.items() for pod in release.pods(part)]
    envoy = release.pods("envoy")[0]["metadata"]["name"]
    said = execute(release.namespace, hand, "python", "-c", SERIALS, *edge)
    said += execute(release.namespace, envoy, "python", "-c", SERIALS, *behind, container="drain")
    return dict(line.split() for line in said.splitlines())


def all_new(before: dict[str, str], now: dict[str, str]) -> bool:
    """Whether the same listeners all show another certificate."""
    return before.keys() == now.keys() and not before.items() & now.items()


@pytest.mark.parametrize("what", ["leaves", "ca"])
def test_a_rotation_loses_no_call(release: Release, pace: float, hand: str, what: str) -> None:
    before = serials(release, hand)
    pods = release.restarts()
    with load(release, pace) as met:
        took = release.upgrade({"certificates": {"rotate": {what: secrets.token_hex(8)}}})
        eventually(lambda: all_new(before, serials(release, hand)), TAKEN_UP_WITHIN_S, "new certificates everywhere")
    met.must_have_lost_nothing(f"rotation of {what}, {took:.0f} s")
    assert release.restarts() == pods
