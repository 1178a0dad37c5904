"""Handlers, guard and server, called for real."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from papermesh.dispatch.v1 import dispatch_service_pb2 as dispatch_pb
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2_grpc as pb_grpc
from services.base import status
from services.base.call import Call, Ended
from services.base.channel import open_channel
from services.base.errors import Code, FieldViolation, PapermeshError
from services.base.served import MAX_REQUEST_BYTES
from services.base.server import Hosted
from services.base.testing import REQUEST_ID, Running, envoy_metadata, running, serving
from trust.certificates import ensure

pytestmark = pytest.mark.measures_time

PDF = pb.DESCRIPTOR.services_by_name["PdfService"]
DISPATCH = dispatch_pb.DESCRIPTOR.services_by_name["DispatchService"]
GET_METADATA = "/papermesh.pdf.v1.PdfService/GetMetadata"

Answer = Callable[[pb.GetMetadataRequest, Call], Awaitable[pb.GetMetadataResponse]]


class Pdf:
    """Answers GetMetadata as a test says, and lacks every other method."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.calls: list[Call] = []

    async def GetMetadata(self, request: pb.GetMetadataRequest, call: Call) -> pb.GetMetadataResponse:
        self.calls.append(call)
        return await self._answer(request, call)


async def count_digest(request: pb.GetMetadataRequest, _: Call) -> pb.GetMetadataResponse:
    return pb.GetMetadataResponse(pages=len(request.doc_ref.sha256))


def raising(error: Exception) -> Pdf:
    async def answer(_: pb.GetMetadataRequest, __: Call) -> pb.GetMetadataResponse:
        raise error

    return Pdf(answer)


async def failure(channel: grpc.aio.Channel, request: bytes = b"", path: str = GET_METADATA) -> grpc.aio.AioRpcError:
    """The error that a call with these bytes ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(path)(request, metadata=envoy_metadata(), timeout=10)
    return caught.value


def reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in the error's ErrorInfo."""
    details = dict(error.trailing_metadata() or ())[status.DETAILS_KEY]
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(details).details[0].Unpack(info)
    return str(info.reason)


@pytest.fixture
async def pdf_up(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(Hosted(PDF, Pdf(count_digest)), directory=tmp_path) as up:
        yield up


@pytest.fixture
async def channel(pdf_up: Running) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(pdf_up.address, pdf_up.tls_dir) as channel:
        yield channel


class TestCalls:
    async def test_a_servicer_answers(self, channel: grpc.aio.Channel) -> None:
        request = pb.GetMetadataRequest()
        request.doc_ref.sha256 = "abc"
        answer = await pb_grpc.PdfServiceStub(channel).GetMetadata(request, metadata=envoy_metadata())
        assert answer.pages == 3

    async def test_a_servicer_knows_its_call(self, tmp_path: Path) -> None:
        servicer = Pdf(count_digest)
        trace = "0af7651916cd43dd8448eb211c80319c"
        traceparent = ("traceparent", f"00-{trace}-b7ad6b7169203331-01")
        async with serving(Hosted(PDF, servicer), directory=tmp_path) as channel:
            stub = pb_grpc.PdfServiceStub(channel)
            metadata = (*envoy_metadata(), traceparent)
            await stub.GetMetadata(pb.GetMetadataRequest(), metadata=metadata, timeout=5)
            await stub.GetMetadata(pb.GetMetadataRequest(), metadata=metadata, timeout=500)
        hurried, patient = servicer.calls
        assert hurried.method == GET_METADATA
        assert hurried.request_id == REQUEST_ID
        assert set(envoy_metadata()) <= set(hurried.metadata)
        assert hurried.traceparent.split("-")[1] == trace
        assert hurried.traceparent != traceparent[1]
        assert 0 < hurried.timeout_s <= 5
        assert patient.timeout_s == 10  # the action's own

    async def test_malformed_protobuf_is_bad_arg(self, channel: grpc.aio.Channel) -> None:
        error = await failure(channel, b"\xff\xff\xff")
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason(error) == "BAD_ARG"
        assert status.decode(error).message == (
            "The request is not a papermesh.pdf.v1.GetMetadataRequest. Send the message that the proto describes."
        )

    async def test_invalid_utf8_is_bad_arg(self, channel: grpc.aio.Channel) -> None:
        assert reason(await failure(channel, b"\x0a\x03\x0a\x01\xff")) == "BAD_ARG"

    # Larger ones do not come past Envoy; tests/envoy has them.
    @pytest.mark.parametrize("size", [MAX_REQUEST_BYTES + 1, 2 * MAX_REQUEST_BYTES])
    async def test_a_large_message_is_too_large(self, channel: grpc.aio.Channel, size: int) -> None:
        error = await failure(channel, bytes(size))
        assert error.code() is grpc.StatusCode.OUT_OF_RANGE
        assert status.decode(error).details == {"limit_bytes": str(MAX_REQUEST_BYTES)}

    @pytest.mark.parametrize("method", ["ExtractText", "NoSuchMethod"])
    async def test_a_method_that_is_not_served_is_unimplemented(self, channel: grpc.aio.Channel, method: str) -> None:
        error = await failure(channel, path=f"/papermesh.pdf.v1.PdfService/{method}")
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED

    async def test_an_unknown_service_is_unimplemented(self, channel: grpc.aio.Channel) -> None:
        assert (await failure(channel, path="/no.such.Service/Get")).code() is grpc.StatusCode.UNIMPLEMENTED


class TestErrors:
    async def test_arrive_with_the_request_id(self, tmp_path: Path) -> None:
        error = PapermeshError(Code.NOT_FOUND, "문서가 없습니다.", details={"a": "b"})
        async with serving(Hosted(PDF, raising(error)), directory=tmp_path) as channel:
            answer = await failure(channel)
        assert answer.details() == "문서가 없습니다."
        arrived = status.decode(answer)
        assert (arrived.code, arrived.message, arrived.details) == (Code.NOT_FOUND, "문서가 없습니다.", {"a": "b"})
        assert arrived.request_id == REQUEST_ID

    async def test_arrive_however_large_they_are(self, tmp_path: Path) -> None:
        faults = (FieldViolation("가" * 200, "나" * 500) for _ in range(20))
        error = PapermeshError(Code.BAD_ARG, "다" * 3000, violations=tuple(faults))
        async with serving(Hosted(PDF, raising(error)), directory=tmp_path) as channel:
            arrived = status.decode(await failure(channel))
        assert arrived.code is Code.BAD_ARG
        assert arrived.violations

    async def test_of_ours_show_no_detail_and_are_logged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            async with serving(Hosted(PDF, raising(KeyError("secret"))), directory=tmp_path) as channel:
                answer = await failure(channel)
        assert answer.code() is grpc.StatusCode.INTERNAL
        arrived = status.decode(answer)
        assert (arrived.code, arrived.request_id) == (Code.INTERNAL, REQUEST_ID)
        assert "secret" not in repr(answer)
        [record] = [each for each in caplog.records if each.name == "services.base.served"]
        assert record.exc_info is not None
        assert record.__dict__["fields"] == {"request_id": REQUEST_ID}

    @pytest.mark.parametrize(
        ("behind_mesh", "code"), [(True, grpc.StatusCode.INTERNAL), (False, grpc.StatusCode.DEADLINE_EXCEEDED)]
    )
    async def test_a_documents_time_out_is_not_its_hosts_behind_the_mesh(
        self, tmp_path: Path, code: grpc.StatusCode, *, behind_mesh: bool
    ) -> None:
        hosted = Hosted(PDF, raising(PapermeshError(Code.TIMEOUT, "Too slow.")))
        async with serving(hosted, directory=tmp_path, behind_mesh=behind_mesh) as channel:
            error = await failure(channel)
        assert error.code() is code
        assert status.decode(error).code is Code.TIMEOUT


class Streams:
    """Dispatch's streaming methods."""

    async def PutDocument(
        self, requests: AsyncIterator[dispatch_pb.PutDocumentRequest], _: Call
    ) -> dispatch_pb.PutDocumentResponse:
        return dispatch_pb.PutDocumentResponse(size=sum([len(each.data) async for each in requests]))

    async def GetDocument(
        self, request: dispatch_pb.GetDocumentRequest, _: Call
    ) -> AsyncIterator[dispatch_pb.GetDocumentResponse]:
        yield dispatch_pb.GetDocumentResponse(data=b"1")
        if request.actor == "bug":
            raise KeyError("secret")
        yield dispatch_pb.GetDocumentResponse(data=b"2")


class TestStreams:
    PUT = "/papermesh.dispatch.v1.DispatchService/PutDocument"
    GET = "/papermesh.dispatch.v1.DispatchService/GetDocument"

    @pytest.fixture
    async def channel(self, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
        async with serving(Hosted(DISPATCH, Streams()), directory=tmp_path, behind_mesh=False) as channel:
            yield channel

    async def put(self, channel: grpc.aio.Channel, *messages: bytes) -> dispatch_pb.PutDocumentResponse:
        answer = await channel.stream_unary(self.PUT)(iter(messages), metadata=envoy_metadata(), timeout=10)
        return dispatch_pb.PutDocumentResponse.FromString(answer)

    async def test_to_a_servicer_are_parsed_message_by_message(self, channel: grpc.aio.Channel) -> None:
        pieces = [dispatch_pb.PutDocumentRequest(data=bytes(size)).SerializeToString() for size in (1, 10, 100)]
        assert (await self.put(channel, *pieces)).size == 111
        assert (await self.put(channel)).size == 0

    async def test_with_a_malformed_message_are_bad_arg(self, channel: grpc.aio.Channel) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.put(channel, dispatch_pb.PutDocumentRequest(data=b"1").SerializeToString(), b"\xff")
        assert reason(caught.value) == "BAD_ARG"

    async def test_with_a_large_message_are_too_large(self, channel: grpc.aio.Channel) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.put(channel, bytes(MAX_REQUEST_BYTES + 1))
        assert reason(caught.value) == "TOO_LARGE"

    async def test_from_a_servicer_arrive_in_order(self, channel: grpc.aio.Channel) -> None:
        call = channel.unary_stream(self.GET)(b"", metadata=envoy_metadata(), timeout=10)
        answers = [dispatch_pb.GetDocumentResponse.FromString(each).data async for each in call]
        assert answers == [b"1", b"2"]

    async def test_from_a_servicer_count_with_their_bytes(self, tmp_path: Path) -> None:
        told: list[Ended] = []
        async with (
            running(Hosted(DISPATCH, Streams()), directory=tmp_path, behind_mesh=False, on_end=[told.append]) as up,
            open_channel(up.address, up.tls_dir) as channel,
        ):
            call = channel.unary_stream(self.GET)(b"", metadata=envoy_metadata(), timeout=10)
            answers = [each async for each in call]
        assert [(each.code, each.bytes_out) for each in told] == [("OK", sum(map(len, answers)))]

    @pytest.mark.parametrize(
        ("request_bytes", "code"),
        [(dispatch_pb.GetDocumentRequest(actor="bug").SerializeToString(), "INTERNAL"), (b"\xff", "BAD_ARG")],
    )
    async def test_from_a_servicer_end_with_its_error(
        self, channel: grpc.aio.Channel, request_bytes: bytes, code: str
    ) -> None:
        call = channel.unary_stream(self.GET)(request_bytes, metadata=envoy_metadata(), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [each async for each in call]
        assert reason(caught.value) == code
        assert "secret" not in repr(caught.value)


class TestPeers:
    """Who may connect, on every path: calls, health and reflection."""

    async def call(self, channel: grpc.aio.Channel) -> Any:
        return await channel.unary_unary(GET_METADATA)(b"", timeout=10)

    async def check(self, channel: grpc.aio.Channel) -> Any:
        return await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)

    async def watch(self, channel: grpc.aio.Channel) -> Any:
        return await anext(
            aiter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=10))
        )

    async def reflect(self, channel: grpc.aio.Channel) -> Any:
        requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        return await anext(aiter(stub.ServerReflectionInfo(requests, timeout=10)))

    @pytest.mark.parametrize("way", [call, check, watch, reflect])
    async def test_envoy_is_let_in(self, channel: grpc.aio.Channel, way: Callable[..., Awaitable[Any]]) -> None:
        assert await way(self, channel) is not None

    @pytest.mark.parametrize("way", [call, check, watch, reflect])
    @pytest.mark.parametrize("peer", ["adapter", "dispatch", "operator"])
    async def test_anybody_else_is_refused(
        self, pdf_up: Running, way: Callable[..., Awaitable[Any]], peer: str
    ) -> None:
        ensure(pdf_up.certificates, "default", [peer])
        async with open_channel(pdf_up.address, pdf_up.certificates / peer) as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="Only Envoy") as caught:
                await way(self, channel)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED

    async def test_envoy_of_another_namespace_is_refused(self, pdf_up: Running) -> None:
        ensure(pdf_up.certificates, "elsewhere", ["envoy"])
        async with open_channel(pdf_up.address, pdf_up.tls_dir) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.call(channel)
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED

    async def test_without_a_certificate_the_handshake_fails(self, pdf_up: Running) -> None:
        roots = (pdf_up.tls_dir / "ca.crt").read_bytes()
        async with grpc.aio.secure_channel(pdf_up.address, grpc.ssl_channel_credentials(roots)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.call(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    async def test_a_certificate_of_another_ca_fails_the_handshake(self, pdf_up: Running, tmp_path: Path) -> None:
        ensure(tmp_path / "other", "default", ["envoy"])
        key, chain = ((tmp_path / "other" / "envoy" / name).read_bytes() for name in ("tls.key", "tls.crt"))
        credentials = grpc.ssl_channel_credentials((pdf_up.tls_dir / "ca.crt").read_bytes(), key, chain)
        async with grpc.aio.secure_channel(pdf_up.address, credentials) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.call(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    async def test_nothing_below_tls_1_3_is_spoken(self, pdf_up: Running) -> None:
        context = ssl.create_default_context(cafile=pdf_up.tls_dir / "ca.crt")
        context.load_cert_chain(pdf_up.tls_dir / "tls.crt", pdf_up.tls_dir / "tls.key")
        context.set_alpn_protocols(["h2"])

        async def version() -> object:
            _, writer = await asyncio.open_connection("127.0.0.1", pdf_up.server.port, ssl=context)
            spoken = writer.get_extra_info("ssl_object").version()
            writer.close()
            return spoken

        assert await version() == "TLSv1.3"
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(OSError, match=r"EOF|alert|reset|^$"):
            await version()

    async def test_plain_text_is_not_spoken(self, pdf_up: Running) -> None:
        async with grpc.aio.insecure_channel(pdf_up.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.call(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


class TestHealth:
    @pytest.mark.parametrize("service", ["", "papermesh.pdf.v1.PdfService"])
    async def test_is_serving(self, channel: grpc.aio.Channel, service: str) -> None:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    async def test_follows_what_the_service_says(self, pdf_up: Running, channel: grpc.aio.Channel) -> None:
        await pdf_up.server.set_serving(serving=False)
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING

    async def test_reflection_lists_the_services(self, channel: grpc.aio.Channel) -> None:
        answer = await TestPeers().reflect(channel)
        assert {each.name for each in answer.list_services_response.service} == {
            "papermesh.pdf.v1.PdfService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }


class TestStop:
    async def test_lets_a_running_call_finish_and_takes_no_new_one(self, tmp_path: Path) -> None:
        started, go_on = asyncio.Event(), asyncio.Event()

        async def answer(_: pb.GetMetadataRequest, __: Call) -> pb.GetMetadataResponse:
            started.set()
            await go_on.wait()
            return pb.GetMetadataResponse(pages=7)

        async with (
            running(Hosted(PDF, Pdf(answer)), directory=tmp_path) as up,
            open_channel(up.address, up.tls_dir) as channel,
            open_channel(up.address, up.tls_dir) as late_channel,
        ):
            stub = pb_grpc.PdfServiceStub(channel)
            health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            states = aiter(health)
            assert (await anext(states)).status == health_pb2.HealthCheckResponse.SERVING
            call = asyncio.ensure_future(stub.GetMetadata(pb.GetMetadataRequest(), timeout=10))
            await started.wait()
            stopping = asyncio.ensure_future(up.server.stop())
            assert (await anext(states)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await pb_grpc.PdfServiceStub(late_channel).GetMetadata(pb.GetMetadataRequest(), timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert not call.done()
            go_on.set()
            assert (await call).pages == 7
            health.cancel()
            await stopping

    async def test_ends_a_call_that_outlasts_the_drain_time(self, tmp_path: Path) -> None:
        started, ended = asyncio.Event(), asyncio.Event()

        async def answer(_: pb.GetMetadataRequest, __: Call) -> pb.GetMetadataResponse:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

        async with (
            running(Hosted(PDF, Pdf(answer)), directory=tmp_path, drain_s=0.1) as up,
            open_channel(up.address, up.tls_dir) as channel,
        ):
            call = asyncio.ensure_future(pb_grpc.PdfServiceStub(channel).GetMetadata(pb.GetMetadataRequest()))
            await started.wait()
            await up.server.stop()
            with pytest.raises(grpc.aio.AioRpcError):
                await call
            await ended.wait()

    async def test_returns_when_the_last_calls_end_was_told(self, tmp_path: Path) -> None:
        started, told, told_later = asyncio.Semaphore(0), list[Ended](), list[Ended]()

        async def answer(_: pb.GetMetadataRequest, __: Call) -> pb.GetMetadataResponse:
            started.release()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.shield(asyncio.to_thread(str))  # what it leaves in order takes a while
            raise AssertionError

        listeners = [told.append, told_later.append]
        async with (
            running(Hosted(PDF, Pdf(answer)), directory=tmp_path, drain_s=0.1, on_end=listeners) as up,
            open_channel(up.address, up.tls_dir) as channel,
        ):
            stub = pb_grpc.PdfServiceStub(channel)
            calls = [asyncio.ensure_future(stub.GetMetadata(pb.GetMetadataRequest())) for _ in range(20)]
            for _ in calls:
                await started.acquire()
            await up.server.stop()
            assert [each.code for each in told] == ["CANCELLED"] * 20
            assert told_later == told, "everybody who wants to know"
            await asyncio.gather(*calls, return_exceptions=True)


async def test_a_renewed_certificate_is_taken_up_without_a_restart(pdf_up: Running) -> None:
    old = (pdf_up.tls_dir / "tls.crt").read_bytes()
    # For another host name, so that only a handshake with the renewed one can succeed.
    ensure(pdf_up.certificates, "default", ["envoy"], envoy_names=["renewed.test"])
    assert (pdf_up.tls_dir / "tls.crt").read_bytes() != old
    key, chain, roots = ((pdf_up.tls_dir / name).read_bytes() for name in ("tls.key", "tls.crt", "ca.crt"))
    credentials = grpc.ssl_channel_credentials(roots, key, chain)
    options = [("grpc.ssl_target_name_override", "renewed.test"), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(pdf_up.address, credentials, options) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_unreadable_certificate_leaves_the_last_good_one(pdf_up: Running) -> None:
    key, chain, roots = ((pdf_up.tls_dir / name).read_bytes() for name in ("tls.key", "tls.crt", "ca.crt"))
    (pdf_up.tls_dir / "tls.key").unlink()
    async with grpc.aio.secure_channel(pdf_up.address, grpc.ssl_channel_credentials(roots, key, chain)) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_engine_with_a_name_that_nobody_would_believe_does_not_start(tmp_path: Path) -> None:
    hosted = Hosted(PDF, Pdf(cast("Answer", None)))
    with pytest.raises(ValueError, match="at most 256 characters"):
        async with running(hosted, directory=tmp_path, engine="v" * 257):
            pytest.fail("it serves")
