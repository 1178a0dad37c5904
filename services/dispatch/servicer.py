"""DispatchService: each method admits its call and hands it on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.errors import timed_out
from services.dispatch import catalogue
from services.dispatch.admission import documents
from services.dispatch.admission.admission import Admission, Admitted
from services.dispatch.admission.concurrency import InFlight
from services.dispatch.admission.state import owner
from services.dispatch.answers.answers import Answer, Answers
from services.dispatch.answers.idempotency import Asked, Idempotency
from services.dispatch.router import Router
from services.dispatch.uploads import receiving
from services.dispatch.uploads.losses import Losses
from services.dispatch.uploads.ownership import Ownership

_SERVICE = pb.DESCRIPTOR.services_by_name["DispatchService"].full_name


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one upload may be, and where it waits."""

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
        blobs: BlobStore,
        ownership: Ownership,
        losses: Losses,
        in_flight: InFlight,
        upload_limits: UploadLimits,
    ) -> None:
        """Serves with these collaborators.

        Args:
            admission: Decides who gets in.
            router: Knows the actions.
            answers: Makes or finds their results.
            idempotency: Remembers calls that bear a key.
            blobs: The documents.
            ownership: Whose they are.
            losses: Says why one was missing.
            in_flight: The places of calls; an upload takes one of this service's, since it fills the spool folder while
                it comes, before it counts towards a quota.
            upload_limits: What may be uploaded.
        """
        self._admission = admission
        self._router = router
        self._answers = answers
        self._idempotency = idempotency
        self._blobs = blobs
        self._ownership = ownership
        self._losses = losses
        self._in_flight = in_flight
        self._upload_limits = upload_limits

    async def Invoke(self, request: pb.InvokeRequest, call: Call) -> pb.InvokeResponse:
        """Runs one action."""
        admitted = await self._admission.action(call, request)
        async with self._losses.told(admitted.caller, admitted.request):
            if request.idempotency_key:
                answer = await self._once(admitted, call, request.idempotency_key, no_cache=request.no_cache)
            else:
                answer = await self._answers.get(admitted, call, no_cache=request.no_cache)
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
                catalogue.describe(action)
                for action in self._router.actions.values()
                if caller.rights.may_invoke(action.name)
            ]
        )

    async def PutDocument(self, requests: AsyncIterator[pb.PutDocumentRequest], call: Call) -> pb.PutDocumentResponse:
        """Stores an upload."""
        header = await receiving.header(requests)
        caller, _ = await self._admission.method(call, header, header.actor)
        receiving.check_header(header, self._upload_limits.max_bytes)
        call.notes["documents"] = [header.sha256]
        await self._ownership.check_room(caller, header.sha256, header.size)
        leave = self._in_flight.enter(caller, _SERVICE)
        try:
            async with receiving.received(header, requests, self._upload_limits.spool_dir) as file:
                await self._ownership.store(caller, header.sha256, header.size, file)
        finally:
            leave()
        reference = document_pb2.DocumentRef(type=documents.UPLOAD, sha256=header.sha256)
        return pb.PutDocumentResponse(doc_ref=reference, size=header.size, request_id=call.request_id)

    async def GetDocument(self, request: pb.GetDocumentRequest, call: Call) -> AsyncIterator[pb.GetDocumentResponse]:
        """Streams a document to one who may read it."""
        caller, [digest] = await self._admission.method(call, request, request.actor, request.doc_ref)
        async with self._losses.told(caller, request), aclosing(self._blobs.read(Namespace.UPLOADS, digest)) as pieces:
            size = await self._blobs.size(Namespace.UPLOADS, digest)
            first = await anext(pieces)  # what cannot be read is told before an answer has begun, where that can be
            yield pb.GetDocumentResponse(header=pb.GetDocumentHeader(sha256=digest, size=size))
            yield pb.GetDocumentResponse(data=first)
            async for piece in pieces:
                yield pb.GetDocumentResponse(data=piece)

    async def DeleteDocument(self, request: pb.DeleteDocumentRequest, call: Call) -> pb.DeleteDocumentResponse:
        """Takes an upload from its owner."""
        caller, [digest] = await self._admission.method(call, request, request.actor, request.doc_ref, frees=True)
        await self._ownership.release(caller, digest)
        return pb.DeleteDocumentResponse(request_id=call.request_id)

    async def _once(self, admitted: Admitted, call: Call, key: str, *, no_cache: bool) -> Answer:
        """The answer that is stored under the key, or a new one; waiting for the first call is part of the time."""
        action, caller = admitted.action, admitted.caller
        limit_s = action.method.timeout.total_seconds()
        asked = Asked(caller.client.id, owner(caller), action.name, key, admitted.args, action.method.read_only)
        patient = replace(call, timeout_s=limit_s)  # a side effect goes on when its caller leaves
        made: list[Answer] = []

        async def run() -> str:
            made.append(await self._answers.get(admitted, patient, no_cache=no_cache))
            return made[0].json

        try:
            async with asyncio.timeout(min(call.timeout_s, limit_s)):
                json = await self._idempotency.once(asked, run)
        except TimeoutError:
            raise timed_out() from None
        return made[0] if made else Answer(json)


def _cache_note(answer: Answer) -> str:
    """What the audit log says: what happened, whatever the caller is told."""
    if answer.cache == pb.CACHE_STATE_UNSPECIFIED:
        return "none"
    return "hit" if answer.was_found else "miss"
