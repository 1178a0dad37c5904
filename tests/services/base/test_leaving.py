"""How a server leaves: real signals, and calls before, meanwhile and after."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2_grpc as pb_grpc
from services.base import actions
from services.base.call import Call
from services.base.channel import open_channel
from services.base.server import Hosted, Server, ServerSettings
from services.base.testing import envoy_metadata
from trust.certificates import ensure

pytestmark = pytest.mark.measures_time

PDF = pb.DESCRIPTOR.services_by_name["PdfService"]
LONG = 60.0


class Slow:
    """Answers GetMetadata at once, unless it is asked about a document: then when it is let go on."""

    def __init__(self) -> None:
        self.started, self.go_on = asyncio.Event(), asyncio.Event()

    async def GetMetadata(self, request: pb.GetMetadataRequest, _: Call) -> pb.GetMetadataResponse:
        if request.HasField("doc_ref"):
            self.started.set()
            await self.go_on.wait()
        return pb.GetMetadataResponse(pages=7)


@dataclass
class Up:
    """A server that runs, and who calls it."""

    servicer: Slow
    stub: "pb_grpc.PdfServiceStub"
    watch: "grpc.aio.UnaryStreamCall[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]"
    states: AsyncIterator[health_pb2.HealthCheckResponse]
    task: "asyncio.Task[None]"

    async def ask(self, *, slow: bool = False) -> int:
        request = pb.GetMetadataRequest()
        if slow:
            request.doc_ref.SetInParent()
        answer = await self.stub.GetMetadata(request, metadata=envoy_metadata(), timeout=20)
        return int(answer.pages)

    async def ask_until_refused(self) -> None:
        async with asyncio.timeout(20):
            while True:
                await self.ask()

    async def signal(self, number: signal.Signals) -> None:
        """Sends a signal and waits until the server says that it leaves."""
        os.kill(os.getpid(), number)
        assert (await anext(self.states)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        self.watch.cancel()  # a call as any other, which the server would wait for

    async def gone(self) -> None:
        async with asyncio.timeout(20):
            await self.task


@asynccontextmanager
async def serving(folder: Path, *, notice_s: float) -> AsyncIterator[Up]:
    ensure(folder, "default", ["envoy"])
    settings = ServerSettings.read(tls_dir=folder / "envoy", drain_notice_s=notice_s, drain_s=2)
    servicer = Slow()
    server = Server(settings, 0, [Hosted(PDF, servicer)], behind_mesh=True, table=actions.load())
    task = asyncio.create_task(server.serve())
    async with open_channel(f"localhost:{server.port}", settings.tls_dir) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        states = aiter(watch)
        assert (await anext(states)).status == health_pb2.HealthCheckResponse.SERVING
        yield Up(servicer, pb_grpc.PdfServiceStub(channel), watch, states, task)
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(20):
            await task


async def test_after_sigterm_new_calls_are_served_until_everybody_has_heard_of_it(tmp_path: Path) -> None:
    async with serving(tmp_path, notice_s=LONG) as up:
        await up.signal(signal.SIGTERM)
        assert [await up.ask() for _ in range(20)] == [7] * 20
        assert not up.task.done()


async def test_a_call_under_way_when_the_notice_time_ends_is_answered_and_the_next_one_is_not(tmp_path: Path) -> None:
    async with serving(tmp_path, notice_s=0) as up:
        call = asyncio.ensure_future(up.ask(slow=True))
        await up.servicer.started.wait()
        await up.signal(signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await up.ask_until_refused()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        up.servicer.go_on.set()
        assert await call == 7
        await up.gone()


async def test_a_second_sigterm_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, notice_s=LONG) as up:
        await up.signal(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await up.ask() == 7
        assert not up.task.done()


@pytest.mark.parametrize("before", [[], [signal.SIGTERM]])
async def test_sigint_leaves_the_notice_time_out_and_lets_a_call_finish(
    tmp_path: Path, before: list[signal.Signals]
) -> None:
    async with serving(tmp_path, notice_s=LONG) as up:
        call = asyncio.ensure_future(up.ask(slow=True))
        await up.servicer.started.wait()
        for number in before:
            os.kill(os.getpid(), number)
        await up.signal(signal.SIGINT)
        up.servicer.go_on.set()
        assert await call == 7
        await up.gone()
