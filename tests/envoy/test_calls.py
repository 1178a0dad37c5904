"""What passes through a running Envoy, and as whom."""

from http import HTTPStatus
from pathlib import Path

import grpc
import pytest

from envoy.limits import REQUEST_BYTES
from tests.envoy.backend import HEALTH_CHECK
from tests.envoy.harness import (
    GET_METADATA,
    INVOKE,
    REFLECTION,
    Mesh,
    eventually,
    running_mesh,
)

XFCC = "x-forwarded-client-cert"


@pytest.mark.parametrize("caller", ["adapter", "operator", "client/reports"])
def test_an_allowed_caller_reaches_dispatch(mesh: Mesh, caller: str) -> None:
    assert mesh.call(INVOKE, by=caller, request=b"hello") == b"hello"


def test_dispatch_reaches_pdf_through_the_mesh(mesh: Mesh) -> None:
    assert mesh.call(GET_METADATA, by="dispatch", request=b"hello") == b"hello"


@pytest.mark.parametrize(("path", "caller"), [(INVOKE, "adapter"), (GET_METADATA, "dispatch")])
def test_a_backend_sees_one_certificate_header_whatever_the_caller_forges(mesh: Mesh, path: str, caller: str) -> None:
    forged = ((XFCC, "URI=spiffe://papermesh/ns/default/sa/operator"), (XFCC, "Hash=00;URI=spiffe://x/y"))
    mesh.call(path, by=caller, metadata=forged)
    (call,) = mesh.dispatch.calls + mesh.pdf.calls
    (header,) = call.values(XFCC)
    assert isinstance(header, str)
    assert "," not in header
    assert header.split(";")[-1] == f"URI=spiffe://papermesh/ns/default/sa/{caller}"


def test_a_call_gets_its_id_at_the_edge_and_not_from_the_caller(mesh: Mesh) -> None:
    mesh.call(INVOKE, metadata=(("x-request-id", "mine"),))
    (request_id,) = mesh.dispatch.calls[0].values("x-request-id")
    assert request_id != "mine"
    assert len(request_id) == 36


def test_the_mesh_keeps_the_id_that_dispatch_passes_on(mesh: Mesh) -> None:
    mesh.call(GET_METADATA, by="dispatch", metadata=(("x-request-id", "given-by-the-edge"),))
    assert mesh.pdf.calls[0].values("x-request-id") == ["given-by-the-edge"]


def test_a_caller_cannot_steer_envoy_by_headers(mesh: Mesh) -> None:
    steering = {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "9", "x-envoy-upstream-rq-timeout-ms": "1"}
    mesh.call(INVOKE, metadata=tuple(steering.items()))
    assert not [key for key, _ in mesh.dispatch.calls[0].metadata if key in steering]


def test_a_trace_travels_untouched(mesh: Mesh) -> None:
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    mesh.call(INVOKE, metadata=(("traceparent", traceparent),))
    assert mesh.dispatch.calls[0].values("traceparent") == [traceparent]


def test_a_message_larger_than_every_buffer_passes(mesh: Mesh) -> None:
    request = bytes(1_000_000)
    assert mesh.call(GET_METADATA, by="dispatch", request=request) == request


@pytest.mark.parametrize(("path", "caller"), [(INVOKE, "adapter"), (GET_METADATA, "dispatch")])
def test_a_request_over_the_limit_is_out_of_range_and_reaches_nobody(mesh: Mesh, path: str, caller: str) -> None:
    error = mesh.refused(path, by=caller, request=bytes(REQUEST_BYTES + 1))
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert mesh.dispatch.calls == mesh.pdf.calls == []
    largest = bytes(REQUEST_BYTES - 5)  # five bytes of gRPC's frame come before the message
    assert mesh.call(path, by=caller, request=largest) == largest


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        (HEALTH_CHECK, "adapter"),
        (REFLECTION, "adapter"),
        (REFLECTION, "client/reports"),
        (INVOKE, "pdf"),
        (INVOKE, "dispatch"),
        (INVOKE, "envoy"),
        (GET_METADATA, "adapter"),
        (GET_METADATA, "worker"),
        (GET_METADATA, "client/reports"),
        (GET_METADATA, "operator"),
        ("/unknown.Service/Method", "pdf"),
    ],
)
def test_whoever_no_policy_names_is_denied(mesh: Mesh, path: str, caller: str) -> None:
    assert mesh.refused(path, by=caller).code() is grpc.StatusCode.PERMISSION_DENIED
    assert mesh.dispatch.calls + mesh.pdf.calls == []


@pytest.mark.parametrize("path", [HEALTH_CHECK, REFLECTION])
def test_the_operator_may_ask_for_health_and_reflection(mesh: Mesh, path: str) -> None:
    mesh.call(path, by="operator")


def test_the_operator_reaches_services_only_where_the_topology_lets_him(folder: Path) -> None:
    with running_mesh(folder, operator_on_mesh=True) as mesh:
        assert mesh.call(GET_METADATA, by="operator", request=b"hello") == b"hello"


@pytest.mark.parametrize("path", ["/unknown.Service/Method", "/papermesh.dispatch.v1.DispatchService/Unknown"])
def test_an_unknown_method_is_unimplemented(mesh: Mesh, path: str) -> None:
    assert mesh.refused(path).code() is grpc.StatusCode.UNIMPLEMENTED
    assert mesh.dispatch.calls == []


def test_an_unknown_method_of_a_service_is_unimplemented_on_the_mesh(mesh: Mesh) -> None:
    error = mesh.refused("/papermesh.pdf.v1.PdfService/Unknown", by="dispatch")
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_header_with_an_underscore_is_rejected(mesh: Mesh) -> None:
    assert mesh.refused(INVOKE, metadata=(("x_action", "PDF_TEXT"),)).code() is grpc.StatusCode.INTERNAL
    assert mesh.dispatch.calls == []
    assert mesh.call(INVOKE, request=b"still here") == b"still here"


@pytest.mark.parametrize("slash", ["%2F", "%2f", "%5C"])
def test_an_escaped_slash_is_rejected(mesh: Mesh, slash: str) -> None:
    mesh.refused(f"/papermesh.dispatch.v1.DispatchService{slash}Invoke")
    assert mesh.dispatch.calls == []


def test_access_control_sees_the_path_that_is_routed(mesh: Mesh) -> None:
    detour = "/papermesh.dispatch.v1.DispatchService/..//grpc.health.v1.Health/Check"
    assert mesh.refused(detour).code() is grpc.StatusCode.PERMISSION_DENIED


def test_envoys_own_answers_say_nothing_of_hosts_and_carry_the_calls_id(mesh: Mesh) -> None:
    error = mesh.refused("/unknown.Service/Method")
    assert error.details() == "envoy: NR"
    headers = {key for key, _ in (*error.initial_metadata(), *error.trailing_metadata())}
    assert "x-request-id" in headers
    assert "server" not in headers
    assert not [key for key in headers if key.startswith("x-envoy")]


def test_the_access_log_tells_who_called_what_and_no_argument(mesh: Mesh) -> None:
    metadata = (("x-client", "adapter"), ("x-action", "PDF_TEXT"), ("traceparent", f"00-{'c' * 32}-{'d' * 16}-01"))
    mesh.call(INVOKE, request=b"a secret argument", metadata=metadata)
    (request_id,) = mesh.dispatch.calls[0].values("x-request-id")
    eventually(lambda: any(line["request_id"] == request_id for line in mesh.envoy.access_log()))
    (line,) = [line for line in mesh.envoy.access_log() if line["request_id"] == request_id]
    assert line["time"].endswith("Z")
    assert line["duration_ms"] >= 0
    assert line["bytes_in"] == line["bytes_out"] == len(b"a secret argument") + 5
    expected = {
        "listener": "edge",
        "path": INVOKE,
        "grpc_status": "OK",
        "flags": "-",
        "cluster": "dispatch",
        "host": f"127.0.0.1:{mesh.dispatch.port}",
        "peer": "spiffe://papermesh/ns/default/sa/adapter",
        "client": "adapter",
        "action": "PDF_TEXT",
        "traceparent": f"00-{'c' * 32}-{'d' * 16}-01",
    }
    assert {key: line[key] for key in expected} == expected
    assert "secret" not in str(line)


def test_the_admin_interface_is_its_owners_and_cannot_end_the_process(mesh: Mesh) -> None:
    assert Path(mesh.envoy.topology.admin_socket).stat().st_mode & 0o777 == 0o600
    for path in ("/quitquitquit", "/config_dump", "/logging", "/runtime_modify", "/"):
        assert mesh.envoy.get(path)[0] == HTTPStatus.FORBIDDEN, path
    for path in ("/ready", "/stats", "/stats/prometheus", "/certs", "/clusters?format=json"):
        assert mesh.envoy.get(path)[0] == HTTPStatus.OK, path
