"""What somebody with a certificate, and with or without a key, can take from others: places of calls, and windows."""

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.shares import SHARE
from tests.e2e.support.bystander import Bystander
from tests.e2e.support.caller import Caller, Channel, OpenCall, download, path
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.waiting import eventually
from tests.support.pdfs import pdf_bytes

pytestmark = pytest.mark.measures_time

UNFINISHED = bytes(1_000_000)
"""A message of no meaning, in a request that does not end: held until it is whole, it would be held for ever."""

REFUSED = {
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INVALID_ARGUMENT,
}

ON_A_CONNECTION = 90


class Attackers:
    """Calls with one certificate over as many connections as they need."""

    def __init__(self, mesh: Deployment, certificate: str) -> None:
        self._mesh = mesh
        self._certificate = certificate
        self._channels: list[Channel] = []
        self.calls: list[OpenCall] = []

    def open(self, method: str) -> OpenCall:
        """One more call, of which only the headers are sent."""
        if len(self.calls) % ON_A_CONNECTION == 0:
            self._channels.append(Channel(self._mesh.stack.edge_address, self._mesh.tls_dir(self._certificate)))
        call = self._channels[-1].open(path(method), (("x-action", "PDF_METADATA"),))
        self.calls.append(call)
        return call

    def close(self) -> None:
        """Gives everything up."""
        for call in self.calls:
            call.cancel()
        for channel in self._channels:
            channel.close()

    def ends(self) -> Counter[grpc.StatusCode]:
        """How the calls ended; waits for all."""
        return Counter(call.code() for call in self.calls)


@pytest.fixture
def rude(mesh: Deployment) -> Any:
    attackers = Attackers(mesh, "client/rude")
    yield attackers
    attackers.close()


def silent(attackers: Attackers) -> None:
    attackers.open("PutDocument")


def unfinished(attackers: Attackers) -> None:
    methods = ("Invoke", "ListActions", "GetDocument", "DeleteDocument")
    attackers.open(methods[len(attackers.calls) % len(methods)]).send(UNFINISHED)


@pytest.mark.parametrize("call", [silent, unfinished])
def test_calls_that_are_not_verified_end_and_keep_nobody_out(
    mesh: Deployment, reports: Caller, rude: Attackers, call: Callable[[Attackers], None]
) -> None:
    """As many as Envoy once let in altogether, with one certificate and no key."""
    with Bystander(lambda: reports.call("ListActions", pb.ListActionsRequest())) as other:
        for _ in range(SHARE + 20):
            call(rude)
        before = other.calls
        ends = rude.ends()
        eventually(lambda: other.calls > before or other.failures)
    assert other.failures == []
    assert set(ends) <= REFUSED
    assert mesh.counter("overload.envoy.resource_monitors.fixed_heap.pressure") < 25


def test_an_upload_that_is_verified_may_take_its_time(reports: Caller, rude: Attackers) -> None:
    content = pdf_bytes(20)
    header = pb.PutDocumentHeader(sha256=sha256(content).hexdigest(), size=len(content))
    upload = reports.channel.open(path("PutDocument"), reports.sign("PutDocument", header))
    upload.send(pb.PutDocumentRequest(header=header).SerializeToString())
    for _ in range(2):  # one after the other, they take longer than Envoy gives a request that is not verified
        assert rude.open("PutDocument").code() is grpc.StatusCode.DEADLINE_EXCEEDED
    upload.send(pb.PutDocumentRequest(data=content).SerializeToString())
    upload.end()
    assert upload.code() is grpc.StatusCode.OK


def test_downloads_that_nobody_reads_hold_up_nobody_elses(mesh: Deployment, operator: Caller, reports: Caller) -> None:
    """They wait in the windows of a connection between Envoy and dispatch, which all callers share."""
    mine, theirs = operator.put(pdf_bytes(3_000_000)), reports.put(pdf_bytes(3_000_000))
    with Channel(mesh.stack.edge_address, mesh.tls_dir("operator"), options=Channel.READS_LITTLE) as channel:
        request = download(mine)
        unread = [
            channel.start_stream(
                path("GetDocument"), request.SerializeToString(), operator.sign("GetDocument", request)
            )
            for _ in range(60)
        ]
        for call in unread:
            next(call)
        with Bystander(lambda: reports.get(theirs)) as other:
            eventually(lambda: other.calls >= 3 or other.failures)
        for call in unread:
            call.cancel()
    assert other.failures == []
