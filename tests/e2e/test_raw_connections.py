"""What somebody without a certificate can take from others: the places of connections at Envoy's edge."""

import os
from statistics import median

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.bystander import Bystander
from tests.e2e.support.caller import Caller, Channel
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.raw_connections import RawConnections, client_hello
from tests.e2e.support.waiting import eventually

MOST_SLOWER = 1.5
"""How much slower others' calls may become while it lasts."""

SOAK = bool(os.environ.get("PAPERMESH_SOAK"))


def newcomer(mesh: Deployment) -> Bystander:
    """Somebody who makes a connection for each call."""
    signature = mesh.caller("operator").signature

    def call() -> None:
        with Channel(mesh.stack.edge_address, mesh.tls_dir("operator")) as channel:
            Caller(channel, signature).call("ListActions", pb.ListActionsRequest())

    return Bystander(call)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("says", "in_soak"), [(b"", 2000), (client_hello(), 600)], ids=["silent", "half-done-handshakes"]
)
def test_connections_that_come_to_nothing_keep_no_newcomer_out(mesh: Deployment, says: bytes, in_soak: int) -> None:
    """Each is closed soon, and opened anew at once. A half-done handshake costs Envoy a signature, and others time."""
    with newcomer(mesh) as other:
        quiet = other.median_of(50) if SOAK else 0
        with RawConnections(mesh.stack.ports.edge, in_soak if SOAK else 700, says=says) as raw:
            before = other.calls
            eventually(lambda: raw.closed > 700, limit_s=30, what="the end of as many connections")
            other.goes_on_for(60 if SOAK else 0)
            eventually(lambda: other.calls > before + 5 or other.failures, limit_s=30, what="more calls")
            attacked = median(other.latencies_s[before:])
    assert other.failures == []
    assert mesh.counter("listener.edge.downstream_cx_overflow") == 0
    if SOAK:
        print(f"{raw.closed} connections closed; {quiet * 1000:.1f} -> {attacked * 1000:.1f} ms")  # noqa: T201
        assert attacked <= MOST_SLOWER * quiet
