"""One call on its way through all parts: one id, one trace, a line at each listener."""

import secrets

import pytest

from tests.e2e.support.caller import Caller, invocation
from tests.e2e.support.deployment import Deployment
from tests.support.pdfs import pdf_bytes


def test_the_answer_s_request_id_stands_in_envoy_s_log_of_both_listeners(mesh: Deployment) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    answer = mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}, Cache_Control="no-cache")

    request_id = answer.meta["request_id"]
    (edge,) = mesh.logged(request_id, "edge")
    (inner,) = mesh.logged(request_id, "mesh")
    assert edge["path"] == "/papermesh.dispatch.v1.DispatchService/Invoke"
    assert inner["path"] == "/papermesh.pdf.v1.PdfService/GetMetadata"
    assert (edge["grpc_status"], inner["grpc_status"]) == ("OK", "OK")
    assert (edge["client"], edge["action"]) == ("adapter", "PDF_METADATA")
    assert edge["peer"] == "spiffe://papermesh/ns/default/sa/adapter"
    assert inner["peer"] == "spiffe://papermesh/ns/default/sa/dispatch"


def test_the_trace_goes_on_from_the_caller_through_both_listeners(mesh: Deployment) -> None:
    trace = secrets.token_hex(16)
    reference = mesh.adapter.reference(mesh.good_document)
    sent = f"00-{trace}-{secrets.token_hex(8)}-01"

    answer = mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}, traceparent=sent, Cache_Control="no-cache")

    assert answer.meta["trace_id"] == trace
    spans = [sent]
    for listener in ("edge", "mesh"):
        (line,) = mesh.logged(answer.meta["request_id"], listener)
        assert line["traceparent"].split("-")[1] == trace
        spans.append(line["traceparent"])
    assert len(set(spans)) == 3, "each hop has a span of its own"


@pytest.mark.parametrize("sent", ["", "nonsense", "00-" + "0" * 10, "00-XYZ-1-01"])
def test_a_caller_without_a_trace_gets_one(mesh: Deployment, sent: str) -> None:
    reference = mesh.adapter.reference(mesh.good_document)
    answer = mesh.adapter.invoke("PDF_METADATA", {"doc_ref": reference}, traceparent=sent)
    (line,) = mesh.logged(answer.meta["request_id"], "edge")
    assert line["traceparent"].split("-")[1] == answer.meta["trace_id"]


def test_a_failed_call_has_its_id_and_its_status_in_the_log(mesh: Deployment) -> None:
    answer = mesh.adapter.ask("PDF_TEXT", b"%PDF-1.7").must_be("BAD_ARG", reason="broken")
    for listener in ("edge", "mesh"):
        (line,) = mesh.logged(answer.meta["request_id"], listener)
        assert line["grpc_status"] == "INVALID_ARGUMENT"


def test_uploads_and_the_catalogue_have_ids_too(mesh: Deployment) -> None:
    upload = mesh.adapter.upload(pdf_bytes(100))
    (line,) = mesh.logged(upload.meta["request_id"], "edge")
    assert line["path"].endswith("/PutDocument")


def test_a_caller_cannot_choose_its_request_id(mesh: Deployment, operator: Caller) -> None:
    request = invocation("PDF_METADATA", {"doc_ref": operator.put(mesh.good_document.read_bytes())})
    chosen = "11111111-2222-4333-8444-555555555555"
    (response,) = operator.call("Invoke", request, (*operator.sign("Invoke", request), ("x-request-id", chosen)))
    assert response.request_id != chosen
    assert mesh.logged(response.request_id, "edge")


def test_no_log_holds_a_secret_or_a_document_s_text(mesh: Deployment) -> None:
    data = mesh.adapter.ask("PDF_TEXT", mesh.good_document).data
    words = data["items"][0]["text"].strip()[:20]
    secret = mesh.stack.key_file("adapter").read_text().split('"secret": "')[1].split('"')[0]
    for log in mesh.stack.folders.log.iterdir():
        content = log.read_text(encoding="utf-8", errors="replace")
        assert secret not in content, log
        assert words not in content, log
