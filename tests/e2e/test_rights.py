"""Who may do what: actions and actors by the clients file, documents by who uploaded them."""

import secrets

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from tests.e2e.support.caller import Caller, Channel, download, invocation, path
from tests.e2e.support.deployment import Deployment
from tests.support.pdfs import pdf_bytes

GET_METADATA = "/papermesh.pdf.v1.PdfService/GetMetadata"
GET_PROJECT_INFO = "/papermesh.gitlab.v1.GitlabService/GetProjectInfo"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
PLANNED = ("SubmitJob", "GetJob", "WatchJob", "GetJobResult", "CancelJob")


@pytest.fixture
def narrow(mesh: Deployment) -> Caller:
    """A client that may ask for metadata and nothing else."""
    return mesh.caller("narrow")


def test_a_client_may_call_the_actions_that_its_entry_lists(mesh: Deployment, narrow: Caller) -> None:
    reference = narrow.put(mesh.good_document.read_bytes())
    assert narrow.invoke("PDF_METADATA", {"doc_ref": reference})["pages"] == 3


def test_a_client_may_not_call_other_actions(mesh: Deployment, narrow: Caller) -> None:
    reference = narrow.put(mesh.good_document.read_bytes())
    request = invocation("PDF_TEXT", {"doc_ref": reference})
    narrow.refusal("Invoke", request).must_be("FORBIDDEN", says="may not call this action")


def test_a_client_sees_only_its_own_actions_in_the_catalogue(narrow: Caller, reports: Caller) -> None:
    (listed,) = narrow.call("ListActions", pb.ListActionsRequest())
    assert [action.name for action in listed.actions] == ["PDF_METADATA"]
    (listed,) = reports.call("ListActions", pb.ListActionsRequest())
    assert {"PDF_METADATA", "PDF_TEXT"} < {action.name for action in listed.actions}


@pytest.mark.parametrize("actor", ["operator", "ada@example.com", "local"])
def test_a_client_that_acts_for_nobody_is_refused_with_an_actor(reports: Caller, actor: str) -> None:
    requests = {
        "Invoke": invocation("PDF_METADATA", {}, actor),
        "ListActions": pb.ListActionsRequest(actor=actor),
        "GetDocument": download({"type": "UPLOAD", "sha256": "0" * 64}, actor),
    }
    for method, request in requests.items():
        reports.refusal(method, request).must_be("FORBIDDEN", says="another actor")
    header = pb.PutDocumentHeader(sha256="0" * 64, size=1, actor=actor)
    reports.put_refusal(header, [b"x"]).must_be("FORBIDDEN", says="another actor")


def test_a_client_may_name_itself_as_the_actor(reports: Caller) -> None:
    content = pdf_bytes(100)
    reference = reports.put(content, actor="reports")
    assert reports.get(reference) == content


@pytest.mark.parametrize("actor", ["x" * 257, "a\x1fb", "a\nb", "\u200b"])
def test_an_actor_that_is_no_name_is_refused(operator: Caller, actor: str) -> None:
    operator.refusal("Invoke", invocation("PDF_METADATA", {}, actor)).must_be("BAD_ARG", says="actor")


def test_a_document_of_one_actor_is_not_found_for_another(mesh: Deployment, operator: Caller) -> None:
    content = mesh.good_document.read_bytes() + secrets.token_bytes(16)
    reference = operator.put(content, actor="ada")
    assert operator.get(reference, actor="ada") == content
    assert operator.invoke("PDF_METADATA", {"doc_ref": reference}, actor="ada")["pages"] == 3
    for actor in ("bob", "", "ADA", "ada "):
        _must_not_be_found(operator, reference, actor)


def test_a_document_of_one_client_is_not_found_for_another(mesh: Deployment, operator: Caller, reports: Caller) -> None:
    content = mesh.good_document.read_bytes() + secrets.token_bytes(16)
    reference = operator.put(content)
    _must_not_be_found(reports, reference)
    assert reports.put(content) == reference
    assert reports.get(reference) == content


def test_a_document_uploaded_through_the_adapter_is_not_found_for_the_operator(
    mesh: Deployment, operator: Caller
) -> None:
    reference = mesh.adapter.reference(pdf_bytes(1000))
    for actor in ("", "local", "adapter"):
        _must_not_be_found(operator, reference, actor)


def test_nobody_can_tell_somebody_elses_document_from_one_that_is_not_there(operator: Caller, reports: Caller) -> None:
    theirs = operator.put(pdf_bytes(1000))
    nobodys = {"type": "UPLOAD", "sha256": secrets.token_hex(32)}
    for method in ("Invoke", "GetDocument"):
        answers = [_ask(reports, method, reference) for reference in (theirs, nobodys)]
        assert answers[0] == answers[1]


def test_a_document_in_gitlab_cannot_be_downloaded(operator: Caller) -> None:
    request = pb.GetDocumentRequest()
    request.doc_ref.type, request.doc_ref.sha256 = "GITLAB", "0" * 64
    operator.refusal("GetDocument", request).must_be("BAD_ARG")


@pytest.mark.parametrize("sha256", ["", "abc", "../uploads/x", "0" * 63 + "G"])
def test_a_download_that_names_no_digest_is_refused(operator: Caller, sha256: str) -> None:
    refusal = operator.refusal("GetDocument", download({"type": "UPLOAD", "sha256": sha256}))
    assert refusal.code in {"BAD_ARG", "NOT_FOUND"}, refusal


@pytest.mark.parametrize("method", PLANNED)
def test_a_method_that_is_yet_to_come_is_unimplemented(operator: Caller, method: str) -> None:
    assert operator.refusal(method, b"", ()).status is grpc.StatusCode.UNIMPLEMENTED


def test_a_service_that_this_deployment_does_not_run_is_unimplemented_in_the_mesh(mesh: Deployment) -> None:
    with Channel(mesh.stack.mesh_address, mesh.tls_dir("operator")) as channel:
        assert channel.refusal(GET_PROJECT_INFO, [b""]).status is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("certificate", ["pdf", "dispatch", "envoy"])
def test_workloads_that_have_no_business_at_the_edge_are_refused_there(mesh: Deployment, certificate: str) -> None:
    with Channel(mesh.stack.edge_address, mesh.tls_dir(certificate)) as channel:
        for method in (path("Invoke"), path("ListActions"), HEALTH_CHECK):
            assert channel.refusal(method, [b""]).status is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("certificate", ["adapter", "client/reports", "pdf", "envoy"])
def test_callers_that_have_no_business_in_the_mesh_are_refused_there(mesh: Deployment, certificate: str) -> None:
    with Channel(mesh.stack.mesh_address, mesh.tls_dir(certificate)) as channel:
        assert channel.refusal(GET_METADATA, [b""]).status is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("certificate", ["adapter", "client/reports"])
def test_health_and_reflection_are_the_operators_alone(mesh: Deployment, certificate: str) -> None:
    reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    with Channel(mesh.stack.edge_address, mesh.tls_dir(certificate)) as channel:
        for method in (HEALTH_CHECK, reflection):
            assert channel.refusal(method, [b""]).status is grpc.StatusCode.PERMISSION_DENIED
    with Channel(mesh.stack.edge_address, mesh.tls_dir("operator")) as channel:
        assert channel.call(HEALTH_CHECK, [b""]) == [b"\x08\x01"]


def _must_not_be_found(caller: Caller, reference: dict[str, str], actor: str = "") -> None:
    for method in ("Invoke", "GetDocument"):
        _ask(caller, method, reference, actor)


def _ask(caller: Caller, method: str, reference: dict[str, str], actor: str = "") -> tuple[str, ...]:
    """Asks for a document that must not be found, and returns what is said about it."""
    requests = {
        "Invoke": invocation("PDF_METADATA", {"doc_ref": reference}, actor),
        "GetDocument": download(reference, actor),
    }
    refusal = caller.refusal(method, requests[method]).must_be("NOT_FOUND", says="upload")
    return (refusal.text, *refusal.fields, *refusal.details)
