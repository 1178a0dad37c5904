"""The adapter's one way into the mesh: DispatchService, through Envoy's edge."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from google.protobuf.message import Message

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1.document_pb2 import DocumentRef
from papermesh.document.v1.report_pb2 import ReportFilter
from services.base import canonical, telemetry
from services.base.errors import PapermeshError
from services.base.signed_client import Person, SignedClient

KNOWN_FOR_S = 60.0
"""How long a catalogue stays valid: a deployment may get services and longer timeouts while the adapter runs."""

_PIECE = 256 * 1024

_log = logging.getLogger(__name__)


class Readable(Protocol):
    """A file, reduced to reading."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        ...


class DispatchClient(SignedClient):
    """DispatchService's methods. Each raises what `SignedClient.answer` does."""

    service = pb.DESCRIPTOR.services_by_name["DispatchService"]

    _timeouts_s: Mapping[str, float] = MappingProxyType({})
    """What catalogues have said about actions; an action in none of them gets the method's own time."""

    _ask_at = float("inf")
    """When to ask for the catalogue again. Never before the first one, without which nothing is ready."""

    _asking: asyncio.Task[None] | None = None

    async def invoke(
        self,
        action: str,
        args: dict[str, Any],
        person: Person,
        *,
        no_cache: bool = False,
        idempotency_key: str = "",
    ) -> pb.InvokeResponse:
        """Runs an action; `args` are what `canonical.check_json` returned."""
        request = pb.InvokeRequest(action=action, no_cache=no_cache, idempotency_key=idempotency_key)
        request.args.SetInParent()
        canonical.json_to_struct(args, request.args)
        # Written from the JSON at hand, which is what dispatch will read from the message.
        signed: dict[str, Any] = {"action": action, "args": args}
        if person.actor:
            signed["actor"] = person.actor
        if no_cache:
            signed["no_cache"] = True
        if idempotency_key:
            signed["idempotency_key"] = idempotency_key
        text, limit_s = canonical.dumps(signed), self._timeouts_s.get(action)
        self._keep_catalogue()
        with self.begun(pb.InvokeResponse, request, person, action=action, text=text, limit_s=limit_s) as call:
            response: pb.InvokeResponse = await call
        return response

    async def list_actions(self, person: Person) -> pb.ListActionsResponse:
        """The catalogue. It lists what this person may call, and says nothing of any other action."""
        listed = await self.answer(pb.ListActionsResponse, pb.ListActionsRequest(), person)
        named = {action.name: action.timeout.ToTimedelta().total_seconds() for action in listed.actions}
        self._timeouts_s = {**self._timeouts_s, **named}
        self._ask_at = min(self._ask_at, asyncio.get_running_loop().time() + KNOWN_FOR_S)
        return listed

    async def put_document(self, file: Readable, sha256: str, size: int, person: Person) -> pb.PutDocumentResponse:
        """Stores what `file` holds from its current position; also raises what reading `file` raised."""
        header = pb.PutDocumentHeader(sha256=sha256, size=size)
        unread: list[Exception] = []
        try:
            return await self.answer(pb.PutDocumentResponse, header, person, _messages(header, file, unread))
        except asyncio.CancelledError:
            if unread:  # grpc cancels a call whose messages fail, and says no more
                raise unread[0] from None
            raise

    async def delete_document(self, sha256: str, person: Person) -> pb.DeleteDocumentResponse:
        """Takes an upload from the person."""
        return await self.answer(pb.DeleteDocumentResponse, pb.DeleteDocumentRequest(doc_ref=_upload(sha256)), person)

    def get_document(self, sha256: str, person: Person) -> AsyncGenerator[pb.GetDocumentResponse, None]:
        """Streams a document: a header, then data."""
        return self.stream(pb.GetDocumentResponse, pb.GetDocumentRequest(doc_ref=_upload(sha256)), person)

    async def list_documents(self, size: int, token: str, person: Person) -> pb.ListDocumentsResponse:
        """A page of the person's uploads, the newest first."""
        request = pb.ListDocumentsRequest(page_size=size, page_token=token)
        return await self.answer(pb.ListDocumentsResponse, request, person)

    def get_image(self, image_id: str, person: Person) -> AsyncGenerator[pb.GetImageResponse, None]:
        """Streams a picture: a header, then data."""
        return self.stream(pb.GetImageResponse, pb.GetImageRequest(image_id=image_id), person)

    def get_report(
        self, report_id: str, format_: str, wanted: ReportFilter, person: Person
    ) -> AsyncGenerator[pb.GetReportResponse, None]:
        """Streams a report: a header, then data."""
        request = pb.GetReportRequest(report_id=report_id, format=format_)
        if wanted.ListFields():  # a signature covers what is set, also what says nothing
            request.filter.CopyFrom(wanted)
        return self.stream(pb.GetReportResponse, request, person)

    async def list_reports(self, size: int, token: str, person: Person) -> pb.ListReportsResponse:
        """The reports about a page of the person's uploads."""
        request = pb.ListReportsRequest(page_size=size, page_token=token)
        return await self.answer(pb.ListReportsResponse, request, person)

    async def aclose(self) -> None:
        """Ends what it does in the background."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _keep_catalogue(self) -> None:
        """Asks for the catalogue beside a call, if the current one is old."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._ask_at:
            self._ask_at = loop.time() + KNOWN_FOR_S
            self._asking = loop.create_task(self._ask_again())

    async def _ask_again(self) -> None:
        """Asks for it. The current one stays good until it arrives."""
        try:
            await self.list_actions(Person("", telemetry.continue_trace(None)))
        except PapermeshError as error:
            _log.info("Could not refresh the catalogue; trying again in a minute: %s", error)


def _upload(sha256: str) -> DocumentRef:
    return DocumentRef(type="UPLOAD", sha256=sha256)


async def _messages(header: pb.PutDocumentHeader, file: Readable, unread: list[Exception]) -> AsyncIterator[Message]:
    yield pb.PutDocumentRequest(header=header)
    try:
        while piece := file.read(_PIECE):
            yield pb.PutDocumentRequest(data=piece)
    except Exception as error:
        unread.append(error)
        raise
