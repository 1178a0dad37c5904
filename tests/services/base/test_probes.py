import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions
from services.base.probes import LIVENESS, READINESS
from services.base.readiness import IsReady
from services.base.server import Hosted, Server, ServerSettings
from services.base.settings import SettingsError
from services.base.starting import StartError
from tests.support.ports import free_port
from trust.certificates import ensure

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]
LONG = 60.0


class Kubelet:
    """Asks as a kubelet does: without TLS, a service's name and nothing else."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = health_pb2_grpc.HealthStub(channel)

    async def ask(self, service: str) -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = await self._stub.Check(request, wait_for_ready=True, timeout=20)
        return int(answer.status)

    async def until(self, service: str, status: int) -> None:
        async with asyncio.timeout(20):
            async for answer in self._stub.Watch(health_pb2.HealthCheckRequest(service=service), wait_for_ready=True):
                if answer.status == status:
                    return


def a_server(folder: Path, port: int, *, notice_s: float = 0) -> Server:
    ensure(folder, "default", ["envoy"])
    settings = ServerSettings.read(
        tls_dir=folder / "envoy", probe_port=port, drain_notice_s=notice_s, drain_s=2, bind_host="127.0.0.1"
    )
    return Server(settings, 0, [Hosted(PDF, object())], behind_mesh=True, table=actions.load())


@asynccontextmanager
async def serving(folder: Path, *, notice_s: float = 0, is_ready: IsReady | None = None) -> AsyncIterator[Kubelet]:
    port = free_port()
    served = asyncio.create_task(a_server(folder, port, notice_s=notice_s).serve(is_ready))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Kubelet(channel)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(20):
        await served


async def test_a_server_that_serves_is_ready_and_alive(tmp_path: Path) -> None:
    async with serving(tmp_path) as kubelet:
        assert await kubelet.ask(READINESS) == SERVING
        assert await kubelet.ask(LIVENESS) == SERVING


async def test_it_is_ready_while_what_it_depends_on_answers_and_alive_all_the_time(tmp_path: Path) -> None:
    answers = False

    async def is_ready() -> bool:
        return answers

    async with serving(tmp_path, is_ready=is_ready) as kubelet:
        assert await kubelet.ask(READINESS) == NOT_SERVING
        assert await kubelet.ask(LIVENESS) == SERVING
        answers = True
        await kubelet.until(READINESS, SERVING)
        answers = False
        await kubelet.until(READINESS, NOT_SERVING)
        assert await kubelet.ask(LIVENESS) == SERVING


async def test_it_is_not_ready_and_still_alive_while_it_drains(tmp_path: Path) -> None:
    async with serving(tmp_path, notice_s=LONG) as kubelet:
        await kubelet.until(READINESS, SERVING)
        os.kill(os.getpid(), signal.SIGTERM)
        await kubelet.until(READINESS, NOT_SERVING)
        assert await kubelet.ask(LIVENESS) == SERVING


async def test_nothing_but_health_is_served_without_tls(tmp_path: Path) -> None:
    port = free_port()
    server = a_server(tmp_path, port)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for path in ("/papermesh.pdf.v1.PdfService/GetMetadata", "/grpc.reflection.v1alpha.ServerReflection/Info"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(path)(b"", wait_for_ready=True, timeout=20)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await Kubelet(channel).ask("somebody.else")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    await server.stop()


async def test_nobody_listens_for_probes_unless_a_port_is_named(tmp_path: Path) -> None:
    ensure(tmp_path, "default", ["envoy"])
    settings = ServerSettings.read(tls_dir=tmp_path / "envoy")
    assert settings.probe_port == 0
    server = Server(settings, 0, [Hosted(PDF, object())], behind_mesh=True, table=actions.load())
    assert server._probes is None


async def test_a_port_that_another_program_has_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"Cannot listen on port {port} of 127.0.0.1"):
            a_server(tmp_path, port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(tmp_path: Path, port: int) -> None:
    ensure(tmp_path, "default", ["envoy"])
    with pytest.raises(SettingsError, match="PAPERMESH_PROBE_PORT is wrong"):
        ServerSettings.read(tls_dir=tmp_path / "envoy", probe_port=port)
