"""DispatchService: each method admits its call and hands it on."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from papermesh.options.v1 import options_pb2
from services.base.actions import Action
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.stored_blob import cut
from services.dispatch.admission import documents
from services.dispatch.admission.admission import Admission, Admitted
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.state import owner
from services.dispatch.answers.answers import Answer, Answers
from services.dispatch.answers.idempotency import Idempotency, KeyedCall
from services.dispatch.answers.images import Images, no_image
from services.dispatch.answers.reports import Report, Reports, no_report
from services.dispatch.router import Router, within
from services.dispatch.uploads import receiving
from services.dispatch.uploads.listing import Listing, Upload
from services.dispatch.uploads.lost_documents import LostDocuments
from services.dispatch.uploads.ownership import Ownership

_SERVICE = pb.DESCRIPTOR.services_by_name["DispatchService"].full_name


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The largest upload, and where uploads wait."""

    spool_dir: Path
    """Where uploads wait until they are complete."""

    max_bytes: int
    """The largest upload."""


class DispatchServicer:
    """The front door. Its methods are named as in the proto; see `services.base.handlers`."""

    def __init__(
        self,
        *,
        admission: Admission,
        router: Router,
        answers: Answers,
        idempotency: Idempotency,
        images: Images,
        reports: Reports,
        blobs: BlobStore,
        ownership: Ownership,
        listing: Listing,
        lost_documents: LostDocuments,
        concurrency: ConcurrencyLimit,
        upload_limits: UploadLimits,
    ) -> None:
        """Serves with these collaborators.

        Args:
            admission: Decides who gets in.
            router: Knows the actions.
            answers: Makes or finds their results.
            idempotency: Remembers calls that bear a key.
            images: Finds pictures.
            reports: Finds reports, and has them made.
            blobs: The documents.
            ownership: Whose they are.
            listing: What each has.
            lost_documents: Says why one was missing.
            concurrency: The places of calls. An upload takes one at this service, because it fills the spool folder
                before it counts towards a quota.
            upload_limits: What may be uploaded.
        """
        self._admission = admission
        self._router = router
        self._answers = answers
        self._idempotency = idempotency
        self._images = images
        self._reports = reports
        self._blobs = blobs
        self._ownership = ownership
        self._listing = listing
        self._lost = lost_documents
        self._concurrency = concurrency
        self._upload_limits = upload_limits

    async def Invoke(self, request: pb.InvokeRequest, call: Call) -> pb.InvokeResponse:
        """Runs one action."""
        admitted = await self._admission.action(call, request)
        try:
            if request.idempotency_key:
                answer = await self._once(admitted, call, request.idempotency_key, no_cache=request.no_cache)
            else:
                answer = await self._answers.get(admitted, call, no_cache=request.no_cache)
        except PapermeshError as error:
            raise await self._lost.explained(error, admitted.caller, admitted.request) from error
        call.notes["cache"] = _cache_note(answer)
        return pb.InvokeResponse(
            json=answer.json,
            request_id=call.request_id,
            cache=answer.cache,
            result_id=answer.result_id,
            max_age_s=answer.max_age_s,
        )

    async def ListActions(self, request: pb.ListActionsRequest, call: Call) -> pb.ListActionsResponse:
        """Lists what the client and actor may invoke."""
        caller, _ = await self._admission.method(call, request, request.actor)
        return pb.ListActionsResponse(
            actions=[
                _listed(action) for action in self._router.actions.values() if caller.rights.may_invoke(action.name)
            ]
        )

    async def PutDocument(self, requests: AsyncIterator[pb.PutDocumentRequest], call: Call) -> pb.PutDocumentResponse:
        """Stores an upload."""
        header = await receiving.header(requests)
        caller, _ = await self._admission.method(call, header, header.actor)
        receiving.check_header(header, self._upload_limits.max_bytes)
        call.notes["documents"] = [header.sha256]
        await self._ownership.check_room(caller, header.sha256, header.size)
        with self._concurrency.acquire(caller, _SERVICE):
            async with receiving.received(header, requests, self._upload_limits.spool_dir) as file:
                await self._ownership.store(caller, header.sha256, header.size, file)
        reference = document_pb2.DocumentRef(type=documents.UPLOAD, sha256=header.sha256)
        return pb.PutDocumentResponse(doc_ref=reference, size=header.size, request_id=call.request_id)

    async def GetDocument(self, request: pb.GetDocumentRequest, call: Call) -> AsyncIterator[pb.GetDocumentResponse]:
        """Streams a document to somebody who may read it."""
        caller, [digest] = await self._admission.method(call, request, request.actor, request.doc_ref)
        try:
            async with aclosing(self._blobs.read(Namespace.UPLOADS, digest)) as pieces:
                size = await self._blobs.size(Namespace.UPLOADS, digest)
                first = await anext(pieces)  # if possible, an unreadable one fails before the answer has begun
                yield pb.GetDocumentResponse(header=pb.GetDocumentHeader(sha256=digest, size=size))
                yield pb.GetDocumentResponse(data=first)
                async for piece in pieces:
                    yield pb.GetDocumentResponse(data=piece)
        except PapermeshError as error:
            raise await self._lost.explained(error, caller, request) from error

    async def ListDocuments(self, request: pb.ListDocumentsRequest, call: Call) -> pb.ListDocumentsResponse:
        """Lists the caller's uploads."""
        caller, _ = await self._admission.method(call, request, request.actor)
        page = await self._listing.page(caller, request.page_size, request.page_token)
        listed = map(_listed_document, page.uploads)
        return pb.ListDocumentsResponse(documents=listed, next_page_token=page.next_token, request_id=call.request_id)

    async def GetImage(self, request: pb.GetImageRequest, call: Call) -> AsyncIterator[pb.GetImageResponse]:
        """Streams a picture to somebody who may read its document."""
        reference = Images.reference(request.image_id)
        try:
            caller, _ = await self._admission.method(call, request, request.actor, reference)
        except PapermeshError as error:
            raise no_image() if error.code is Code.NOT_FOUND else error from error
        async with self._images.opened(request.image_id, caller, call) as image:
            yield pb.GetImageResponse(header=pb.GetImageHeader(format=image.format, size=len(image.content)))
            for piece in cut(image.content):
                yield pb.GetImageResponse(data=piece)

    async def GetReport(self, request: pb.GetReportRequest, call: Call) -> AsyncIterator[pb.GetReportResponse]:
        """Streams a report to somebody who may read both of its documents."""
        references = Reports.references(request.report_id)
        try:
            caller, _ = await self._admission.method(call, request, request.actor, *references)
        except PapermeshError as error:
            raise no_report() if error.code is Code.NOT_FOUND else error from error
        async with self._reports.opened(request, caller, call) as report:
            yield pb.GetReportResponse(header=pb.GetReportHeader(size=report.size))
            async for piece in report.content:
                yield pb.GetReportResponse(data=piece)

    async def ListReports(self, request: pb.ListReportsRequest, call: Call) -> pb.ListReportsResponse:
        """Lists the reports about the caller's uploads."""
        caller, _ = await self._admission.method(call, request, request.actor)
        page = await self._listing.page(caller, request.page_size, request.page_token)
        found = await self._reports.of(caller, [each.sha256 for each in page.uploads])
        listed = map(_listed_report, found)
        return pb.ListReportsResponse(reports=listed, next_page_token=page.next_token, request_id=call.request_id)

    async def DeleteDocument(self, request: pb.DeleteDocumentRequest, call: Call) -> pb.DeleteDocumentResponse:
        """Takes an upload from its owner."""
        caller, [digest] = await self._admission.method(call, request, request.actor, request.doc_ref, frees=True)
        await self._ownership.release(caller, digest)
        return pb.DeleteDocumentResponse(request_id=call.request_id)

    async def _once(self, admitted: Admitted, call: Call, key: str, *, no_cache: bool) -> Answer:
        """The stored answer for the key, or a new one; waiting for the first call counts towards the timeout."""
        action, caller = admitted.action, admitted.caller
        limit_s = action.method.timeout.total_seconds()
        asked = KeyedCall(caller.client.id, owner(caller), action.name, key, admitted.args, action.method.read_only)
        patient = replace(call, timeout_s=limit_s)  # a side effect goes on when its caller leaves
        made: list[Answer] = []

        async def run() -> str:
            made.append(await self._answers.get(admitted, patient, no_cache=no_cache))
            if made[0].is_partial:
                raise _NotYet
            return made[0].json

        async with within(min(call.timeout_s, limit_s)):
            try:
                json = await self._idempotency.once(asked, run)
            except _NotYet:
                return made[0]
        return made[0] if made else Answer(json)


class _NotYet(Exception):  # noqa: N818  # no error: the key stays free, so that the same call again gets more
    """The answer is only a part of what there will be."""


def _cache_note(answer: Answer) -> str:
    """What the audit log says: what really happened, whatever the caller is told."""
    if answer.cache == pb.CACHE_STATE_UNSPECIFIED:
        return "none"
    return "hit" if answer.was_found else "miss"


def _listed_document(upload: Upload) -> pb.ListedDocument:
    """One upload, as the list shows it."""
    entry = pb.ListedDocument(
        doc_ref=document_pb2.DocumentRef(type=documents.UPLOAD, sha256=upload.sha256), charged_bytes=upload.charge
    )
    entry.upload_time.FromMilliseconds(upload.uploaded_ms)
    entry.use_time.FromSeconds(upload.used_s)
    return entry


def _listed_report(report: Report) -> pb.ListedReport:
    """One report, as the list shows it."""
    left, right = (document_pb2.DocumentRef(type=documents.UPLOAD, sha256=each.sha256) for each in report.id.documents)
    entry = pb.ListedReport(report_id=str(report.id), left=left, right=right)
    entry.use_time.FromSeconds(int(report.used_s))
    return entry


def _listed(action: Action) -> pb.ActionInfo:
    """What a person, an agent or a form needs in order to call the action."""
    entry = pb.ActionInfo(
        name=action.name,
        description=action.description,
        args_schema=orjson.dumps(dict(action.args_schema)).decode(),
        result_schema=orjson.dumps(dict(action.result_schema)).decode(),
        rate=options_pb2.RateLimit(requests_per_minute=action.rate.requests_per_minute, burst=action.rate.burst),
        job=action.job,
        read_only=action.method.read_only,
    )
    entry.timeout.FromTimedelta(action.method.timeout)
    if action.cache_ttl is not None:
        entry.cache_ttl.FromTimedelta(action.cache_ttl)
    return entry
