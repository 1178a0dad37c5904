"""Reports of comparisons: given out to those who may read both documents, and made by the service that compares."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import protovalidate
from google.protobuf import json_format

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from papermesh.pdf.v1 import report_pb2
from services.base import reports, status
from services.base.blobs import BlobStore
from services.base.call import Call
from services.base.channel import MeshChannel
from services.base.errors import Code, PapermeshError, bad_field
from services.base.flow import Flow
from services.base.report_id import ReportId
from services.base.stored_blob import Key, Namespace
from services.base.telemetry import TRACEPARENT
from services.dispatch.admission import documents
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.verification import Caller
from services.dispatch.router import Router
from services.dispatch.uploads.lost_documents import LostDocuments

_COMPARES, _MAKES = "/papermesh.pdf.v1.PdfService/Diff", "/papermesh.pdf.v1.PdfService/MakeReport"

_NOBODYS = "0" * 64
"""No document has this digest, so an id that names none takes the way of one that names somebody else's."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report that there is."""

    id: ReportId
    used_s: float
    """When it was made or opened last, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class File:
    """A report in one of its formats."""

    size: int
    """In bytes."""

    content: AsyncIterator[bytes]


class Reports:
    """Finds reports by their ids."""

    def __init__(
        self,
        blobs: BlobStore,
        channel: MeshChannel,
        router: Router,
        concurrency: ConcurrencyLimit,
        lost_documents: LostDocuments,
    ) -> None:
        """Finds them in `blobs`, and has them made through `channel`, which takes a place of the caller's."""
        self._reports = reports.Reports(blobs)
        self._channel = channel
        self._concurrency = concurrency
        self._lost = lost_documents
        self._action = next((each for each in router.actions.values() if each.method.path == _COMPARES), None)
        self._make: grpc.aio.UnaryStreamMultiCallable[report_pb2.MakeReportRequest, report_pb2.MakeReportResponse] = (
            channel.unary_stream(
                _MAKES,
                request_serializer=report_pb2.MakeReportRequest.SerializeToString,
                response_deserializer=report_pb2.MakeReportResponse.FromString,
            )
        )

    @staticmethod
    def references(report_id: str) -> list[document_pb2.DocumentRef]:
        """The documents to which whoever names this id must have a right; such as nobody has for what is no id."""
        report = ReportId.read(report_id)
        are_uploads = report is not None and {each.namespace for each in report.documents} == {Namespace.UPLOADS}
        digests = [each.sha256 for each in report.documents] if report is not None and are_uploads else [_NOBODYS] * 2
        return [document_pb2.DocumentRef(type=documents.UPLOAD, sha256=each) for each in digests]

    @asynccontextmanager
    async def opened(self, request: pb.GetReportRequest, caller: Caller, call: Call) -> AsyncIterator[File]:
        """The report that a request names, for a caller with the right to both of its documents.

        It takes a place of the caller's for as long as the block lasts.

        Raises:
            PapermeshError: NOT_FOUND for a report that there is not, or for a caller who may not compare; BAD_ARG for
                another format or filter; what comparing and drawing raise; UNAVAILABLE when the store cannot be used.
        """
        report, action = ReportId.read(request.report_id), self._action
        if report is None or action is None or not caller.rights.may_invoke(action.name):
            raise no_report()
        making = report_pb2.MakeReportRequest(report_id=request.report_id, format=request.format)
        if request.HasField("filter"):
            making.filter.CopyFrom(request.filter)
        with self._concurrency.acquire(caller, action.method.service):
            comparison = await self._reports.use(report)
            if comparison is None:
                raise no_report()
            _fill(making, comparison, self.references(request.report_id))
            flow = Flow.of(caller.client.id, caller.actor)
            metadata = (flow.metadata, ("x-request-id", call.request_id), (TRACEPARENT, call.traceparent))
            await self._channel.back()
            under_way = self._make(making, metadata=metadata, timeout=call.timeout_s)
            try:
                messages = aiter(under_way)
                header = (await anext(messages)).header
                yield File(header.size, (message.data async for message in messages))
            except grpc.aio.AioRpcError as error:
                raise await self._lost.explained(status.decode(error), caller, making.comparison) from error
            finally:
                under_way.cancel()

    async def of(self, caller: Caller, uploads: Sequence[str]) -> list[Report]:
        """The reports in which these uploads are the later document, as far as the caller holds the earlier one too.

        Raises:
            PapermeshError: UNAVAILABLE when the store or Redis cannot be used.
        """
        found: list[Report] = []
        for sha256 in uploads:
            about = [Report(*each) async for each in self._reports.of(Key(Namespace.UPLOADS, sha256))]
            for each in sorted(about, key=lambda report: -report.used_s):
                left = each.id.left
                if left.namespace is Namespace.UPLOADS and await self._lost.held(caller, left.sha256):
                    found.append(each)
        return found


def no_report() -> PapermeshError:
    """The answer about a report that is not there, and about one of somebody else's documents."""
    return PapermeshError(
        Code.NOT_FOUND,
        "There is no such report for this client and actor. Compare the two documents again (PDF_DIFF).",
    )


def _fill(
    making: report_pb2.MakeReportRequest,
    comparison: dict[str, object],
    references: Sequence[document_pb2.DocumentRef],
) -> None:
    """Puts into a request what the record says, and which documents they are.

    Raises:
        PapermeshError: NOT_FOUND for a record of another version; BAD_ARG for another format or filter.
    """
    try:
        json_format.ParseDict(comparison, making.comparison)
    except json_format.ParseError:
        raise no_report() from None
    making.comparison.left.CopyFrom(references[0])
    making.comparison.right.CopyFrom(references[1])
    for violation in protovalidate.collect_violations(making):
        elements = violation.proto.field.elements if violation.proto.field else ()
        name = ".".join(each.field_name for each in elements)
        raise bad_field(name, violation.proto.message)
