"""What is left of recognition that never comes to its end: callers hang up, processes are killed, the service stops."""

import asyncio
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.pdf.engine import Engine, Result
from services.pdf.operations import OPERATIONS, STEPS
from services.pdf.processes.kinds import MODEL, OCR, TEXT, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Reader
from services.pdf.readings.readings import Readings
from services.pdf.recognition import Recognition
from tests.services.pdf.pictures import have_ended, ocr_kind, programs
from tests.services.pdf.support import TEXT as TEXT_OPERATION

pytestmark = [pytest.mark.measures_time, pytest.mark.soak, pytest.mark.long]

LIVES = 20 if os.environ.get("PAPERMESH_SOAK") else 2
IN_ONE_LIFE = 10
"""Calls before the service stops, with some under way."""

ENDS = ("hangs up", "is late", TEXT, OCR, "tesseract", "outlives the service")
"""How a call ends: what its caller does, or what of it is killed."""

LINES = "\n".join(["The quick brown fox jumps over the lazy dog; 0123456789 times."] * 15)

Until = Callable[[Callable[[], object]], Awaitable[None]]


class Service:
    """The engine with its own processes, and all that it keeps below a folder."""

    def __init__(self, engine: Engine, pools: Pools, blobs: BlobStore) -> None:
        self.engine = engine
        self.pools = pools
        self.blobs = blobs

    async def recognise(self, subject: Subject, timeout_s: float) -> Result:
        request = pb.ExtractTextRequest(ocr="force", languages=["eng"])
        return await self.engine.answer(TEXT_OPERATION, request, subject, timeout_s)

    async def workers(self, kind: str) -> list[int]:
        pool = await self.pools.of(kind, asyncio.get_running_loop().time() + 60)
        return list(pool._supervisor.by_pid)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Service]:
    blobs = BlobStore((folder / "blobs").as_uri())
    async with (
        Readings(folder / "readings", blobs, "engine", 1 << 30) as readings,
        Pools(
            [Kind(size=2), ocr_kind(pdf_ocr_workers=2), Kind(name=MODEL, missing="It is not here.")],
            [*OPERATIONS, *STEPS],
            folder / "work",
        ) as pools,
        aclosing(Recognition(pools, readings)) as recognition,
    ):
        yield Service(Engine(pools, recognition, Reader(pools, recognition, readings)), pools, blobs)


class Calls:
    """Calls that end anyhow, at moments that are random and always the same."""

    def __init__(self) -> None:
        self._chance = random.Random(11)  # noqa: S311  # no secret
        self.tasks: list[asyncio.Task[Result]] = []
        self.programs: set[psutil.Process] = set()
        """Those that were seen at work."""

    async def one(self, service: Service, subject: Subject) -> None:
        """A call, over when this returns unless it is to outlive the service."""
        how = self._chance.choice(ENDS)
        timeout_s = self._chance.uniform(0.3, 1.5) if how == "is late" else 30.0
        task = asyncio.create_task(service.recognise(subject, timeout_s))
        self.tasks.append(task)
        await asyncio.wait([task], timeout=self._chance.uniform(0, 1.5))
        self.programs.update(programs())
        if how in (TEXT, OCR):
            kill(self._chance.choice(await service.workers(how) or [0]))
        elif how == "tesseract":
            for program in programs():
                kill(program.pid)
        if how == "outlives the service":
            return
        if how != "hangs up":
            await asyncio.wait([task], timeout=1.5)
        self.programs.update(programs())
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.timeout(3600)
async def test_nothing_is_left_of_calls_that_end_anyhow_at_any_moment(
    tmp_path: Path,
    make_pdf: Callable[..., Path],
    subject: Callable[..., Subject],
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No process and no file but readings that are whole; and no call has another end than an answer or an error."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    calls = Calls()
    for life in range(LIVES):
        async with running(tmp_path) as service:
            for number in range(IN_ONE_LIFE):
                source = make_pdf(f"{life} {number}\n{LINES}", name="call.pdf")
                about = subject(source)
                await service.blobs.put(Namespace.UPLOADS, about.sha256, source)
                await calls.one(service, about)
            calls.programs.update(programs())
        await asyncio.wait(calls.tasks)
        await until(lambda: have_ended(calls.programs))
        assert not psutil.Process().children(recursive=True)
        assert list((tmp_path / "work").iterdir()) == []
        assert not [path for path in tmp_path.rglob("*") if "#" in path.name]
    assert calls.programs
    assert all(ended_well(task) for task in calls.tasks)
    assert list(temporary.iterdir()) == []


def ended_well(call: asyncio.Task[Result]) -> bool:
    if call.cancelled() or call.exception() is None:
        return True
    error = call.exception()
    return isinstance(error, PapermeshError) and error.code in (Code.ENGINE_FAIL, Code.UNAVAILABLE, Code.TIMEOUT)


def kill(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
