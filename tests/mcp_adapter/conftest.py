"""The adapter in this process, before a stand-in for dispatch that it reaches over TLS."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from mcp_adapter.app import create_app
from mcp_adapter.settings import AdapterSettings
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import canonical, signature
from services.base.call import Call
from services.base.errors import PapermeshError
from services.base.server import Hosted
from services.base.signature import Key
from services.base.testing import running

KEY = Key("adapter", "k1", bytes(range(32)))
LIMIT = 1_000_000
Signed = (
    pb.InvokeRequest
    | pb.ListActionsRequest
    | pb.ListDocumentsRequest
    | pb.GetDocumentRequest
    | pb.GetImageRequest
    | pb.GetReportRequest
    | pb.ListReportsRequest
    | pb.DeleteDocumentRequest
    | pb.PutDocumentHeader
)
SERVICE = pb.DESCRIPTOR.services_by_name["DispatchService"]


@dataclass
class Dispatch:
    """Checks each signature, answers as a test says, and keeps uploads in memory."""

    error: PapermeshError | None = None
    response: pb.InvokeResponse = field(default_factory=lambda: pb.InvokeResponse(json='{"a": 1}', request_id="r-1"))
    requests: list[pb.InvokeRequest] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)
    key: Key = KEY
    documents: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)
    asked_reports: list[pb.GetReportRequest] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    go_on: asyncio.Event | None = None
    """What Invoke waits for, if anything."""

    async def Invoke(self, request: pb.InvokeRequest, call: Call) -> pb.InvokeResponse:
        self._verify(request, call)
        self.requests.append(request)
        if self.go_on:
            await self.go_on.wait()
        return self.response

    async def ListActions(self, request: pb.ListActionsRequest, call: Call) -> pb.ListActionsResponse:
        self._verify(request, call)
        info = pb.ActionInfo(name="PDF_TEXT", args_schema='{"type": "object"}', result_schema="{}", job=True)
        info.timeout.seconds, info.rate.requests_per_minute, info.rate.burst = 10, 60, 10
        return pb.ListActionsResponse(actions=[info])

    async def PutDocument(self, requests: AsyncIterator[pb.PutDocumentRequest], call: Call) -> pb.PutDocumentResponse:
        header = (await anext(requests)).header
        self._verify(header, call)
        content = b"".join([message.data async for message in requests])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (header.size, header.sha256)
        self.documents[header.sha256] = content
        response = pb.PutDocumentResponse(size=len(content), request_id="r-2")
        response.doc_ref.type, response.doc_ref.sha256 = "UPLOAD", header.sha256
        return response

    async def GetDocument(self, request: pb.GetDocumentRequest, call: Call) -> AsyncIterator[pb.GetDocumentResponse]:
        self._verify(request, call)
        content = self.documents[request.doc_ref.sha256]
        yield pb.GetDocumentResponse(header=pb.GetDocumentHeader(sha256=request.doc_ref.sha256, size=len(content)))
        for start in range(0, len(content), 256 * 1024):
            yield pb.GetDocumentResponse(data=content[start : start + 256 * 1024])

    async def ListDocuments(self, request: pb.ListDocumentsRequest, call: Call) -> pb.ListDocumentsResponse:
        self._verify(request, call)
        response = pb.ListDocumentsResponse(request_id="r-5")
        for sha256, content in list(self.documents.items())[: request.page_size or 100]:
            entry = response.documents.add(charged_bytes=len(content))
            entry.doc_ref.type, entry.doc_ref.sha256 = "UPLOAD", sha256
            entry.upload_time.seconds = entry.use_time.seconds = 1_764_000_000
        response.next_page_token = f"{request.page_token}+"
        return response

    async def GetImage(self, request: pb.GetImageRequest, call: Call) -> AsyncIterator[pb.GetImageResponse]:
        self._verify(request, call)
        content = self.images[request.image_id]
        yield pb.GetImageResponse(header=pb.GetImageHeader(format="webp", size=len(content)))
        for start in range(0, len(content), 256 * 1024):
            yield pb.GetImageResponse(data=content[start : start + 256 * 1024])

    async def GetReport(self, request: pb.GetReportRequest, call: Call) -> AsyncIterator[pb.GetReportResponse]:
        self._verify(request, call)
        self.asked_reports.append(request)
        content = self.reports[request.report_id]
        yield pb.GetReportResponse(header=pb.GetReportHeader(size=len(content)))
        for start in range(0, len(content), 256 * 1024):
            yield pb.GetReportResponse(data=content[start : start + 256 * 1024])

    async def ListReports(self, request: pb.ListReportsRequest, call: Call) -> pb.ListReportsResponse:
        self._verify(request, call)
        response = pb.ListReportsResponse(request_id="r-6", next_page_token=f"{request.page_token}+")
        for report_id in list(self.reports)[: request.page_size or 100]:
            entry = response.reports.add(report_id=report_id)
            for reference, digit in ((entry.left, "a"), (entry.right, "b")):
                reference.type, reference.sha256 = "UPLOAD", digit * 64
            entry.use_time.seconds = 1_764_000_000
        return response

    async def DeleteDocument(self, request: pb.DeleteDocumentRequest, call: Call) -> pb.DeleteDocumentResponse:
        self._verify(request, call)
        del self.documents[request.doc_ref.sha256]
        return pb.DeleteDocumentResponse(request_id="r-4")

    def _verify(self, message: Signed, call: Call) -> None:
        signed = signature.read(call.metadata)
        text = canonical.canonical_json(message)
        signature.check_mac(signed, [self.key.secret], audience="test", method=call.method, request=text)
        assert signed.action == getattr(message, "action", None)
        if signed.nonce in self.nonces:
            raise signature.unauthenticated("This call was made before: its nonce has been used.")
        self.nonces.add(signed.nonce)
        self.actors.append(message.actor)
        self.calls.append(call)
        if self.error is not None:
            raise self.error


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def write_key(file: Path, key: Key) -> Path:
    """The file that the adapter signs with."""
    secret = base64.urlsafe_b64encode(key.secret).decode()
    made = file.with_suffix(".new")
    made.touch(mode=0o600)
    made.write_text(json.dumps({"client": key.client, "key_id": key.key_id, "secret": secret}))
    return made.replace(file)


async def until(condition: Callable[[], Awaitable[object]], limit_s: float = 10) -> None:
    """Waits until the condition holds, and fails when the limit passes first."""
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110 - what runs in another process tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def adapter(
    edge_address: str, tls_dir: Path, folder: Path, **changed: object
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an adapter that calls dispatch at this address, with these settings changed."""
    settings = AdapterSettings.read(
        tls_dir=tls_dir,
        edge_address=edge_address,
        audience="test",
        key_file=write_key(folder / "adapter.json", KEY),
        spool_dir=folder / "spool",
        max_document_bytes=LIMIT,
        **changed,
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9000") as client,
    ):
        yield client


@pytest.fixture
async def client(dispatch: Dispatch, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an adapter that calls the stand-in."""
    async with (
        running(Hosted(SERVICE, dispatch), directory=tmp_path) as up,
        adapter(up.address, up.tls_dir, tmp_path) as client,
    ):
        yield client
