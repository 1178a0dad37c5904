"""What dispatch knows of the engines behind it."""

import asyncio
from pathlib import Path

import pytest

from papermesh.engine.v1 import engine_service_pb2
from papermesh.pdf.v1 import pdf_service_pb2
from services.base.call import Call
from services.base.channel import open_channel
from services.base.server import Hosted
from services.base.testing import running
from services.dispatch.answers.engines import Engines
from tests.e2e.support.waiting import eventually

PDF = "papermesh.pdf.v1.PdfService"


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

    async def GetEngine(self, _request: engine_service_pb2.GetEngineRequest, _call: Call) -> "Muddled":
        return self

    def SerializeToString(self) -> bytes:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [b"\x0a\x05cut", b"\x0a\x02\xff\xfe", engine_service_pb2.GetEngineResponse(version="v" * 129).SerializeToString()],
    ids=["no message", "no UTF-8", "too long"],
)
async def test_an_answer_that_is_none_teaches_nothing_and_ends_nothing(tmp_path: Path, answer: bytes) -> None:
    hosted = Hosted(engine_service_pb2.DESCRIPTOR.services_by_name["EngineService"], Muddled(answer))
    async with running(hosted, directory=tmp_path) as up, open_channel(up.address, up.tls_dir) as channel:
        engines = Engines(channel, [PDF])
        engines.learn(PDF, "pdf-1")
        await engines._refresh(PDF)
        assert engines.version(PDF) == "pdf-1"
