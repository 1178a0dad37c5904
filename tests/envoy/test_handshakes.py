"""Who gets into a running Envoy at all, and which certificates Envoy itself trusts."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection

import grpc
import pytest

from tests.envoy.harness import GET_METADATA, INVOKE, Mesh, eventually, running_mesh
from trust.certificates import ensure
from trust.certificates.folder import publish
from trust.certificates.issuing import Pair, issue_leaf


def issue(mesh: Mesh, folder: Path, uri: str, now: datetime) -> None:
    """A leaf of the mesh's own CA, at `folder`/adapter."""
    ca = mesh.certs / "ca"
    pair = issue_leaf(Pair.from_pem((ca / "ca.crt").read_bytes(), (ca / "ca.key").read_bytes()), uri, (), now)
    files = {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem, "ca.crt": (ca / "ca.crt").read_bytes()}
    publish(folder / "adapter", files)


@contextmanager
def counted(mesh: Mesh, reason: str) -> Iterator[None]:
    """Expects Envoy to count the failed handshake under `reason`."""
    name = f"listener.edge.ssl.{reason}"
    before = mesh.envoy.counter(name)
    yield
    eventually(lambda: mesh.envoy.counter(name) > before)


def test_a_certificate_of_another_ca_is_refused_and_counted(mesh: Mesh, folder: Path) -> None:
    ensure(folder, "default", ["adapter"])
    with counted(mesh, "fail_verify_error"):
        assert mesh.refused(INVOKE, certs=folder).code() is grpc.StatusCode.UNAVAILABLE


def test_an_expired_certificate_is_refused_and_counted(mesh: Mesh, folder: Path) -> None:
    issue(mesh, folder, "spiffe://papermesh/ns/default/sa/adapter", datetime.now(UTC) - timedelta(days=91))
    with counted(mesh, "fail_verify_error"):
        assert mesh.refused(INVOKE, certs=folder).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("namespace", ["other", "default-2"])
def test_a_certificate_of_another_namespace_is_refused_and_counted(mesh: Mesh, folder: Path, namespace: str) -> None:
    issue(mesh, folder, f"spiffe://papermesh/ns/{namespace}/sa/adapter", datetime.now(UTC))
    with counted(mesh, "fail_verify_san"):
        assert mesh.refused(INVOKE, certs=folder).code() is grpc.StatusCode.UNAVAILABLE


def test_a_caller_without_a_certificate_is_refused_and_counted(mesh: Mesh) -> None:
    edge = mesh.envoy.topology.edge
    credentials = grpc.ssl_channel_credentials((mesh.certs / "ca" / "ca.crt").read_bytes())
    with counted(mesh, "fail_verify_no_cert"), grpc.secure_channel(f"{edge.host}:{edge.port}", credentials) as channel:
        with pytest.raises(grpc.RpcError) as refusal:
            channel.unary_unary(INVOKE)(b"", timeout=10)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tls_below_1_3_is_refused(mesh: Mesh) -> None:
    context = ssl.create_default_context(cafile=mesh.certs / "ca" / "ca.crt")
    context.load_cert_chain(mesh.certs / "adapter" / "tls.crt", mesh.certs / "adapter" / "tls.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    edge = mesh.envoy.topology.edge
    with create_connection((edge.host, edge.port), timeout=10) as plain, pytest.raises(ssl.SSLError, match="PROTOCOL"):
        context.wrap_socket(plain, server_hostname="localhost")


def test_only_http_2_is_negotiated(mesh: Mesh) -> None:
    context = ssl.create_default_context(cafile=mesh.certs / "ca" / "ca.crt")
    context.load_cert_chain(mesh.certs / "adapter" / "tls.crt", mesh.certs / "adapter" / "tls.key")
    context.set_alpn_protocols(["http/1.1", "h2"])
    edge = mesh.envoy.topology.edge
    with (
        create_connection((edge.host, edge.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"


def test_a_backend_that_shows_another_workloads_certificate_is_not_called(folder: Path) -> None:
    with running_mesh(folder, pdf_identity="gitlab") as mesh:
        error = mesh.refused(GET_METADATA, by="dispatch")
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert mesh.pdf.calls == []
        assert mesh.envoy.counter("cluster.pdf.ssl.fail_verify_san") >= 1


def test_a_renewed_certificate_is_taken_up_without_a_restart(folder: Path) -> None:
    with running_mesh(folder) as mesh, mesh.channel(mesh.envoy.topology.edge) as channel:
        invoke = channel.unary_unary(INVOKE)
        invoke(b"", timeout=10)
        updates = mesh.envoy.counter("listener.edge.server_ssl_socket_factory.ssl_context_update_by_sds")
        before = mesh.envoy.get("/certs")
        renewed = ensure(mesh.certs, "default", ["envoy"], now=datetime.now(UTC) + timedelta(days=61))
        assert [outcome.done for outcome in renewed] == ["kept", "renewed"]
        eventually(lambda: mesh.envoy.get("/certs") != before)
        eventually(
            lambda: mesh.envoy.counter("listener.edge.server_ssl_socket_factory.ssl_context_update_by_sds") > updates
        )
        assert invoke(b"the same connection", timeout=10) == b"the same connection"
