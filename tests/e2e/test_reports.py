"""Reports of comparisons, over real Envoy and Redis, with two adapters and two pdf."""

import csv
import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.pdf.worker.mupdf import pymupdf
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.support.disks import files_in


@pytest.fixture(scope="module")
def shared(good_document: Path) -> Iterator[Deployment]:
    with deployed(good_document, replicas={"adapter": 2, "pdf": 2}, **RATES_OUT_OF_THE_WAY) as deployment:
        yield deployment


@pytest.fixture
def mesh(shared: Deployment) -> Iterator[Deployment]:
    yield shared
    shared.must_still_work()
    shared.must_have_met_no_bug()


def report(report_id: str, actor: str) -> pb.GetReportRequest:
    return pb.GetReportRequest(report_id=report_id, actor=actor)


def revision(days: int, tag: str) -> bytes:
    """A policy of two pages with this many days in its second article."""
    with pymupdf.open() as document:
        for number in range(1, 3):
            page = document.new_page()
            page.insert_text((72, 100), f"Article {number} (Leave) of {tag}")
            page.insert_text((72, 120), f"Every employee has {days if number == 2 else 10} days of leave in a year.")
        content: bytes = document.tobytes()
        return content


def compared(mesh: Deployment) -> dict[str, Any]:
    """PDF_DIFF's answer about two documents that nobody has seen."""
    tag = secrets.token_hex(8)
    left, right = (mesh.adapter.reference(revision(days, tag)) for days in (15, 20))
    return mesh.adapter.invoke("PDF_DIFF", {"left": left, "right": right}).data


def test_a_report_opens_with_both_documents_in_it(mesh: Deployment) -> None:
    made = compared(mesh)
    response = mesh.adapter.http.get(made["report_url"])
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.headers["content-security-policy"].startswith("sandbox ")
    for each in (made["report_id"], made["left"]["sha256"], 'id="picture-left-2"', 'id="picture-right-2"'):
        assert each in response.text


def test_its_files_hold_the_changes(mesh: Deployment) -> None:
    made = compared(mesh)
    url = made["report_url"]
    text = mesh.adapter.http.get(f"{url}.csv").content.decode("utf-8-sig")
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [each["id"] for each in made["changes"]]
    assert mesh.adapter.http.get(f"{url}.json").json()["summary"] == made["summary"]
    assert mesh.adapter.http.get(f"{url}.xlsx").content.startswith(b"PK")
    with pymupdf.open(stream=mesh.adapter.http.get(f"{url}.pdf").content) as document:
        assert sum(len(list(page.annots())) for page in document) >= 1
    nothing = mesh.adapter.http.get(f"{url}.csv?op=move").text.splitlines()
    assert len(nothing) == 1


def test_a_report_goes_with_either_document(mesh: Deployment) -> None:
    for side in ("left", "right"):
        made = compared(mesh)
        assert mesh.adapter.http.get(made["report_url"]).status_code == 200
        assert mesh.adapter.http.delete(f"/documents/{made[side]['sha256']}").status_code == 200
        assert mesh.adapter.http.get(made["report_url"]).status_code == 404
        left = [str(each) for each in files_in(mesh.stack.folders.blobs / "reports")]
        assert not [each for each in left if made["left"]["sha256"] in each and "record" in each]


def test_reports_are_listed_and_opened_by_a_ticket(mesh: Deployment) -> None:
    made = compared(mesh)
    listed = mesh.adapter.http.get("/reports?page_size=1000").json()["data"]["reports"]
    assert made["report_url"] in [each["report_url"] for each in listed]
    ticket = mesh.adapter.http.post("/tickets", json={"path": made["report_url"]}).json()["data"]["url"]
    assert mesh.adapter.http.get(ticket).status_code == 200
    assert mesh.adapter.http.get("/reports/rep_none").status_code == 404


def test_somebody_elses_is_as_little_there_as_nobodys(mesh: Deployment) -> None:
    operator = mesh.caller("operator")
    tag = secrets.token_hex(8)
    left, right = (operator.put(revision(days, tag), "alice") for days in (15, 20))
    made = operator.invoke("PDF_DIFF", {"left": left, "right": right}, "alice")
    header, *data = operator.call("GetReport", report(made["report_id"], "alice"))
    assert sum(len(each.data) for each in data) == header.header.size
    operator.put(revision(15, tag), "bob")  # one of the two is not enough
    refused = [
        operator.refusal("GetReport", report(made["report_id"], "bob")),
        operator.refusal("GetReport", report("rep_" + "A" * 108, "bob")),
        operator.refusal("GetReport", report(made["report_id"][:-4] + "AAAA", "alice")),
    ]
    for each in refused:
        each.must_be("NOT_FOUND", says="There is no such report")
