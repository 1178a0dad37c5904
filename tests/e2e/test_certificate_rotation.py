"""Every leaf and then the CA are replaced while callers call: no call is lost, and nobody shows an old one afterwards.

PAPERMESH_SOAK_S=60 PAPERMESH_SOAK_CALLERS=20 make it the long run.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from deploy.local.parts import NAMESPACE
from services.base.identity import workload_id
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.waiting import eventually
from trust import certificates
from trust.certificates import Listener, takeup
from trust.certificates.issuing import Pair, issue_leaf

pytestmark = pytest.mark.measures_time

SOAK_S = float(os.environ.get("PAPERMESH_SOAK_S", "15"))
CALLERS = int(os.environ.get("PAPERMESH_SOAK_CALLERS", "8"))

SETTLE_S = 3.0
"""What the adapter and dispatch get to take a step's files up: they look every second."""

PYTHON_CLIENTS = ("adapter", "dispatch")


@dataclass
class Load:
    """Callers that call until told to stop; each answer that is not the right one is a call lost."""

    mesh: Deployment
    served: list[float] = field(default_factory=list)
    """Seconds that each took."""

    lost: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def call(self, reference: dict[str, str]) -> None:
        """One caller, with connections of its own."""
        body = {"action": "PDF_METADATA", "args": {"doc_ref": reference}}
        with httpx.Client(base_url=self.mesh.stack.url, timeout=60, trust_env=False) as http:
            while not self.stop.is_set():
                began = time.monotonic()
                try:
                    answer = http.post("/mcp/invoke", json=body, headers={"cache-control": "no-cache"}).json()
                except (httpx.HTTPError, ValueError) as error:
                    self.lost.append(repr(error))
                    continue
                if answer["ok"] and answer["data"]["pages"] == 3:
                    self.served.append(time.monotonic() - began)
                else:
                    self.lost.append(str(answer))

    @contextmanager
    def running(self) -> Iterator[None]:
        reference = self.mesh.adapter.reference(self.mesh.good_document)
        threads = [threading.Thread(target=self.call, args=(reference,)) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def listeners(mesh: Deployment) -> list[Listener]:
    """Every port that shows a certificate."""
    ports = mesh.stack.ports
    backends = {service.name: ports.of(service) for service in mesh.stack.services}
    shown = [("envoy", ports.edge), ("envoy", ports.mesh), ("dispatch", ports.dispatch), *backends.items()]
    return [Listener(member, "127.0.0.1", port) for member, port in shown]


def serial(mesh: Deployment, workload: str) -> str:
    leaf = x509.load_pem_x509_certificate((mesh.tls_dir(workload) / "tls.crt").read_bytes())
    return f"{leaf.serial_number:x}"


def everybody_shows_the_newest(mesh: Deployment) -> bool:
    """Listeners by what they show in a handshake, those who only call by what they say that they do."""
    signer = certificates.authority_of(mesh.stack.folders.certs).issuer
    shown = [(each, takeup.shake_hands(each, probe(signer))) for each in listeners(mesh)]
    return all(
        shaken and shaken.let_in and f"{shaken.certificate.serial_number:x}" == serial(mesh, each.member)
        for each, shaken in shown
    ) and all(f'"serial": "{serial(mesh, each)}"' in mesh.log(each) for each in PYTHON_CLIENTS)


def probe(signer: Pair) -> Pair:
    """An operator's leaf for a handshake."""
    return issue_leaf(signer, workload_id(NAMESPACE, "operator"), (), datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def own_mesh(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, **RATES_OUT_OF_THE_WAY) as mesh:
        yield mesh


@pytest.mark.timeout(SOAK_S + 280)
def test_every_leaf_and_the_ca_are_replaced_under_load_and_no_call_is_lost(own_mesh: Deployment) -> None:
    mesh, certs = own_mesh, own_mesh.stack.folders.certs
    processes = {name: part.pid for name, part in mesh.stack.parts.items()}
    old = certificates.authority_of(certs).issuer
    load, began, rotations = Load(mesh), time.monotonic(), 0
    with load.running():
        while rotations == 0 or time.monotonic() < began + SOAK_S:
            certificates.rotate_leaves(certs)
            eventually(lambda: everybody_shows_the_newest(mesh), 60, "the newest leaf at everybody")
            certificates.rotate_ca(certs, NAMESPACE, listeners(mesh), settle_s=SETTLE_S, limit_s=60)
            eventually(lambda: everybody_shows_the_newest(mesh), 60, "a leaf of the new CA at everybody")
            rotations += 1

    assert load.lost == []
    assert len(load.served) > 10 * CALLERS
    print(f"{len(load.served)} calls, {rotations} rotations, the slowest {max(load.served):.3f} s")  # noqa: T201
    assert {name: part.pid for name, part in mesh.stack.parts.items()} == processes, "nobody was restarted"
    with pytest.raises(certificates.CertificateError):
        certificates.take(certs, certificates.Step.ISSUE, NAMESPACE)

    def old_ca_is_refused_everywhere() -> bool:
        shaken = [takeup.shake_hands(each, probe(old)) for each in listeners(mesh)]
        return all(each and not each.let_in for each in shaken)

    eventually(old_ca_is_refused_everywhere, 30, "a refusal of the old CA's leaf at everybody")
    # Every connection is made anew: nobody lives on one that was let in before.
    mesh.stack.restart("envoy")
    eventually(mesh.works, 30, "a good call")
