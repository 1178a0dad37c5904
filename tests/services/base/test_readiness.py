import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions
from services.base.channel import open_channel
from services.base.readiness import watch
from services.base.server import Hosted, Server, ServerSettings
from trust.certificates import ensure

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


class Dependency:
    """Answers as a test says."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers

    async def __call__(self) -> bool:
        return self.answers


async def test_the_first_answer_and_every_change_are_told() -> None:
    answers = iter([False, False, True, True, False])
    told: list[bool] = []
    all_asked = asyncio.Event()

    async def is_ready() -> bool:
        try:
            return next(answers)
        except StopIteration:
            all_asked.set()
            return False

    async def tell(*, serving: bool) -> None:
        told.append(serving)

    watching = asyncio.create_task(watch(is_ready, tell, every_s=0, again_s=0))
    await all_asked.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert told == [False, True, False]


async def test_what_is_not_ready_is_asked_again_sooner_than_what_is() -> None:
    answers = iter([False, False, True])
    told: list[bool] = []
    is_told = asyncio.Event()

    async def is_ready() -> bool:
        return next(answers)

    async def tell(*, serving: bool) -> None:
        told.append(serving)
        if serving:
            is_told.set()

    watching = asyncio.create_task(watch(is_ready, tell, every_s=3600, again_s=0))
    await is_told.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not watching.done(), "a fourth question would have ended it"
    watching.cancel()
    assert told == [False, True]


async def test_a_server_says_that_it_serves_while_what_it_depends_on_answers_and_stops_when_asked(
    tmp_path: Path,
) -> None:
    ensure(tmp_path, "default", ["envoy"])
    settings = ServerSettings.read(tls_dir=tmp_path / "envoy", drain_notice_s=0, drain_s=0)
    server = Server(settings, 0, [Hosted(PDF, object())], behind_mesh=True, table=actions.load())
    dependency = Dependency(answers=False)

    served = asyncio.create_task(server.serve(dependency))
    async with open_channel(f"localhost:{server.port}", settings.tls_dir) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=PDF.full_name)
        states: AsyncIterator[health_pb2.HealthCheckResponse] = aiter(stub.Watch(request, wait_for_ready=True))
        assert (await anext(states)).status == NOT_SERVING
        dependency.answers = True
        assert (await anext(states)).status == SERVING
        dependency.answers = False
        assert (await anext(states)).status == NOT_SERVING
    os.kill(os.getpid(), signal.SIGTERM)
    await served


async def test_a_bug_in_the_question_ends_the_server_and_is_not_swallowed(tmp_path: Path) -> None:
    ensure(tmp_path, "default", ["envoy"])
    settings = ServerSettings.read(tls_dir=tmp_path / "envoy", drain_notice_s=0, drain_s=0)
    server = Server(settings, 0, [Hosted(PDF, object())], behind_mesh=True, table=actions.load())

    async def bug() -> bool:
        raise KeyError

    with pytest.raises(ExceptionGroup):
        await server.serve(bug)
    await server.stop()
