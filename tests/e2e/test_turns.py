"""A client with many slow calls at pdf: another's call waits for one of them, and not for all."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.pdf.worker.mupdf import pymupdf
from tests.e2e.support.caller import Channel, invocation, path
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.waiting import eventually

pytestmark = pytest.mark.measures_time

SLOW_CALLS = 24
PAGES = 5


@pytest.fixture(scope="module")
def long_document() -> bytes:
    """Crowded pages, which take about a second to read."""
    line = "every word of this line has to be placed, measured and written down " * 4
    with pymupdf.open() as document:
        for _ in range(PAGES):
            page = document.new_page()
            for number in range(100):
                page.insert_text((10, 10 + 8 * number), line, fontsize=3)
        content: bytes = document.tobytes()
    return content


@pytest.fixture
def connection(mesh: Deployment) -> Iterator[Channel]:
    """One of the flooding client's own."""
    with Channel(mesh.stack.edge_address, mesh.tls_dir("client/crowd")) as channel:
        yield channel


def test_a_clients_call_overtakes_most_of_what_another_has_sent_before(
    mesh: Deployment, connection: Channel, long_document: bytes
) -> None:
    crowd, narrow = mesh.caller("crowd"), mesh.caller("narrow")
    args = {"doc_ref": crowd.put(long_document)}
    mine = {"doc_ref": narrow.put(mesh.good_document.read_bytes())}

    def start() -> Any:
        request = invocation("PDF_TEXT", args)
        request.no_cache = True
        return connection.start(path("Invoke"), request.SerializeToString(), crowd.sign("Invoke", request))

    asked = mesh.counter("cluster.pdf.upstream_rq_total")
    slow = [start() for _ in range(SLOW_CALLS)]
    eventually(lambda: mesh.counter("cluster.pdf.upstream_rq_total") - asked >= SLOW_CALLS, what="the last one at pdf")
    left = sum(not call.done() for call in slow)
    request = invocation("PDF_METADATA", mine)
    request.no_cache = True
    began = time.monotonic()
    assert narrow.outcome("Invoke", request) == ""
    took_s = time.monotonic() - began

    overtaken = sum(not call.done() for call in slow)
    print(f"{took_s:.2f} s, with {left} slow calls before and {overtaken} after")  # noqa: T201 - figures
    assert left >= SLOW_CALLS / 2, "they were too fast to be in the way"
    assert overtaken >= left / 2
    for call in slow:
        call.cancel()
