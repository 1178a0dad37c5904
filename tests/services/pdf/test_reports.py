"""Reports from the service: named with a comparison, made of it and of real pages, and kept."""

import csv
import io
import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import openpyxl
import orjson
import pytest

from papermesh.document.v1 import report_pb2 as filters
from papermesh.pdf.v1 import diff_pb2, pdf_service_pb2
from papermesh.pdf.v1 import report_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.report_id import ReportId
from services.base.reports import Reports
from services.base.server import Hosted
from services.base.stored_blob import Key
from services.base.testing import envoy_metadata, serving
from services.pdf import reports
from services.pdf.engine import Result
from services.pdf.operations import ANNOTATE, OPERATIONS
from services.pdf.processes.kinds import Kind
from services.pdf.processes.pools import Pools
from services.pdf.reports import ReportsOfComparisons
from services.pdf.servicer import PdfServicer
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.report.comparisons import change, comparison, gap, side
from tests.services.pdf.support import make_engine

SERVICE = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


class Compared:
    """Compares nothing: it answers what it is given."""

    def __init__(self) -> None:
        self.asked: list[diff_pb2.DiffRequest] = []
        self.response = comparison(
            change(1, "modify", side("15일", 1), side("20일", 2)),
            change(2, "delete", side("옛 문장", 1), gap(2)),
            change(3, "insert", gap(1), side("=1+1", 2, 300)),
            change(4, "modify", side("제7조", 1), side("제8조", 1), derived=True, cause="c-0001"),
            pages=2,
        )

    async def answer(self, request: diff_pb2.DiffRequest, _documents: object, _timeout_s: float) -> Result:
        self.asked.append(request)
        return Result(orjson.dumps(self.response))


class Service:
    """The service's two methods, and what is behind them."""

    def __init__(self, channel: Any, blobs: BlobStore, compared: Compared, documents: list[Path]) -> None:
        self.blobs, self.compared, self.documents = blobs, compared, documents
        self._diff = channel.unary_unary(
            f"/{SERVICE.full_name}/Diff",
            request_serializer=diff_pb2.DiffRequest.SerializeToString,
            response_deserializer=diff_pb2.DiffResponse.FromString,
        )
        self._make = channel.unary_stream(
            f"/{SERVICE.full_name}/MakeReport",
            request_serializer=pb.MakeReportRequest.SerializeToString,
            response_deserializer=pb.MakeReportResponse.FromString,
        )

    @property
    def keys(self) -> list[Key]:
        """Of the documents."""
        return [Key(Namespace.UPLOADS, sha256(each.read_bytes()).hexdigest()) for each in self.documents]

    def asks(self, password: str = "", **how: Any) -> diff_pb2.DiffRequest:
        """A request about both."""
        request = diff_pb2.DiffRequest(**how)
        for reference, key in zip((request.left, request.right), self.keys, strict=True):
            reference.type, reference.sha256, reference.password = "UPLOAD", key.sha256, password
        return request

    async def diff(self, **how: Any) -> diff_pb2.DiffResponse:
        """PDF_DIFF."""
        answer: diff_pb2.DiffResponse = await self._diff(self.asks(**how), metadata=envoy_metadata(), timeout=30)
        return answer

    async def made(self, report_id: str, **how: Any) -> bytes:
        """A file of a report."""
        request = pb.MakeReportRequest(report_id=report_id, comparison=self.asks(), **how)
        header, *data = [each async for each in self._make(request, metadata=envoy_metadata(), timeout=30)]
        content = b"".join(each.data for each in data)
        assert header.header.size == len(content)
        return content


@pytest.fixture
async def service(tmp_path: Path, make_pdf: Callable[..., Path]) -> AsyncIterator[Service]:
    blobs, compared = BlobStore((tmp_path / "blobs").as_uri()), Compared()
    documents = [make_pdf("One.", "Two.", name="left.pdf"), make_pdf("One.", "Three.", name="right.pdf")]
    async with Pools([Kind(size=1)], [*OPERATIONS, ANNOTATE], tmp_path / "work") as pools:
        engine = make_engine(pools)
        kept = ReportsOfComparisons(blobs, pools, engine, compared, "pdf-1")  # type: ignore[arg-type]
        servicer = PdfServicer(OPERATIONS, engine, blobs, comparison=compared, reports=kept)  # type: ignore[arg-type]
        async with serving(Hosted(SERVICE, servicer), directory=tmp_path / "certificates") as channel:
            made = Service(channel, blobs, compared, documents)
            for key, document in zip(made.keys, documents, strict=True):
                await blobs.put(*key, document)
            yield made


async def test_a_comparison_names_its_report_and_keeps_how_it_was_made(service: Service) -> None:
    answer = await service.diff(mode="text", max_changes=1, output="summary")
    report = ReportId.read(answer.report_id)
    assert report is not None
    assert answer.report_url == f"/reports/{report}"
    assert list(report.documents) == service.keys
    assert await Reports(service.blobs).use(report) == {"mode": "text"}


async def test_a_document_with_a_password_leaves_no_report(service: Service) -> None:
    answer = await service.diff(password="secret")  # noqa: S106  # opens nothing
    assert (answer.report_id, answer.report_url) == ("", "")
    assert await service.blobs.reports.names(service.keys[0]) == {}


async def test_the_page_has_all_changes_and_pictures_of_both_documents(service: Service) -> None:
    report_id = (await service.diff()).report_id
    page = (await service.made(report_id)).decode()
    assert page.startswith("<!doctype html>")
    for picture in ("left-1", "left-2", "right-1", "right-2"):
        assert f'id="picture-{picture}">UklGR' in page  # RIFF
    asked = service.compared.asked[-1]
    assert (asked.output, asked.max_changes) == ("full", 10_000)
    assert report_id in page


async def test_a_page_is_made_once(service: Service) -> None:
    report_id = (await service.diff()).report_id
    first = await service.made(report_id)
    asked = len(service.compared.asked)
    assert await service.made(report_id) == first
    assert len(service.compared.asked) == asked


async def test_a_page_in_a_hurry_is_not_kept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_SPARE_S", 1000.0)
    report_id = (await service.diff()).report_id
    assert b"picture-left-1" not in await service.made(report_id)
    monkeypatch.undo()
    assert b"picture-left-1" in await service.made(report_id)


async def test_files_hold_what_the_filter_keeps(service: Service) -> None:
    report_id = (await service.diff()).report_id
    wanted = filters.ReportFilter(op=["modify", "insert"], derived=False)
    rows = list(
        csv.DictReader(io.StringIO((await service.made(report_id, format="csv", filter=wanted)).decode("utf-8-sig")))
    )
    assert [(row["n"], row["right"]) for row in rows] == [("1", "20일"), ("3", "'=1+1")]
    said = orjson.loads(await service.made(report_id, format="json", filter=wanted))
    assert [each["n"] for each in said["changes"]] == [1, 3]
    assert said["report_id"] == report_id
    sheet = openpyxl.load_workbook(io.BytesIO(await service.made(report_id, format="xlsx", filter=wanted)))["Changes"]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [1, 3]


async def test_the_annotated_document_has_a_comment_where_something_changed(service: Service) -> None:
    report_id = (await service.diff()).report_id
    content = await service.made(report_id, format="pdf", filter=filters.ReportFilter(derived=False))
    with pymupdf.open(stream=content) as document:
        said = [[note.info["content"] for note in page.annots()] for page in document]
    assert said == [[], ["~ 제1조\n− 15일\n+ 20일", "− 제2조\n− 옛 문장", "+ 제3조\n+ =1+1"]]


async def test_an_id_of_other_documents_is_refused(service: Service) -> None:
    other = ReportId.make(b"k" * 32, *reversed(service.keys), b"")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await service.made(str(other))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_report_goes_with_either_document(service: Service) -> None:
    for document in (0, 1):
        report = ReportId.read((await service.diff()).report_id)
        assert report is not None
        await service.made(str(report))
        kept = Reports(service.blobs)
        await kept.forget(service.keys[document])
        assert (await kept.use(report), await kept.page(report)) == (None, None)


async def test_old_reports_are_forgotten_and_their_pages_before(service: Service) -> None:
    kept = Reports(service.blobs)
    report = ReportId.read((await service.diff()).report_id)
    assert report is not None
    await service.made(str(report))
    soon = time.time() + 100
    await kept.forget_old(service.keys[0], 0, soon)
    assert await kept.page(report) is None
    assert await kept.use(report) == {}
    await kept.forget_old(service.keys[0], soon, soon)
    assert await kept.use(report) is None
