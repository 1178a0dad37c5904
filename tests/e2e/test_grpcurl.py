"""An operator with grpcurl: looks at the mesh by reflection, and pastes the line that `papermesh sign` prints."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.support.deployment import Deployment
from tests.e2e.support.grpcurl import Grpcurl

PAPERMESH = Path(sys.prefix, "bin", "papermesh")
DISPATCH_SERVICE = "papermesh.dispatch.v1.DispatchService"


def look(mesh: Deployment, grpcurl: Grpcurl, *words: str) -> str:
    """What grpcurl prints when the operator asks Envoy's edge."""
    tls_dir = mesh.tls_dir("operator")
    answer = grpcurl.run(*grpcurl.trust(tls_dir), *grpcurl.certificate(tls_dir), mesh.stack.edge_address, *words)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def sign(mesh: Deployment, *words: str) -> str:
    """The line that `papermesh sign` prints for the operator."""
    command = [
        str(PAPERMESH),
        *("sign", *words),
        *("--certs", str(mesh.tls_dir("operator")), "--key", str(mesh.stack.key_file("operator"))),
        *("--edge", mesh.stack.edge_address, "--url", mesh.stack.url),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    (line,) = answer.stdout.splitlines()
    return line


def paste(line: str) -> "subprocess.CompletedProcess[str]":
    """What happens when the line is pasted into a shell."""
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)


def result(answer: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    """The result in what grpcurl printed."""
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(json.loads(answer.stdout)["json"])
    return found


def test_the_operator_lists_the_services_by_reflection(mesh: Deployment, grpcurl: Grpcurl) -> None:
    services = look(mesh, grpcurl, "list").split()
    assert {DISPATCH_SERVICE, "grpc.health.v1.Health"} <= set(services)


def test_the_operator_lists_the_methods_of_dispatch(mesh: Deployment, grpcurl: Grpcurl) -> None:
    methods = look(mesh, grpcurl, "list", DISPATCH_SERVICE).split()
    assert {f"{DISPATCH_SERVICE}.{name}" for name in ("Invoke", "ListActions", "PutDocument", "GetDocument")} <= set(
        methods
    )


def test_the_operator_has_a_message_described(mesh: Deployment, grpcurl: Grpcurl) -> None:
    described = look(mesh, grpcurl, "describe", "papermesh.dispatch.v1.InvokeRequest")
    for line in ("string action = 1;", ".google.protobuf.Struct args = 2;", "string actor = 3;"):
        assert line in described


def test_the_operator_asks_for_the_health_of_dispatch(mesh: Deployment, grpcurl: Grpcurl) -> None:
    assert "SERVING" in look(mesh, grpcurl, "grpc.health.v1.Health/Check")


@pytest.mark.parametrize("certificate", ["adapter", "client/reports", "pdf"])
def test_nobody_else_sees_the_services(mesh: Deployment, grpcurl: Grpcurl, certificate: str) -> None:
    tls_dir = mesh.tls_dir(certificate)
    answer = grpcurl.run(*grpcurl.trust(tls_dir), *grpcurl.certificate(tls_dir), mesh.stack.edge_address, "list")
    assert answer.returncode != 0
    assert "papermesh" not in answer.stdout


def test_without_a_certificate_grpcurl_gets_no_connection(mesh: Deployment, grpcurl: Grpcurl) -> None:
    answer = grpcurl.run(*grpcurl.trust(mesh.tls_dir("operator")), mesh.stack.edge_address, "list")
    assert answer.returncode != 0
    assert answer.stdout == ""


def test_the_line_that_sign_prints_works_once(mesh: Deployment) -> None:
    line = sign(mesh, "PDF_METADATA", str(mesh.good_document))

    assert result(paste(line))["pages"] == 3

    again = paste(line)
    assert again.returncode != 0
    assert "Unauthenticated" in again.stderr
    assert "was made before" in again.stderr


def test_the_line_that_sign_prints_is_worth_nothing_without_the_certificate(mesh: Deployment) -> None:
    line = sign(mesh, "PDF_METADATA", str(mesh.good_document))
    words = shlex.split(line)
    for option in ("-cert", "-key"):
        place = words.index(option)
        del words[place : place + 2]

    stolen = paste(shlex.join(words))

    assert stolen.returncode != 0
    assert stolen.stdout == ""
    assert result(paste(line))["pages"] == 3


def test_a_document_uploaded_through_the_adapter_can_be_named_by_its_digest(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    args = json.dumps({"doc_ref": reference, "pages": "2"})
    items = result(paste(sign(mesh, "PDF_TEXT", "--args", args)))["items"]
    assert isinstance(items, list)
    assert [item["page"] for item in items] == [2]


@pytest.mark.parametrize(
    "name", ["휴가 규정 (최종).pdf", "it's.pdf", 'a "b" $(touch c) `d` !e.pdf', "-d.pdf", "new\nline.pdf"]
)
def test_no_file_name_can_break_the_line(mesh: Deployment, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(mesh.good_document.read_bytes())
    assert result(paste(sign(mesh, "PDF_METADATA", str(file))))["pages"] == 3
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_the_line_shows_no_secret(mesh: Deployment) -> None:
    secret = json.loads(mesh.stack.key_file("operator").read_text())["secret"]
    assert secret not in sign(mesh, "PDF_METADATA", str(mesh.good_document))
