"""What dispatch knows of the engines behind it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from papermesh.engine.v1 import engine_service_pb2 as pb
from papermesh.pdf.v1 import pdf_service_pb2
from services.base.call import Call
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError
from services.base.server import Hosted
from services.base.testing import running
from services.dispatch.answers.engines import Engines
from tests.e2e.support.waiting import eventually

PDF = "papermesh.pdf.v1.PdfService"
ENGINE = pb.DESCRIPTOR.services_by_name["EngineService"]


async def known(engines: Engines, version: str) -> None:
    await asyncio.to_thread(eventually, lambda: engines.version(PDF) == version, what=f"the version {version}")


async def test_a_service_is_asked_for_its_version_until_it_answers_and_again_when_it_was_renewed(
    tmp_path: Path,
) -> None:
    hosted = Hosted(pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"], object())
    for version in ("pdf-1", "pdf-2"):
        async with (
            running(hosted, directory=tmp_path, engine=version) as up,
            open_channel(up.address, up.tls_dir) as channel,
        ):
            engines = Engines(channel, [PDF])
            assert engines.version(PDF) == ""
            asking = asyncio.create_task(engines.run(every_s=0.01))
            await known(engines, version)
            asking.cancel()
            await asyncio.wait([asking])


class Asked:
    """Says the version of pdf's engine, and not yet that of another."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    async def GetEngine(self, request: pb.GetEngineRequest, _call: Call) -> pb.GetEngineResponse:
        self.counts[request.service] += 1
        if request.service != PDF:
            raise PapermeshError(Code.UNAVAILABLE, "Not yet.")
        return pb.GetEngineResponse(version="pdf-1")


async def test_a_service_is_asked_often_only_until_it_has_answered(tmp_path: Path) -> None:
    asked = Asked()
    async with (
        running(Hosted(ENGINE, asked), directory=tmp_path) as up,
        open_channel(up.address, up.tls_dir) as channel,
    ):
        asking = [asyncio.create_task(Engines(channel, [each]).run(every_s=60)) for each in (PDF, "late")]
        await asyncio.to_thread(eventually, lambda: asked.counts["late"] >= 5, what="the fifth question")
        assert asked.counts[PDF] == 1
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)


async def test_a_service_that_is_away_keeps_the_version_that_was_known(tmp_path: Path) -> None:
    hosted = Hosted(pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"], object())
    async with running(hosted, directory=tmp_path) as up, open_channel(up.address, up.tls_dir) as channel:
        engines = Engines(channel, [PDF])
        engines.learn(PDF, "pdf-1")
        await engines._refresh(PDF)  # it has no engine, so it answers UNIMPLEMENTED
        assert engines.version(PDF) == "pdf-1"


async def test_an_answer_without_a_version_teaches_nothing(tmp_path: Path) -> None:
    async with running(directory=tmp_path) as up, open_channel(up.address, up.tls_dir) as channel:
        engines = Engines(channel, [PDF])
        engines.learn(PDF, "pdf-1")
        engines.learn(PDF, "")
        assert engines.version(PDF) == "pdf-1"


class Muddled:
    """A service whose answer is what a bug in it made."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    async def GetEngine(self, _request: pb.GetEngineRequest, _call: Call) -> "Muddled":
        return self

    def SerializeToString(self) -> bytes:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [b"\x0a\x05cut", b"\x0a\x02\xff\xfe", pb.GetEngineResponse(version="v" * 257).SerializeToString()],
    ids=["no message", "no UTF-8", "too long"],
)
async def test_an_answer_that_is_none_teaches_nothing_and_ends_nothing(tmp_path: Path, answer: bytes) -> None:
    hosted = Hosted(ENGINE, Muddled(answer))
    async with running(hosted, directory=tmp_path) as up, open_channel(up.address, up.tls_dir) as channel:
        engines = Engines(channel, [PDF])
        engines.learn(PDF, "pdf-1")
        await engines._refresh(PDF)
        assert engines.version(PDF) == "pdf-1"
