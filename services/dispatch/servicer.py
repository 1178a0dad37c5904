"""DispatchService: each method verifies its caller, admits the call, and hands it on."""

from collections.abc import AsyncIterator
from pathlib import Path

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from services.base.actions import Action, Rate
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError, bad_field
from services.base.handlers import Call
from services.dispatch import arguments, catalogue, documents, uploads
from services.dispatch.router import Router
from services.dispatch.state import Bucket, State
from services.dispatch.verification import Caller, Verifier


class DispatchServicer:
    """The front door. Its methods are named as in the proto; see `services.base.handlers`."""

    def __init__(
        self,
        verifier: Verifier,
        state: State,
        router: Router,
        blobs: BlobStore,
        *,
        client_rate: Rate,
        spool_dir: Path,
        max_document_bytes: int,
    ) -> None:
        """Serves with these collaborators.

        Args:
            verifier: Knows the clients.
            state: Nonces, buckets and rights.
            router: Knows the actions and calls them.
            blobs: The documents.
            client_rate: What one client may call in all.
            spool_dir: Where uploads wait until they are complete.
            max_document_bytes: The largest upload.
        """
        self._verifier = verifier
        self._state = state
        self._router = router
        self._blobs = blobs
        self._client_rate = client_rate
        self._spool_dir = spool_dir
        self._max_document_bytes = max_document_bytes

    async def Invoke(self, request: pb.InvokeRequest, call: Call) -> pb.InvokeResponse:
        """Runs one action."""
        verified = self._verifier.verify(call, request, request.actor, request.action)
        caller = verified.caller
        buckets = [self._client_bucket(caller)]
        try:
            action = self._authorised_action(request, caller)
            buckets.append(_action_bucket(caller, action))
            typed = arguments.parse(action, verified.request.get("args", {}))
            documents.check_projects(typed, caller.client)
            digests = documents.uploads(documents.named(typed))
        except PapermeshError:
            # What is wrong with the call is told only to a caller whose nonce is fresh and whose bucket is not empty.
            await self._state.admit(caller, buckets)
            raise
        documents.check_rights(await self._state.admit(caller, buckets, digests))
        result = await self._router.call(action, typed, call)
        return pb.InvokeResponse(json=result, request_id=call.request_id)

    async def ListActions(self, request: pb.ListActionsRequest, call: Call) -> pb.ListActionsResponse:
        """Lists what the client may invoke."""
        caller = await self._admit(call, request, request.actor)
        return pb.ListActionsResponse(
            actions=[
                catalogue.describe(action)
                for action in self._router.actions.values()
                if caller.client.may_invoke(action.name)
            ]
        )

    async def PutDocument(self, requests: AsyncIterator[pb.PutDocumentRequest], call: Call) -> pb.PutDocumentResponse:
        """Stores an upload."""
        header = await uploads.header(requests)
        caller = await self._admit(call, header, header.actor)
        uploads.check_header(header, self._max_document_bytes)
        await uploads.receive(header, requests, self._blobs, self._spool_dir)
        await self._state.add_owner(caller, header.sha256)
        reference = document_pb2.DocumentRef(type=documents.UPLOAD, sha256=header.sha256)
        return pb.PutDocumentResponse(doc_ref=reference, size=header.size, request_id=call.request_id)

    async def GetDocument(self, request: pb.GetDocumentRequest, call: Call) -> AsyncIterator[pb.GetDocumentResponse]:
        """Streams a document to one who may read it."""
        caller = self._verifier.verify(call, request, request.actor).caller
        buckets = [self._client_bucket(caller)]
        try:
            [digest] = documents.uploads([request.doc_ref])
        except PapermeshError:
            await self._state.admit(caller, buckets)
            raise
        documents.check_rights(await self._state.admit(caller, buckets, [digest]))
        size = await self._blobs.size(Namespace.UPLOADS, digest)
        yield pb.GetDocumentResponse(header=pb.GetDocumentHeader(sha256=digest, size=size))
        async for piece in self._blobs.read(Namespace.UPLOADS, digest):
            yield pb.GetDocumentResponse(data=piece)

    def _authorised_action(self, request: pb.InvokeRequest, caller: Caller) -> Action:
        action = self._router.action(request.action)
        if not caller.client.may_invoke(action.name):
            raise PapermeshError(Code.FORBIDDEN, "This client may not call this action.")
        if request.idempotency_key:
            raise bad_field("idempotency_key", "this version keeps no idempotency records; leave it empty")
        return action

    async def _admit(self, call: Call, message: pb.ListActionsRequest | pb.PutDocumentHeader, actor: str) -> Caller:
        """Verifies and admits a call that is no action and names no document."""
        caller = self._verifier.verify(call, message, actor).caller
        await self._state.admit(caller, [self._client_bucket(caller)])
        return caller

    def _client_bucket(self, caller: Caller) -> Bucket:
        return Bucket(caller.client.id, self._client_rate)


def _action_bucket(caller: Caller, action: Action) -> Bucket:
    override = caller.client.rates.get(action.name)
    rate = Rate(override.requests_per_minute, override.burst) if override else action.rate
    return Bucket(f"{caller.client.id}\x1f{caller.actor}\x1f{action.name}", rate)
