"""Reports: given out by rights to both documents, with a real store, and a service that makes them."""

import hashlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2, report_pb2
from services.base import actions, reports
from services.base.blobs import BlobStore
from services.base.call import Call
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError
from services.base.redis.link import RedisLink
from services.base.report_id import ReportId
from services.base.server import Hosted
from services.base.stored_blob import Key, Namespace
from services.base.testing import running
from services.dispatch.admission.clients import Client
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.verification import Caller
from services.dispatch.answers.reports import Reports
from services.dispatch.router import Router
from services.dispatch.uploads.lost_documents import LostDocuments
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.support.clients import REPORTS_ID, REPORTS_KEY

PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]
CALL = Call("/x", (), "request-1", 20.0, "00-1-2-00")
PAGE = os.urandom(600_000)

Keep = Callable[[], Awaitable[Key]]


def caller(*allowed: str) -> Caller:
    key = {"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}
    fields = {"id": "reports", "keys": [key], "certificate": REPORTS_ID, "actions": allowed or ["*"]}
    entry = Client.model_validate(fields)
    return Caller(entry, "kim", os.urandom(12).hex(), int(time.time()))


class Making:
    """Makes the same page of every comparison."""

    def __init__(self) -> None:
        self.asked: list[report_pb2.MakeReportRequest] = []
        self.error: PapermeshError | None = None

    async def MakeReport(
        self, request: report_pb2.MakeReportRequest, _call: Call
    ) -> AsyncIterator[report_pb2.MakeReportResponse]:
        self.asked.append(request)
        if self.error:
            raise self.error
        yield report_pb2.MakeReportResponse(header=report_pb2.MakeReportHeader(size=len(PAGE)))
        for start in range(0, len(PAGE), 256 * 1024):
            yield report_pb2.MakeReportResponse(data=PAGE[start : start + 256 * 1024])


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path}/blobs")


@pytest.fixture
def making() -> Making:
    return Making()


@pytest.fixture
async def found(link: RedisLink, blobs: BlobStore, making: Making, tmp_path: Path) -> AsyncIterator[Reports]:
    async with (
        running(Hosted(PDF, making), directory=tmp_path) as up,
        open_channel(up.address, up.tls_dir) as channel,
    ):
        router = Router(channel, actions.load().listed([PDF.full_name]))
        yield Reports(blobs, channel, router, ConcurrencyLimit(1, 1), LostDocuments(link, blobs))


@pytest.fixture
def keep(link: RedisLink, blobs: BlobStore, tmp_path: Path) -> Keep:
    """Stores a document that the caller holds."""

    async def store() -> Key:
        content, file = os.urandom(100), tmp_path / "file"
        file.write_bytes(content)
        document = Key(Namespace.UPLOADS, hashlib.sha256(content).hexdigest())
        await Ownership(link, blobs, Quota(10**9, 10)).store(caller(), document.sha256, len(content), file)
        return document

    return store


@pytest.fixture
async def report(blobs: BlobStore, keep: Keep) -> ReportId:
    made = ReportId.make(b"k" * 32, await keep(), await keep(), b"")
    assert await reports.Reports(blobs).put(made, {"mode": "text", "ignore": ["case"]})
    return made


async def got(found: Reports, report: object, who: Caller, **how: Any) -> bytes:
    async with found.opened(pb.GetReportRequest(report_id=str(report), **how), who, CALL) as file:
        content = b"".join([piece async for piece in file.content])
        assert len(content) == file.size
        return content


async def refused(found: Reports, report: object, who: Caller, **how: Any) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        await got(found, report, who, **how)
    return caught.value


async def test_a_report_is_made_of_what_its_record_says(found: Reports, report: ReportId, making: Making) -> None:
    assert await got(found, report, caller()) == PAGE
    [asked] = making.asked
    assert (asked.report_id, asked.comparison.mode, list(asked.comparison.ignore)) == (str(report), "text", ["case"])
    named = [asked.comparison.left, asked.comparison.right]
    assert [(each.type, each.sha256) for each in named] == [("UPLOAD", each.sha256) for each in report.documents]


async def test_a_format_and_a_filter_are_passed_on(found: Reports, report: ReportId, making: Making) -> None:
    await got(found, report, caller(), format="csv", filter={"op": ["insert"], "derived": False})
    [asked] = making.asked
    assert (asked.format, list(asked.filter.op), asked.filter.HasField("derived")) == ("csv", ["insert"], True)


@pytest.mark.parametrize("how", [{"format": "docx"}, {"filter": {"op": ["inserts"]}}])
async def test_others_are_refused_by_name(found: Reports, report: ReportId, how: dict[str, Any]) -> None:
    error = await refused(found, report, caller(), **how)
    assert error.code is Code.BAD_ARG
    assert error.violations[0].field.startswith(next(iter(how)))


async def test_missing_and_forbidden_are_answered_alike(found: Reports, report: ReportId, blobs: BlobStore) -> None:
    other = ReportId.make(b"k" * 32, *report.documents, b"another")
    answers = [
        await refused(found, other, caller()),
        await refused(found, "rep_x", caller()),
        await refused(found, report, caller("PDF_TEXT")),
    ]
    await reports.Reports(blobs).remove(report)
    answers.append(await refused(found, report, caller()))
    assert {(each.code, each.message) for each in answers} == {(Code.NOT_FOUND, answers[0].message)}


async def test_what_the_service_answers_is_told(found: Reports, report: ReportId, making: Making) -> None:
    making.error = PapermeshError(Code.TOO_LARGE, "Too large.")
    assert (await refused(found, report, caller())).message == "Too large."


def test_an_id_that_is_none_names_documents_that_nobody_has(report: ReportId) -> None:
    assert [each.sha256 for each in Reports.references(str(report))] == [each.sha256 for each in report.documents]
    of_gitlab = ReportId.make(b"k" * 32, report.left, Key(Namespace.GITLAB, report.right.sha256), b"")
    for text in ("", "rep_", f"{report}x", str(of_gitlab)):
        assert [each.sha256 for each in Reports.references(text)] == ["0" * 64] * 2


async def test_reports_are_listed_to_who_holds_both_documents(
    found: Reports, report: ReportId, link: RedisLink, blobs: BlobStore
) -> None:
    uploads = [each.sha256 for each in report.documents]
    assert [each.id for each in await found.of(caller(), uploads)] == [report]
    await Ownership(link, blobs, Quota(10**9, 10)).release(caller(), report.left.sha256)
    assert await found.of(caller(), uploads) == []


@pytest.mark.parametrize("side", [0, 1])
async def test_a_report_goes_with_either_upload(
    found: Reports, report: ReportId, link: RedisLink, blobs: BlobStore, side: int
) -> None:
    await Ownership(link, blobs, Quota(10**9, 10)).release(caller(), report.documents[side].sha256)
    assert [await blobs.reports.names(each) for each in report.documents] == [{}, {}] or side == 0
    assert await reports.Reports(blobs).use(report) is None
    assert (await refused(found, report, caller())).code is Code.NOT_FOUND


async def test_a_sweep_deletes_what_nobody_opened_for_long(
    report: ReportId, link: RedisLink, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    retention = Retention(link, blobs, 10**9)
    await retention.sweep()
    assert await reports.Reports(blobs).use(report) is not None
    monkeypatch.setattr("services.dispatch.uploads.retention._REPORTS_KEPT_S", -100)
    await retention.sweep()
    assert await reports.Reports(blobs).use(report) is None
