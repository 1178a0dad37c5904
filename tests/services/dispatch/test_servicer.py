"""dispatch as a whole, with a real Redis and a small pdf behind it; only Envoy is missing."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.dispatch.v1 import dispatch_service_pb2_grpc as pb_grpc
from papermesh.document.v1 import document_pb2
from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions, results, shares, status
from services.base.actions import Rate
from services.base.audit_chain import AuditKey
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.base.image_id import ImageId
from services.base.page_images import Drawn, PageImages
from services.base.redis.link import RedisLink
from services.base.server import Hosted
from services.base.signature import Key
from services.base.stored_blob import Key as BlobKey
from services.base.testing import REQUEST_ID, envoy_metadata, running
from services.base.watched_file import WatchedFile
from services.dispatch.admission import arguments, clients
from services.dispatch.admission.admission import Admission
from services.dispatch.admission.clients import Client
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.limits import Limits
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import State
from services.dispatch.admission.verification import Caller, Verifier
from services.dispatch.answers.answers import Answers, CacheScope
from services.dispatch.answers.engines import Engines
from services.dispatch.answers.idempotency import Idempotency
from services.dispatch.answers.images import Images
from services.dispatch.answers.reports import Reports
from services.dispatch.answers.result_cache import ResultCache
from services.dispatch.answers.single_flight import SingleFlight
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.audit.audit import Audit, Heads
from services.dispatch.router import Router
from services.dispatch.servicer import DispatchServicer, UploadLimits
from services.dispatch.uploads.listing import Listing
from services.dispatch.uploads.lost_documents import LostDocuments
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention
from tests.support.clients import ADAPTER_ID, ADAPTER_KEY, AUDIENCE, REPORTS_ID, REPORTS_KEY, SERVICE, entry, signed
from tests.support.disks import fill, needs_root, small_disk
from tests.support.redis_server import RedisServer

CONTENT = b"%PDF-1.7 nothing more"
SHA = hashlib.sha256(CONTENT).hexdigest()
PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]
DISPATCH = pb.DESCRIPTOR.services_by_name["DispatchService"]
OTHER_CONTENT = b"%PDF-1.7 something else"
LIMIT = 1_000_000
QUOTA = 900_000
CALLS_AT_ONCE = 8


@dataclass
class Pdf:
    """A pdf service that answers with one text, or fails with one error."""

    json: str = '{"pages": 3, "제목": "x"}'
    error: PapermeshError | None = None
    is_partial: bool = False
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """Happens while it works."""

    calls: list[tuple[Message, Call]] = field(default_factory=list)

    async def GetMetadata(
        self, request: pdf_service_pb2.GetMetadataRequest, call: Call
    ) -> pdf_service_pb2.GetMetadataResponse:
        self.calls.append((request, call))
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.error is not None:
            raise self.error
        if self.is_partial:
            results.partial(call)
        return pdf_service_pb2.GetMetadataResponse(json=self.json)


@dataclass
class Mesh:
    """A running dispatch and the pdf behind it."""

    stub: pb_grpc.DispatchServiceStub
    servicer: DispatchServicer
    pdf: Pdf

    async def invoke(
        self, action: str = "PDF_METADATA", args: object = None, *, metadata: object = None, **fields: object
    ) -> pb.InvokeResponse:
        """Invokes as the adapter, unless the metadata says otherwise."""
        request = invoke_request(action, args, **fields)
        metadata = metadata or signed("Invoke", request, action=action)
        answer: pb.InvokeResponse = await self.stub.Invoke(request, metadata=metadata, timeout=10)
        return answer

    async def put(self, *pieces: bytes, actor: str = "", size: int | None = None) -> pb.PutDocumentResponse:
        """Uploads as the adapter."""
        content = b"".join(pieces)
        digest = hashlib.sha256(content).hexdigest()
        header = pb.PutDocumentHeader(sha256=digest, size=len(content) if size is None else size, actor=actor)
        messages = [pb.PutDocumentRequest(header=header), *(pb.PutDocumentRequest(data=each) for each in pieces)]
        metadata = signed("PutDocument", header)
        answer: pb.PutDocumentResponse = await self.stub.PutDocument(iter(messages), metadata=metadata, timeout=10)
        return answer

    async def get(self, request: pb.GetDocumentRequest) -> list[pb.GetDocumentResponse]:
        """Downloads as the adapter."""
        call = self.stub.GetDocument(request, metadata=signed("GetDocument", request), timeout=10)
        return [each async for each in call]

    async def image(self, image_id: str, actor: str = "") -> list[pb.GetImageResponse]:
        """Fetches a picture as the adapter."""
        request = pb.GetImageRequest(image_id=image_id, actor=actor)
        return [each async for each in self.stub.GetImage(request, metadata=signed("GetImage", request), timeout=10)]

    async def documents(self, actor: str = "", **fields: Any) -> pb.ListDocumentsResponse:
        """Lists uploads as the adapter."""
        request = pb.ListDocumentsRequest(actor=actor, **fields)
        metadata = signed("ListDocuments", request)
        listed: pb.ListDocumentsResponse = await self.stub.ListDocuments(request, metadata=metadata, timeout=10)
        return listed

    async def delete(self, reference: document_pb2.DocumentRef, actor: str = "") -> pb.DeleteDocumentResponse:
        """Deletes as the adapter."""
        request = pb.DeleteDocumentRequest(doc_ref=reference, actor=actor)
        metadata = signed("DeleteDocument", request)
        answer: pb.DeleteDocumentResponse = await self.stub.DeleteDocument(request, metadata=metadata, timeout=10)
        return answer

    async def list_names(self, key: Key = ADAPTER_KEY, **how: str) -> list[str]:
        request = pb.ListActionsRequest()
        listed = await self.stub.ListActions(request, metadata=signed("ListActions", request, key, **how), timeout=10)
        return [each.name for each in listed.actions]

    async def list_code(self, actor: str) -> Code | None:
        """How listing the actions for an actor ends; None when it works."""
        request = pb.ListActionsRequest(actor=actor)
        try:
            await self.stub.ListActions(request, metadata=signed("ListActions", request))
        except grpc.aio.AioRpcError as error:
            return status.decode(error).code
        return None


def invoke_request(action: str = "PDF_METADATA", args: object = None, **fields: object) -> pb.InvokeRequest:
    request = pb.InvokeRequest(action=action, **fields)  # type: ignore[arg-type]
    request.args.update({"doc_ref": {"type": "UPLOAD", "sha256": SHA}} if args is None else args)  # type: ignore[arg-type]
    return request


async def refusal(attempt: object) -> PapermeshError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await attempt  # type: ignore[misc]
    return status.decode(caught.value)


@pytest.fixture
def scope() -> CacheScope:
    """Who shares results; a test may say otherwise."""
    return CacheScope.DEPLOYMENT


@pytest.fixture
async def mesh(
    tmp_path: Path,
    state: State,
    link: RedisLink,
    listing: WatchedFile[dict[str, Client]],
    scope: CacheScope,
) -> AsyncIterator[Mesh]:
    pdf, spool_dir, audit_dir = Pdf(), tmp_path / "spool", tmp_path / "audit"
    spool_dir.mkdir()
    audit_dir.mkdir()
    audit = Audit(audit_dir, "dispatch", AuditKey("k1", b"c" * 32, b"a" * 32), Heads(link, keep_days=1))
    await audit.start()
    blobs = BlobStore(f"file://{tmp_path}/blobs")
    async with (
        running(Hosted(PDF, pdf), directory=tmp_path, engine="pdf-1") as up,
        open_channel(up.address, up.tls_dir) as to_pdf,
    ):
        table = actions.load()
        router, engines = Router(to_pdf, table.listed([PDF.full_name])), Engines(to_pdf, [PDF.full_name])
        limits, concurrency = Limits(Rate(600, 40), table.methods), ConcurrencyLimit(CALLS_AT_ONCE, 48)
        servicer = DispatchServicer(
            admission=Admission(audit, Verifier(AUDIENCE, listing), limits, state, router),
            router=router,
            answers=Answers(router, engines, ResultCache(link), SingleFlight(link), concurrency, scope=scope),
            idempotency=Idempotency(link, ReplayLog(), StoredAnswers(blobs, spool_dir)),
            images=Images(blobs, router, concurrency, LostDocuments(link, blobs)),
            reports=Reports(blobs, to_pdf, router, concurrency, LostDocuments(link, blobs)),
            blobs=blobs,
            ownership=Ownership(link, blobs, Quota(QUOTA, 1000)),
            listing=Listing(link),
            lost_documents=LostDocuments(link, blobs),
            concurrency=concurrency,
            upload_limits=UploadLimits(spool_dir, LIMIT),
        )
        async with (
            running(
                Hosted(DISPATCH, servicer), directory=tmp_path, behind_mesh=False, on_end=[audit.record]
            ) as dispatch,
            open_channel(dispatch.address, dispatch.tls_dir) as to_dispatch,
        ):
            yield Mesh(pb_grpc.DispatchServiceStub(to_dispatch), servicer, pdf)
    await audit.stop()


class TestInvoke:
    async def test_passes_the_engines_json_through(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        answer = await mesh.invoke()
        assert (answer.json, answer.request_id) == (mesh.pdf.json, REQUEST_ID)

    async def test_hands_the_call_on(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        await mesh.invoke()
        [(request, call)] = mesh.pdf.calls
        assert request == pdf_service_pb2.GetMetadataRequest(
            doc_ref=document_pb2.DocumentRef(type="UPLOAD", sha256=SHA)
        )
        assert (call.request_id, dict(call.metadata)["x-result"]) == (REQUEST_ID, "json")
        assert dict(call.metadata)["x-action"] == "PDF_METADATA"
        assert 0 < call.timeout_s <= 10
        assert not {"x-client", "x-nonce", "x-signature"} & set(dict(call.metadata))

    async def test_says_on_whose_behalf_and_takes_nobodys_word_for_it(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        claimed = Flow.of("reports", "somebody else").metadata
        await mesh.invoke(metadata=(*signed("Invoke", invoke_request(), action="PDF_METADATA"), claimed))
        [(_, call)] = mesh.pdf.calls
        said = [each for each in call.metadata if each[0] == claimed[0]]
        assert said == [Flow.of("adapter", "adapter").metadata]

    async def test_passes_the_engines_errors_on(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.error = PapermeshError(Code.TIMEOUT, "Too slow.", details={"page": "3"})
        error = await refusal(mesh.invoke())
        assert (error.code, error.message, error.details) == (Code.TIMEOUT, "Too slow.", {"page": "3"})

    async def test_may_take_longer_than_there_is_for_being_verified(
        self, mesh: Mesh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await mesh.put(CONTENT)
        monkeypatch.setattr(shares, "UNVERIFIED_S", 2.0)

        async def a_later_call_runs_out_of_time() -> None:
            silent = mesh.stub.PutDocument(metadata=envoy_metadata(), timeout=10)
            assert (await refusal(silent)).details == {"reason": "unverified"}

        mesh.pdf.meanwhile = a_later_call_runs_out_of_time
        assert (await mesh.invoke()).json == mesh.pdf.json

    async def test_is_waited_for_no_longer_than_its_caller_waits(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.meanwhile = asyncio.Event().wait
        request = invoke_request()
        call = Call(f"{SERVICE}/Invoke", signed("Invoke", request, action="PDF_METADATA"), REQUEST_ID, 0.1, "")
        with pytest.raises(PapermeshError) as caught:
            async with asyncio.timeout(5):  # half of what the action may take
                await mesh.servicer.Invoke(request, call)
        assert caught.value.code is Code.TIMEOUT

    async def test_refuses_a_replay(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        metadata = signed("Invoke", invoke_request(), action="PDF_METADATA")
        await mesh.invoke(metadata=metadata)
        assert (await refusal(mesh.invoke(metadata=metadata))).code is Code.UNAUTHENTICATED
        assert len(mesh.pdf.calls) == 1

    async def test_refuses_a_call_that_is_not_signed(self, mesh: Mesh) -> None:
        assert (await refusal(mesh.stub.Invoke(invoke_request()))).code is Code.UNAUTHENTICATED

    async def test_names_the_arguments_at_fault(self, mesh: Mesh) -> None:
        error = await refusal(mesh.invoke("PDF_METADATA", {"doc_ref": {"type": 5}, "x": 1}))
        assert error.code is Code.BAD_ARG
        assert {each.field for each in error.violations} == {"doc_ref.type", "x"}

    async def test_tells_many_faults_in_any_script(self, mesh: Mesh) -> None:
        error = await refusal(mesh.invoke("PDF_METADATA", {f"{'가' * 300}{number}": 1 for number in range(50)}))
        assert error.code is Code.BAD_ARG
        assert error.violations

    async def test_uses_up_the_nonce_of_a_faulty_call(self, mesh: Mesh) -> None:
        metadata = signed("Invoke", invoke_request(args={}), action="PDF_METADATA")
        assert (await refusal(mesh.invoke(args={}, metadata=metadata))).code is Code.BAD_ARG
        assert (await refusal(mesh.invoke(args={}, metadata=metadata))).code is Code.UNAUTHENTICATED

    @pytest.mark.parametrize(("actor", "code"), [("a\x1fb", Code.BAD_ARG), ("adapter", Code.FORBIDDEN)])
    async def test_uses_up_the_nonce_of_a_call_for_an_actor_that_may_not_be(
        self, mesh: Mesh, actor: str, code: Code
    ) -> None:
        metadata = signed("Invoke", invoke_request(actor=actor), action="PDF_METADATA")
        assert (await refusal(mesh.invoke(actor=actor, metadata=metadata))).code is code
        assert (await refusal(mesh.invoke(actor=actor, metadata=metadata))).code is Code.UNAUTHENTICATED
        assert await mesh.list_code(actor) is code

    @pytest.mark.measures_time
    async def test_limits_calls_for_actors_that_may_not_be(self, mesh: Mesh) -> None:
        codes = [(await refusal(mesh.invoke(actor="adapter"))).code for _ in range(60)]
        assert codes[:40] == [Code.FORBIDDEN] * 40
        assert Code.RATE_LIMIT in codes

    @pytest.mark.parametrize("action", ["", "NO_SUCH", "GITLAB_PROJECT_INFO", "GITLAB_GUIDE", "pdf_metadata"])
    async def test_knows_no_action_that_is_not_deployed(self, mesh: Mesh, action: str) -> None:
        assert (await refusal(mesh.invoke(action))).code is Code.BAD_ARG

    async def test_keeps_a_client_to_its_actions(self, mesh: Mesh) -> None:
        request = invoke_request("PDF_TEXT")
        metadata = signed("Invoke", request, REPORTS_KEY, uri=REPORTS_ID, action="PDF_TEXT")
        assert (await refusal(mesh.invoke("PDF_TEXT", metadata=metadata))).code is Code.FORBIDDEN

    async def test_keeps_a_client_to_its_own_rate(self, mesh: Mesh) -> None:
        codes = []
        for _ in range(3):
            metadata = signed("Invoke", invoke_request(), REPORTS_KEY, uri=REPORTS_ID, action="PDF_METADATA")
            codes.append((await refusal(mesh.invoke(metadata=metadata))).code)
        assert codes == [Code.NOT_FOUND, Code.NOT_FOUND, Code.RATE_LIMIT]

    async def test_limits_each_actor_by_the_actions_rate(self, mesh: Mesh) -> None:
        for _ in range(10):
            assert (await refusal(mesh.invoke("PDF_TEXT", actor="kim"))).code is Code.NOT_FOUND
        error = await refusal(mesh.invoke("PDF_TEXT", actor="kim"))
        assert error.code is Code.RATE_LIMIT
        assert 0 < (error.retry_after_ms or 0) <= 1000
        assert (await refusal(mesh.invoke("PDF_TEXT", actor="lee"))).code is Code.NOT_FOUND

    async def test_refuses_a_project_that_the_client_may_not_read(self, mesh: Mesh) -> None:
        args = {"doc_ref": {"type": "GITLAB", "project_path": "secret/a", "path": "a.pdf"}}
        request = invoke_request(args=args)
        metadata = signed("Invoke", request, REPORTS_KEY, uri=REPORTS_ID, action="PDF_METADATA")
        assert (await refusal(mesh.invoke(args=args, metadata=metadata))).code is Code.FORBIDDEN

    async def test_refuses_what_is_no_idempotency_key(self, mesh: Mesh) -> None:
        error = await refusal(mesh.invoke(idempotency_key="two words"))
        assert [each.field for each in error.violations] == ["idempotency_key"]

    async def test_refuses_everything_while_redis_is_away(self, mesh: Mesh, redis_server: RedisServer) -> None:
        redis_server.stop()
        assert (await refusal(mesh.invoke())).code is Code.UNAVAILABLE
        assert (await refusal(mesh.invoke("NO_SUCH"))).code is Code.UNAVAILABLE
        assert not mesh.pdf.calls


class TestResults:
    async def test_are_computed_once_and_served_again_with_their_id_and_age(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        first, second = await mesh.invoke(), await mesh.invoke()
        assert (first.cache, second.cache) == (pb.CACHE_STATE_MISS, pb.CACHE_STATE_HIT)
        assert first.json == second.json
        assert first.result_id == second.result_id != ""
        assert (first.max_age_s, 590 <= second.max_age_s <= 600) == (600, True)
        assert len(mesh.pdf.calls) == 1

    async def test_are_shared_by_all_who_have_the_right_and_nobody_else(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT, actor="kim")
        await mesh.invoke(actor="kim")
        assert (await refusal(mesh.invoke(actor="lee"))).code is Code.NOT_FOUND
        await mesh.put(CONTENT, actor="lee")
        assert (await mesh.invoke(actor="lee")).json == mesh.pdf.json
        assert len(mesh.pdf.calls) == 1

    @pytest.mark.parametrize("near", [256, 0], ids=["from this process's memory", "from Redis"])
    async def test_tell_nobody_that_somebody_else_has_asked_before(
        self,
        mesh: Mesh,
        near: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("services.dispatch.answers.local_cache._MOST_ENTRIES", near)
        for content in (CONTENT, OTHER_CONTENT):
            for actor in ("kim", "lee"):
                await mesh.put(content, actor=actor)
        await mesh.invoke(actor="kim")
        known = [await mesh.invoke(actor="lee") for _ in range(2)]
        args = {"doc_ref": {"type": "UPLOAD", "sha256": hashlib.sha256(OTHER_CONTENT).hexdigest()}}
        unknown = [await mesh.invoke(args=args, actor="lee") for _ in range(2)]
        assert len(mesh.pdf.calls) == 2, "one was shared"
        for of_known, of_unknown in zip(known, unknown, strict=True):
            assert of_known.cache == of_unknown.cache
            assert of_known.max_age_s == pytest.approx(of_unknown.max_age_s, abs=5)
        assert [each.cache for each in known] == [pb.CACHE_STATE_MISS, pb.CACHE_STATE_HIT]
        assert known[0].max_age_s == 600

    async def test_tell_it_neither_by_the_time_for_which_they_last(self, mesh: Mesh, redis_server: RedisServer) -> None:
        for actor in ("kim", "lee"):
            await mesh.put(CONTENT, actor=actor)
        await mesh.invoke(actor="kim")
        with redis_server.admin() as admin:  # kim asked long ago: the entry is near its end
            (entry,) = admin.keys("result:*")
        assert (await mesh.invoke(actor="lee")).max_age_s == 600
        with redis_server.admin() as admin:
            admin.delete(entry)
        mesh.servicer._answers._cache._local._held.clear()
        again = await mesh.invoke(actor="lee")
        assert len(mesh.pdf.calls) == 2
        assert (again.cache, 590 <= again.max_age_s <= 600) == (pb.CACHE_STATE_HIT, True)

    async def test_are_noted_in_the_audit_log_as_what_they_were(self, mesh: Mesh, tmp_path: Path) -> None:
        for actor in ("kim", "lee"):
            await mesh.put(CONTENT, actor=actor)
            await mesh.invoke(actor=actor)
        (log,) = (tmp_path / "audit").iterdir()

        def noted() -> list[str]:
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            return [line["cache"] for line in lines if line.get("method") == "Invoke"]

        async with asyncio.timeout(10):
            while len(noted()) < 2:  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0)
        assert noted() == ["miss", "hit"]

    @pytest.mark.parametrize(
        ("scope", "computed"), [(CacheScope.DEPLOYMENT, 1), (CacheScope.CLIENT, 2), (CacheScope.ACTOR, 3)]
    )
    async def test_are_shared_within_the_scope_that_is_set(self, mesh: Mesh, computed: int) -> None:
        for actor in ("kim", "lee"):
            await mesh.put(CONTENT, actor=actor)
            for _ in range(2):
                await mesh.invoke(actor=actor)
        header = pb.PutDocumentHeader(sha256=SHA, size=len(CONTENT))
        messages = [pb.PutDocumentRequest(header=header), pb.PutDocumentRequest(data=CONTENT)]
        how = {"key": REPORTS_KEY, "uri": REPORTS_ID}
        await mesh.stub.PutDocument(iter(messages), metadata=signed("PutDocument", header, **how), timeout=10)
        await mesh.invoke(metadata=signed("Invoke", invoke_request(), action="PDF_METADATA", **how))
        assert len(mesh.pdf.calls) == computed

    async def test_are_computed_anew_when_the_caller_asks_for_that(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        await mesh.invoke()
        mesh.pdf.json = '{"pages": 4}'
        assert (await mesh.invoke(no_cache=True)).json == mesh.pdf.json
        assert (await mesh.invoke()).json == mesh.pdf.json
        assert len(mesh.pdf.calls) == 2

    async def test_that_failed_are_not_kept(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.error = PapermeshError(Code.ENGINE_FAIL, "The engine crashed.")
        assert (await refusal(mesh.invoke())).code is Code.ENGINE_FAIL
        mesh.pdf.error = None
        assert (await mesh.invoke()).cache == pb.CACHE_STATE_MISS

    async def test_that_are_only_a_part_so_far_are_kept_neither_for_anybody_nor_under_a_key(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.is_partial = True
        for key in ("", "k", "k"):
            answer = await mesh.invoke(idempotency_key=key)
            assert (answer.cache, answer.result_id, answer.max_age_s) == (pb.CACHE_STATE_UNSPECIFIED, "", 0)
        mesh.pdf.json, mesh.pdf.is_partial = '{"pages": 4}', False
        for key in ("k", ""):
            assert (await mesh.invoke(idempotency_key=key)).json == mesh.pdf.json
        assert len(mesh.pdf.calls) == 4, "the last one is kept for both"

    async def test_under_an_idempotency_key_stay_the_same_for_its_owner(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT, actor="kim")
        await mesh.put(CONTENT, actor="lee")
        first = await mesh.invoke(actor="kim", idempotency_key="k", no_cache=True)
        mesh.pdf.json = '{"pages": 4}'
        assert (await mesh.invoke(actor="kim", idempotency_key="k")).json == first.json
        assert (await mesh.invoke(actor="lee", idempotency_key="k", no_cache=True)).json == mesh.pdf.json

    async def test_under_an_idempotency_key_are_out_of_reach_once_the_right_is_gone(self, mesh: Mesh) -> None:
        stored = await mesh.put(CONTENT)
        await mesh.invoke(idempotency_key="k")
        await mesh.delete(stored.doc_ref)
        assert (await refusal(mesh.invoke(idempotency_key="k"))).code is Code.NOT_FOUND
        assert (await refusal(mesh.invoke())).code is Code.NOT_FOUND

    async def test_under_an_idempotency_key_are_waited_for_no_longer_than_the_call_may_take(
        self, mesh: Mesh, redis_server: RedisServer
    ) -> None:
        await mesh.put(CONTENT)
        await mesh.invoke(idempotency_key="k")
        with redis_server.admin() as admin:  # as if the first call ran still, in another process
            (record,) = admin.keys("idempotency:*")
            admin.hdel(record, "done")
            admin.hset(record, "until", 10**15)
        request = invoke_request(idempotency_key="k")
        metadata = signed("Invoke", request, action="PDF_METADATA")
        with pytest.raises(PapermeshError) as caught:
            await mesh.servicer.Invoke(request, Call(f"{SERVICE}/Invoke", metadata, REQUEST_ID, 0.1, ""))
        assert caught.value.code is Code.TIMEOUT

    async def test_under_an_idempotency_key_that_lost_their_bytes_are_given_to_nobody(
        self, mesh: Mesh, tmp_path: Path
    ) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.json = f'{{"noise": "{os.urandom(3000).hex()}"}}'
        await mesh.invoke(idempotency_key="k")
        [kept] = (tmp_path / "blobs" / "results").glob("*/*")
        os.truncate(kept, 100)
        error = await refusal(mesh.invoke(idempotency_key="k"))
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_answer_damaged"})

    @needs_root
    async def test_under_an_idempotency_key_that_find_no_room_are_not_the_callers_fault(
        self, mesh: Mesh, tmp_path: Path
    ) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.json = f'{{"noise": "{os.urandom(3000).hex()}"}}'
        with small_disk(tmp_path / "spool", 100_000):
            fill(tmp_path / "spool")
            error = await refusal(mesh.invoke(idempotency_key="k"))
        assert (error.code, error.details) == (Code.UNAVAILABLE, {"reason": "spool_full"})
        assert (await mesh.invoke(idempotency_key="k")).json == mesh.pdf.json

    async def test_under_an_idempotency_key_are_no_answer_to_other_arguments(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        await mesh.put(OTHER_CONTENT)
        await mesh.invoke(idempotency_key="k")
        args = {"doc_ref": {"type": "UPLOAD", "sha256": hashlib.sha256(OTHER_CONTENT).hexdigest()}}
        assert (await refusal(mesh.invoke(args=args, idempotency_key="k"))).code is Code.CONFLICT


class TestACallWithAPassword:
    WORD = "marker-열쇠-7"

    def args(self, password: str = WORD) -> dict[str, Any]:
        return {"doc_ref": {"type": "UPLOAD", "sha256": SHA, "password": password}}

    async def test_hands_it_to_the_service(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        answer = await mesh.invoke(args=self.args())
        [(request, call)] = mesh.pdf.calls
        assert isinstance(request, pdf_service_pb2.GetMetadataRequest)
        assert request.doc_ref.password == self.WORD
        assert answer.json == mesh.pdf.json
        assert self.WORD not in str(call.metadata)

    async def test_is_answered_by_the_service_alone_each_time(self, mesh: Mesh, redis_server: RedisServer) -> None:
        await mesh.put(CONTENT)
        read_before = arguments._read.cache_info()
        answers = [await mesh.invoke(args=self.args()) for _ in range(2)]
        assert arguments._read.cache_info() == read_before
        assert len(mesh.pdf.calls) == 2
        for answer in answers:
            assert answer.cache == pb.CACHE_STATE_UNSPECIFIED
            assert (answer.result_id, answer.max_age_s) == ("", 0)
        with redis_server.admin() as admin:
            assert not [key for kind in ("result", "got", "flight", "failed") for key in admin.keys(f"{kind}:*")]
        assert not mesh.servicer._answers._cache._local._held

    async def test_gets_nothing_that_was_computed_without_it_and_gives_nothing_away(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        await mesh.invoke()
        mesh.pdf.json = '{"pages": 4}'
        assert (await mesh.invoke(args=self.args())).json == '{"pages": 4}'
        again = await mesh.invoke()
        assert (again.json, again.cache) == (Pdf.json, pb.CACHE_STATE_HIT)

    async def test_waits_for_no_equal_call(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        both_are_there = asyncio.Barrier(2)
        mesh.pdf.meanwhile = both_are_there.wait
        async with asyncio.timeout(8):
            await asyncio.gather(*(mesh.invoke(args=self.args()) for _ in range(2)))
        assert len(mesh.pdf.calls) == 2

    async def test_takes_a_place_as_any_other(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        done = asyncio.Event()
        all_there = asyncio.Semaphore(0)

        async def wait() -> None:
            all_there.release()
            await done.wait()

        mesh.pdf.meanwhile = wait
        calls = [asyncio.ensure_future(mesh.invoke(args=self.args())) for _ in range(CALLS_AT_ONCE)]
        async with asyncio.timeout(8):
            for _ in calls:
                await all_there.acquire()
        assert (await refusal(mesh.invoke(args=self.args()))).code is Code.RATE_LIMIT
        done.set()
        await asyncio.gather(*calls)

    async def test_takes_no_idempotency_key(self, mesh: Mesh, redis_server: RedisServer, tmp_path: Path) -> None:
        await mesh.put(CONTENT)
        error = await refusal(mesh.invoke(args=self.args(), idempotency_key="k"))
        assert [each.field for each in error.violations] == ["idempotency_key"]
        assert not mesh.pdf.calls
        with redis_server.admin() as admin:
            assert not admin.keys("idempotency*")
        assert not (tmp_path / "blobs" / "results").exists()
        mesh.pdf.json = "{}"
        assert (await mesh.invoke(idempotency_key="k")).json == "{}", "the key is free"

    async def test_with_an_empty_one_is_a_call_without(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        await mesh.invoke()
        answer = await mesh.invoke(args=self.args(""), idempotency_key="k")
        assert (answer.json, len(mesh.pdf.calls)) == (mesh.pdf.json, 1)

    async def test_is_in_the_audit_log_without_any_trace_of_it(
        self, mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        await mesh.put(CONTENT)
        misplaced = {**self.args(""), "password": self.WORD}
        for args in (self.args(), self.args("another"), misplaced, {**misplaced, "password": "another"}):
            with suppress(grpc.aio.AioRpcError):
                await mesh.invoke(args=args)
        with suppress(grpc.aio.AioRpcError):
            await mesh.invoke("NO_SUCH", args=self.args())
        (log,) = (tmp_path / "audit").iterdir()

        def lines() -> list[dict[str, Any]]:
            read = map(json.loads, log.read_text().splitlines())
            return [line for line in read if line.get("method") == "Invoke"]

        async with asyncio.timeout(10):
            while len(lines()) < 5:  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0)
        right, another, wrong_place, another_there, no_action = (line["args"] for line in lines())
        assert right == another == no_action, "equal but for the password"
        assert wrong_place == another_there != right
        assert [line["cache"] for line in lines()] == ["none"] * 5
        assert self.WORD not in log.read_text() + caplog.text

    async def test_that_fails_says_nothing_of_it(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT)
        mesh.pdf.error = PapermeshError(Code.BAD_ARG, "No.", details={"reason": "wrong_password"})
        attempts = [
            mesh.invoke(args=self.args()),
            mesh.invoke(args=self.args(self.WORD * 20)),
            mesh.invoke(args={"password": self.WORD}),
            mesh.invoke(args={"doc_ref": {"type": self.WORD, "password": self.WORD}, "pages": 5}),
        ]
        errors = [await refusal(each) for each in attempts]
        assert [each.code for each in errors] == [Code.BAD_ARG] * 4
        assert errors[0].details == {"reason": "wrong_password"}
        for error in errors:
            assert self.WORD not in f"{error} {error.details} {error.violations}"


class TestAnActorWhomNoGrantNames:
    @pytest.fixture
    def listing(self, write_clients: Callable[..., Path]) -> WatchedFile[dict[str, Client]]:
        kims = {"actors": ["kim"], "actions": ["*"]}
        adapter = entry(ADAPTER_KEY, certificate=ADAPTER_ID, actions=["*"], acts_for=True, grants=[kims])
        return WatchedFile(write_clients(adapter), clients.load)

    async def test_may_call_no_method(self, mesh: Mesh) -> None:
        stored = await mesh.put(CONTENT, actor="kim")
        attempts = (mesh.put(CONTENT, actor="lee"), mesh.delete(stored.doc_ref, actor="lee"), mesh.invoke(actor="lee"))
        assert [(await refusal(each)).code for each in attempts] == [Code.FORBIDDEN] * 3
        assert await mesh.list_code("lee") is Code.FORBIDDEN
        assert await mesh.list_code("kim") is None


class TestDocuments:
    async def test_come_back_as_they_went_in(self, mesh: Mesh) -> None:
        pieces = [b"%PDF-1.7\n" + bytes(299_991), bytes(300_000), b"1" * 300_000]
        stored = await mesh.put(*pieces)
        assert (stored.size, stored.doc_ref.type, stored.request_id) == (900_000, "UPLOAD", REQUEST_ID)
        header, *data = await mesh.get(pb.GetDocumentRequest(doc_ref=stored.doc_ref))
        assert header.header == pb.GetDocumentHeader(sha256=stored.doc_ref.sha256, size=900_000)
        assert b"".join(each.data for each in data) == b"".join(pieces)

    @pytest.mark.parametrize("reader", ["", "lee", "김"])
    async def test_are_their_uploaders_alone(self, mesh: Mesh, reader: str) -> None:
        stored = await mesh.put(CONTENT, actor="kim")
        for attempt in (
            mesh.invoke(actor=reader),
            mesh.get(pb.GetDocumentRequest(doc_ref=stored.doc_ref, actor=reader)),
        ):
            assert (await refusal(attempt)).code is Code.NOT_FOUND
        assert (await mesh.invoke(actor="kim")).json == mesh.pdf.json

    async def test_that_do_not_exist_are_refused_in_the_same_words(self, mesh: Mesh) -> None:
        await mesh.put(CONTENT, actor="kim")
        foreign = await refusal(mesh.invoke())
        missing = await refusal(mesh.invoke(args={"doc_ref": {"type": "UPLOAD", "sha256": "0" * 64}}))
        assert (foreign.code, foreign.message) == (missing.code, missing.message)

    async def test_over_the_limit_are_too_large(self, mesh: Mesh) -> None:
        assert (await refusal(mesh.put(CONTENT, size=LIMIT + 1))).code is Code.TOO_LARGE

    async def test_that_are_cut_off_are_refused_and_not_stored(self, mesh: Mesh) -> None:
        assert (await refusal(mesh.put(CONTENT, size=len(CONTENT) + 1))).code is Code.BAD_ARG
        assert (await refusal(mesh.invoke())).code is Code.NOT_FOUND

    async def test_can_be_deleted_by_their_owner_alone(self, mesh: Mesh) -> None:
        stored = await mesh.put(CONTENT, actor="kim")
        assert (await refusal(mesh.delete(stored.doc_ref, actor="lee"))).code is Code.NOT_FOUND
        assert (await mesh.invoke(actor="kim")).json == mesh.pdf.json
        assert (await mesh.delete(stored.doc_ref, actor="kim")).request_id == REQUEST_ID
        for attempt in (mesh.delete(stored.doc_ref, actor="kim"), mesh.invoke(actor="kim")):
            assert (await refusal(attempt)).code is Code.NOT_FOUND

    async def test_over_the_quota_are_refused_until_others_are_deleted(self, mesh: Mesh) -> None:
        large = b"%PDF-1.7\n" + b"1" * (QUOTA - 15)
        first = await mesh.put(large[: QUOTA // 2], large[QUOTA // 2 :])
        error = await refusal(mesh.put(CONTENT))
        assert (error.code, error.details["quota_bytes"]) == (Code.TOO_LARGE, str(QUOTA))
        await mesh.delete(first.doc_ref)
        await mesh.put(CONTENT)

    @pytest.mark.parametrize(
        ("content", "details"),
        [
            (b"\x89PNG\r\n\x1a\n" + bytes(2000), {"reason": "not_pdf", "kind": "png"}),
            (b"hello", {"reason": "not_pdf", "kind": "text"}),
            (b"%PDF-1.7" + b"x" * 2000, {"reason": "cut"}),
        ],
    )
    async def test_that_are_none_are_refused_and_not_stored(
        self, mesh: Mesh, tmp_path: Path, content: bytes, details: dict[str, str]
    ) -> None:
        error = await refusal(mesh.put(content))
        assert (error.code, error.details) == (Code.BAD_ARG, details)
        assert not list((tmp_path / "spool").iterdir())
        assert not [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]

    async def test_that_were_damaged_are_told_so_and_mended_by_the_same_bytes(self, mesh: Mesh, tmp_path: Path) -> None:
        stored = await mesh.put(CONTENT)
        request = pb.GetDocumentRequest(doc_ref=stored.doc_ref)
        os.truncate(tmp_path / "blobs" / "uploads" / SHA[:2] / SHA, len(CONTENT) - 1)
        error = await refusal(mesh.get(request))
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_damaged"})
        error = await refusal(mesh.get(request))
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_missing"})
        await mesh.put(CONTENT)
        _, *data = await mesh.get(request)
        assert b"".join(each.data for each in data) == CONTENT

    async def test_that_were_damaged_never_look_complete(self, mesh: Mesh, tmp_path: Path) -> None:
        content = b"%PDF-1.7\n" + bytes(800_000)
        stored = await mesh.put(content[:400_000], content[400_000:])
        sha256 = stored.doc_ref.sha256
        file = tmp_path / "blobs" / "uploads" / sha256[:2] / sha256
        file.write_bytes(content[:-1] + b"1")
        request = pb.GetDocumentRequest(doc_ref=stored.doc_ref)
        call = mesh.stub.GetDocument(request, metadata=signed("GetDocument", request), timeout=10)
        announced = got = 0
        with pytest.raises(grpc.aio.AioRpcError) as caught:  # noqa: PT012 - what came before it counts
            async for message in call:
                announced = max(announced, message.header.size)
                got += len(message.data)
        assert status.decode(caught.value).details == {"reason": "stored_document_damaged"}
        assert 0 < got < announced

    @needs_root
    async def test_that_find_no_room_are_not_their_uploaders_fault(self, mesh: Mesh, tmp_path: Path) -> None:
        content = b"%PDF-1.7\n" + bytes(500_000)
        pieces = content[:300_000], content[300_000:]
        for folder, reason in (("spool", "spool_full"), ("blobs", "store_full")):
            with small_disk(tmp_path / folder, 200_000):
                error = await refusal(mesh.put(*pieces))
                assert (error.code, error.details) == (Code.UNAVAILABLE, {"reason": reason})
                assert not [file for file in (tmp_path / folder).rglob("*") if file.is_file()]
        await mesh.put(*pieces)

    async def test_whose_store_is_gone_are_not_their_uploaders_fault(self, mesh: Mesh, tmp_path: Path) -> None:
        stored = await mesh.put(CONTENT)
        (tmp_path / "blobs").rename(tmp_path / "elsewhere")
        for attempt in (mesh.put(OTHER_CONTENT), mesh.get(pb.GetDocumentRequest(doc_ref=stored.doc_ref))):
            error = await refusal(attempt)
            assert (error.code, error.details) == (Code.UNAVAILABLE, {"reason": "store_gone"})

    async def test_whose_spool_folder_vanished_find_another(self, mesh: Mesh, tmp_path: Path) -> None:
        (tmp_path / "spool").rmdir()
        await mesh.put(CONTENT)
        (tmp_path / "spool").rmdir()
        (tmp_path / "spool").touch()
        error = await refusal(mesh.put(OTHER_CONTENT))
        assert (error.code, error.details) == (Code.UNAVAILABLE, {"reason": "spool_gone"})

    async def test_that_come_slowly_take_no_more_places_than_an_actor_has(self, mesh: Mesh, tmp_path: Path) -> None:
        header = pb.PutDocumentHeader(sha256=SHA, size=len(CONTENT))

        async def begin() -> grpc.aio.StreamUnaryCall[pb.PutDocumentRequest, pb.PutDocumentResponse]:
            call = mesh.stub.PutDocument(metadata=signed("PutDocument", header), timeout=30)
            await call.write(pb.PutDocumentRequest(header=header))
            return call

        under_way = [await begin() for _ in range(CALLS_AT_ONCE)]
        async with asyncio.timeout(10):
            while len(list((tmp_path / "spool").iterdir())) < CALLS_AT_ONCE:  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0)
        assert (await refusal(mesh.put(CONTENT))).code is Code.RATE_LIMIT
        await mesh.put(CONTENT, actor="kim")
        for call in under_way:
            await call.write(pb.PutDocumentRequest(data=CONTENT))
            await call.done_writing()
            assert (await call).size == len(CONTENT)
        await mesh.put(CONTENT)

    async def test_without_a_reference_are_a_bad_argument(self, mesh: Mesh) -> None:
        no_digest = document_pb2.DocumentRef(type="UPLOAD", sha256="../secret")
        for reference in (None, document_pb2.DocumentRef(), no_digest):
            request = pb.GetDocumentRequest(doc_ref=reference)
            assert (await refusal(mesh.get(request))).code is Code.BAD_ARG


def kept(folder: Path, content: bytes = CONTENT) -> Path:
    """Where the store in a folder keeps an upload."""
    digest = hashlib.sha256(content).hexdigest()
    return folder / "blobs" / "uploads" / digest[:2] / digest


def faults(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The faults that the operator was told of, with the blob of each."""
    told = [getattr(record, "fields", {}) for record in caplog.records]
    return [(fields["fault"], fields["blob"]) for fields in told if "fault" in fields]


class TestDocumentsThatAreMissing:
    """The bytes are gone when a call that was let in needs them."""

    LOST = ("stored_document_missing", f"uploads/{SHA[:2]}/{SHA}")

    @pytest.fixture(autouse=True)
    def told_by_the_service(self, mesh: Mesh) -> None:
        """Its pdf finds no bytes, and does not know why."""
        mesh.pdf.error = BlobKey(Namespace.UPLOADS, SHA).missing()

    @pytest.mark.parametrize("how", [{}, {"no_cache": True}, {"idempotency_key": "k"}], ids=str)
    async def test_since_they_were_deleted_are_not_found_and_no_fault(
        self, mesh: Mesh, caplog: pytest.LogCaptureFixture, how: dict[str, object]
    ) -> None:
        stored = await mesh.put(CONTENT)
        mesh.pdf.meanwhile = lambda: mesh.delete(stored.doc_ref)
        error = await refusal(mesh.invoke(**how))
        never_uploaded = await refusal(mesh.invoke(actor="lee"))
        assert (error.code, error.message, error.details) == (Code.NOT_FOUND, never_uploaded.message, {})
        assert error.request_id == REQUEST_ID
        assert faults(caplog) == []

    async def test_since_the_retention_deleted_them_are_not_found_and_no_fault(
        self, mesh: Mesh, link: RedisLink, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def sweep() -> None:
            await link.call("ZADD", "used", 1, SHA)
            await Retention(link, BlobStore(f"file://{tmp_path}/blobs"), keep_s=1000).sweep()
            assert not kept(tmp_path).exists()

        await mesh.put(CONTENT)
        mesh.pdf.meanwhile = sweep
        assert (await refusal(mesh.invoke())).code is Code.NOT_FOUND
        assert faults(caplog) == []

    @pytest.mark.parametrize("how", [{}, {"no_cache": True}, {"idempotency_key": "k"}], ids=str)
    async def test_though_somebody_holds_them_are_lost_and_told_once(
        self, mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: dict[str, object]
    ) -> None:
        await mesh.put(CONTENT)
        kept(tmp_path).unlink()
        error = await refusal(mesh.invoke(**how))
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_missing"})
        assert faults(caplog) == [self.LOST]

    async def test_and_were_deleted_and_uploaded_again_before_are_lost_all_the_same(
        self, mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        await mesh.delete((await mesh.put(CONTENT)).doc_ref)
        await mesh.put(CONTENT)
        kept(tmp_path).unlink()
        assert (await refusal(mesh.invoke())).code is Code.ENGINE_FAIL
        assert faults(caplog) == [self.LOST]

    async def test_to_the_service_alone_are_a_fault(self, mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
        await mesh.put(CONTENT)  # and there they are, but for a service that has another store
        assert (await refusal(mesh.invoke())).code is Code.ENGINE_FAIL
        assert faults(caplog) == [self.LOST]

    async def test_for_a_moment_are_no_fault_and_worth_another_call(
        self, mesh: Mesh, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def replace() -> None:
            await mesh.delete(stored.doc_ref)
            await mesh.put(CONTENT)

        stored = await mesh.put(CONTENT)
        mesh.pdf.meanwhile = replace
        error = await refusal(mesh.invoke())
        assert (error.code, error.retry_after_ms) == (Code.UNAVAILABLE, 1000)
        assert faults(caplog) == []

    async def test_to_two_who_share_a_computation_are_each_ones_own_matter(
        self, mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def delete_one_and_lose_the_other() -> None:
            [flight] = mesh.servicer._answers._single_flight._flights.values()
            async with asyncio.timeout(10):
                while flight.waiting < 2:  # noqa: ASYNC110 - it sets no event
                    await asyncio.sleep(0)
            await mesh.delete(stored.doc_ref, actor="kim")
            kept(tmp_path).unlink()

        for actor in ("kim", "lee"):
            stored = await mesh.put(CONTENT, actor=actor)
        mesh.pdf.meanwhile = delete_one_and_lose_the_other
        kim, lee = await asyncio.gather(*(refusal(mesh.invoke(actor=actor)) for actor in ("kim", "lee")))
        assert (kim.code, lee.code) == (Code.NOT_FOUND, Code.ENGINE_FAIL)
        assert faults(caplog) == [self.LOST]
        assert len(mesh.pdf.calls) == 1

    async def test_while_redis_is_away_are_told(
        self, mesh: Mesh, redis_server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def lose_both() -> None:
            redis_server.stop()
            kept(tmp_path).unlink()

        await mesh.put(CONTENT)
        mesh.pdf.meanwhile = lose_both
        error = await refusal(mesh.invoke())
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_missing"})
        assert faults(caplog) == [self.LOST]

    async def test_to_a_download_since_they_were_deleted_are_not_found_and_no_fault(
        self, mesh: Mesh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        admission = mesh.servicer._admission
        let_in = admission.method

        async def let_in_and_delete(*args: Any, **how: Any) -> tuple[Caller, list[str]]:
            caller, digests = await let_in(*args, **how)
            await mesh.servicer._ownership.release(caller, SHA)
            return caller, digests

        stored = await mesh.put(CONTENT)
        request = pb.GetDocumentRequest(doc_ref=stored.doc_ref)
        with monkeypatch.context() as patch:
            patch.setattr(admission, "method", let_in_and_delete)
            error = await refusal(mesh.get(request))
        never_uploaded = await refusal(mesh.get(request))
        assert (error.code, error.message, error.details) == (Code.NOT_FOUND, never_uploaded.message, {})
        assert faults(caplog) == []

    async def test_to_a_download_though_somebody_holds_them_are_lost_and_told_once(
        self, mesh: Mesh, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        stored = await mesh.put(CONTENT)
        kept(tmp_path).unlink()
        error = await refusal(mesh.get(pb.GetDocumentRequest(doc_ref=stored.doc_ref)))
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_missing"})
        assert faults(caplog) == [self.LOST]

    async def test_are_the_only_ones_that_are_asked_after(self, mesh: Mesh, caplog: pytest.LogCaptureFixture) -> None:
        stored = await mesh.put(CONTENT)
        mesh.pdf.error = PapermeshError(Code.ENGINE_FAIL, "Damaged.", details={"reason": "stored_document_damaged"})
        mesh.pdf.meanwhile = lambda: mesh.delete(stored.doc_ref)
        error = await refusal(mesh.invoke())
        assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "stored_document_damaged"})
        assert faults(caplog) == []


class TestPictures:
    @pytest.fixture
    async def image_id(self, mesh: Mesh, tmp_path: Path) -> str:
        """A picture of one megabyte, of a document of kim's."""
        await mesh.put(CONTENT, actor="kim")
        image = ImageId.make(b"k" * 32, BlobKey(Namespace.UPLOADS, SHA), b"")
        blobs = BlobStore(f"file://{tmp_path}/blobs")
        await PageImages(blobs).put(image, Drawn("png", {"page": 1}), bytes(1_000_000))
        return str(image)

    async def test_are_streamed_after_what_they_are(self, mesh: Mesh, image_id: str) -> None:
        header, *data = await mesh.image(image_id, "kim")
        assert header == pb.GetImageResponse(header=pb.GetImageHeader(format="png", size=1_000_000))
        assert b"".join(each.data for each in data) == bytes(1_000_000)
        assert max(len(each.data) for each in data) == 256 * 1024

    async def test_are_as_much_there_for_others_as_those_that_are_not(self, mesh: Mesh, image_id: str) -> None:
        nobodys = ImageId.make(b"k" * 32, BlobKey(Namespace.UPLOADS, "0" * 64), b"")
        mine = ImageId.make(b"o" * 32, BlobKey(Namespace.UPLOADS, SHA), b"")
        tries = [(image_id, "lee"), (str(nobodys), "kim"), (str(mine), "kim"), ("img_x", "kim"), ("", "kim")]
        errors = [await refusal(mesh.image(image, actor)) for image, actor in tries]
        assert {(each.code, each.message) for each in errors} == {(Code.NOT_FOUND, errors[0].message)}
        assert all(not each.details for each in errors)

    async def test_go_with_their_document(self, mesh: Mesh, image_id: str) -> None:
        await mesh.delete(document_pb2.DocumentRef(type="UPLOAD", sha256=SHA), "kim")
        assert (await refusal(mesh.image(image_id, "kim"))).code is Code.NOT_FOUND


class TestListDocuments:
    async def test_lists_ones_own_page_by_page(self, mesh: Mesh) -> None:
        for content in (CONTENT, OTHER_CONTENT):
            await mesh.put(content, actor="kim")
        await mesh.put(CONTENT, actor="lee")
        first = await mesh.documents("kim", page_size=1)
        [newest] = first.documents
        assert newest.doc_ref == document_pb2.DocumentRef(
            type="UPLOAD", sha256=hashlib.sha256(OTHER_CONTENT).hexdigest()
        )
        assert newest.charged_bytes == 64 * 1024
        assert abs(newest.upload_time.seconds - newest.use_time.seconds) <= 1
        second = await mesh.documents("kim", page_size=1, page_token=first.next_page_token)
        assert [each.doc_ref.sha256 for each in second.documents] == [SHA]
        assert (second.next_page_token, second.request_id) == ("", REQUEST_ID)

    async def test_names_what_is_wrong(self, mesh: Mesh) -> None:
        assert (await refusal(mesh.documents(page_size=2000))).violations[0].field == "page_size"


class TestListActions:
    async def test_lists_what_the_client_may_invoke(self, mesh: Mesh) -> None:
        pages = ["LAYOUT", "MARKDOWN", "METADATA", "OUTLINE", "PAGE_IMAGE", "SEARCH", "TABLES", "TEXT"]
        assert await mesh.list_names() == [f"PDF_{name}" for name in ["CHUNK", "DIFF", "EMBED", *pages]]
        assert await mesh.list_names(REPORTS_KEY, uri=REPORTS_ID) == ["PDF_DIFF", "PDF_MARKDOWN", "PDF_METADATA"]

    async def test_describes_each_of_them(self, mesh: Mesh) -> None:
        request = pb.ListActionsRequest()
        listed = await mesh.stub.ListActions(request, metadata=signed("ListActions", request))
        text = next(each for each in listed.actions if each.name == "PDF_TEXT")
        assert (text.timeout.seconds, text.cache_ttl.seconds, text.job, text.read_only) == (10, 600, True, True)
        assert (text.rate.requests_per_minute, text.rate.burst) == (60, 10)
        assert set(json.loads(text.args_schema)["properties"]) >= {"doc_ref", "pages", "ocr", "languages"}
        assert "failures" in json.loads(text.result_schema)["properties"]

    @pytest.mark.measures_time
    async def test_has_a_limit_of_its_own_for_each_actor(self, mesh: Mesh) -> None:
        codes = [await mesh.list_code("kim") for _ in range(32)]
        assert codes[:30] == [None] * 30
        assert Code.RATE_LIMIT in codes
        assert await mesh.list_code("lee") is None

    @pytest.mark.measures_time
    async def test_limits_a_client_in_all(self, mesh: Mesh) -> None:
        codes = [await mesh.list_code(f"actor {number}") for number in range(100)]
        assert codes[:40] == [None] * 40
        assert Code.RATE_LIMIT in codes


@pytest.mark.parametrize("method", ["SubmitJob", "GetJob", "GetJobResult", "CancelJob"])
async def test_what_is_not_built_yet_is_unimplemented(mesh: Mesh, method: str) -> None:
    call: Callable[..., object] = getattr(mesh.stub, method)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(getattr(pb, f"{method}Request")())  # type: ignore[misc]
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
