"""Who gets a connection at all: at Envoy's listeners, and at the ports behind it."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection

import pytest

from services.base.actions import BUILT_IN_DESCRIPTORS
from tests.e2e.support.deployment import Deployment
from tests.e2e.support.grpcurl import Grpcurl
from tests.e2e.support.waiting import eventually
from trust.certificates import ensure
from trust.certificates.folder import publish
from trust.certificates.issuing import Pair, issue_leaf

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
OPERATOR = "spiffe://papermesh/ns/default/sa/operator"

LISTENERS = ("edge", "mesh")
BEHIND_ENVOY = ("dispatch", "pdf")
STRANGERS = ("adapter", "operator", "dispatch", "pdf", "client/reports")

DISPATCH_METHODS = ("Invoke", "ListActions", "PutDocument", "GetDocument")
PDF_METHODS = ("GetMetadata", "GetOutline", "ExtractText")


def issue(mesh: Deployment, folder: Path, uri: str, now: datetime) -> Path:
    """A leaf of the mesh's own CA."""
    ca = mesh.tls_dir("ca")
    pair = issue_leaf(Pair.from_pem((ca / "ca.crt").read_bytes(), (ca / "ca.key").read_bytes()), uri, (), now)
    publish(folder, {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem, "ca.crt": (ca / "ca.crt").read_bytes()})
    return folder


def port_of(mesh: Deployment, name: str) -> int:
    ports = mesh.stack.ports
    own = {"edge": ports.edge, "mesh": ports.mesh, "dispatch": ports.dispatch, "pdf": ports.services["pdf"]}
    return own[name]


def greeting(
    mesh: Deployment,
    port: int,
    certificate: Path | None,
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> bytes:
    """What the other end says first to an HTTP/2 client that shows this certificate.

    Raises:
        OSError: when it refuses. With TLS 1.3 a client learns that from its first read, not from the handshake.
    """
    context = ssl.create_default_context(cafile=mesh.tls_dir("ca") / "ca.crt")
    context.check_hostname = False
    context.maximum_version = highest
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    with create_connection(("127.0.0.1", port), timeout=10) as plain, context.wrap_socket(plain) as secure:
        secure.sendall(PREFACE)
        received = secure.recv(9)
        if not received:
            raise ConnectionResetError
        return received


def must_be_refused(mesh: Deployment, listener: str, certificate: Path | None, counted_as: str) -> None:
    """Fails unless the listener refuses the handshake, and counts it."""
    counter = f"listener.{listener}.ssl.{counted_as}"
    before = mesh.counter(counter)
    with pytest.raises(OSError, match=r"alert|reset|EOF|^$"):
        greeting(mesh, port_of(mesh, listener), certificate)
    eventually(lambda: mesh.counter(counter) > before, what=f"the count of {counter}")


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_certificate_of_the_mesh_gets_a_connection(mesh: Deployment, listener: str) -> None:
    # An HTTP/2 server begins with its settings, frame type 4.
    assert greeting(mesh, port_of(mesh, listener), mesh.tls_dir("operator"))[3] == 4


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_certificate_of_another_ca_is_refused_and_counted(mesh: Deployment, tmp_path: Path, listener: str) -> None:
    ensure(tmp_path, "default", ["operator"])
    must_be_refused(mesh, listener, tmp_path / "operator", "fail_verify_error")


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_connection_without_a_certificate_is_refused_and_counted(mesh: Deployment, listener: str) -> None:
    must_be_refused(mesh, listener, None, "fail_verify_no_cert")


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("age_days", [91, -2], ids=["expired", "not-yet-valid"])
def test_a_certificate_out_of_its_time_is_refused_and_counted(
    mesh: Deployment, tmp_path: Path, listener: str, age_days: int
) -> None:
    folder = issue(mesh, tmp_path / "leaf", OPERATOR, datetime.now(UTC) - timedelta(days=age_days))
    must_be_refused(mesh, listener, folder, "fail_verify_error")


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    "uri", ["spiffe://papermesh/ns/other/sa/operator", "spiffe://elsewhere/ns/default/sa/operator"]
)
def test_a_certificate_of_another_namespace_is_refused_and_counted(
    mesh: Deployment, tmp_path: Path, listener: str, uri: str
) -> None:
    must_be_refused(mesh, listener, issue(mesh, tmp_path / "leaf", uri, datetime.now(UTC)), "fail_verify_san")


@pytest.mark.parametrize("listener", LISTENERS)
def test_tls_below_1_3_is_refused(mesh: Deployment, listener: str) -> None:
    with pytest.raises(ssl.SSLError, match="PROTOCOL"):
        greeting(mesh, port_of(mesh, listener), mesh.tls_dir("operator"), ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("part", BEHIND_ENVOY)
def test_a_port_behind_envoy_speaks_nothing_below_tls_1_3(mesh: Deployment, part: str) -> None:
    """Not even with Envoy's own certificate, with which it speaks TLS 1.3."""
    port, envoys = port_of(mesh, part), mesh.tls_dir("envoy")
    assert greeting(mesh, port, envoys)
    with pytest.raises(ssl.SSLError):
        greeting(mesh, port, envoys, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("part", BEHIND_ENVOY)
def test_a_port_behind_envoy_refuses_a_connection_without_a_certificate(mesh: Deployment, part: str) -> None:
    with pytest.raises(OSError, match=r"alert|reset|EOF|^$"):
        greeting(mesh, port_of(mesh, part), None)


@pytest.mark.parametrize("part", BEHIND_ENVOY)
def test_a_port_behind_envoy_refuses_a_certificate_of_another_ca(mesh: Deployment, tmp_path: Path, part: str) -> None:
    ensure(tmp_path, "default", ["envoy"])
    with pytest.raises(OSError, match=r"alert|reset|EOF|^$"):
        greeting(mesh, port_of(mesh, part), tmp_path / "envoy")


@pytest.mark.parametrize("part", BEHIND_ENVOY)
@pytest.mark.parametrize("certificate", STRANGERS)
def test_a_port_behind_envoy_serves_nobody_but_envoy(
    mesh: Deployment, grpcurl: Grpcurl, part: str, certificate: str
) -> None:
    for method in _methods(part):
        answer = _straight(mesh, grpcurl, part, certificate, method)
        assert answer.returncode != 0
        assert "PermissionDenied" in answer.stderr, answer.stderr
        assert "Only Envoy may call this service" in answer.stderr


@pytest.mark.parametrize("part", BEHIND_ENVOY)
@pytest.mark.parametrize("certificate", STRANGERS)
def test_a_port_behind_envoy_describes_itself_to_nobody_but_envoy(
    mesh: Deployment, grpcurl: Grpcurl, part: str, certificate: str
) -> None:
    address = f"127.0.0.1:{port_of(mesh, part)}"
    answer = grpcurl.run("-insecure", *grpcurl.certificate(mesh.tls_dir(certificate)), address, "list")
    assert answer.returncode != 0
    assert "Dispatch" not in answer.stdout
    assert "Pdf" not in answer.stdout


@pytest.mark.parametrize("part", BEHIND_ENVOY)
def test_a_port_behind_envoy_serves_envoy(mesh: Deployment, grpcurl: Grpcurl, part: str) -> None:
    answer = _straight(mesh, grpcurl, part, "envoy", "grpc.health.v1.Health/Check")
    assert "SERVING" in answer.stdout, answer.stderr


def _methods(part: str) -> list[str]:
    service, methods = {
        "dispatch": ("papermesh.dispatch.v1.DispatchService", DISPATCH_METHODS),
        "pdf": ("papermesh.pdf.v1.PdfService", PDF_METHODS),
    }[part]
    return ["grpc.health.v1.Health/Check", *(f"{service}/{method}" for method in methods)]


def _straight(
    mesh: Deployment, grpcurl: Grpcurl, part: str, certificate: str, method: str
) -> "subprocess.CompletedProcess[str]":
    """Calls a part past Envoy; its certificate has no host name, so nothing but -insecure would connect at all."""
    return grpcurl.run(
        "-insecure",
        *grpcurl.certificate(mesh.tls_dir(certificate)),
        *("-protoset", str(grpcurl.protoset if method.startswith("grpc.") else BUILT_IN_DESCRIPTORS)),
        *("-d", "{}"),
        f"127.0.0.1:{port_of(mesh, part)}",
        method,
    )
