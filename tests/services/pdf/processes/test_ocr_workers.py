"""The kind of worker that recognises text, with the Tesseract of this machine: its life, and what it leaves."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import psutil
import pytest
import pytest_asyncio

from services.base.errors import Code, PapermeshError
from services.base.flow import NOBODY, Flow
from services.pdf.operations import OPERATIONS, RECOGNISE, Step
from services.pdf.processes.kinds import OCR, Kind, View
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from tests.services.pdf.pictures import PROBES, have_ended, long_picture, ocr_kind, picture, programs

pytestmark = pytest.mark.measures_time
NO_PAGE = {"pages": 1, "asked": [], "found": [], "failures": [], "with_scans": True}
"""The readings of none of a document's pages: with them a view of the document is one request."""

in_shared_loop = pytest.mark.asyncio(loop_scope="module")

Recognise = Callable[..., Coroutine[Any, Any, Any]]
MakePool = Callable[..., Any]
Until = Callable[[Callable[[], object]], Awaitable[None]]

STEP = RECOGNISE
VIEWS = {STEP.name: STEP.for_workers(), **PROBES}

KILLED = 200 if os.environ.get("PAPERMESH_SOAK") else 50
"""Requests that end at a random moment."""

LONG = long_picture()


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def make_ocr_pool(work_dir: Path) -> MakePool:
    """Makes pools of real processes that recognise text and know the probes besides, or know only other `views`."""

    @asynccontextmanager
    async def make(size: int = 1, views: Mapping[str, View] = VIEWS, **limits: Any) -> AsyncIterator[WorkerPool]:
        kind = ocr_kind()
        limited = replace(kind.limits, **limits)
        async with WorkerPool(replace(kind, size=size, limits=limited), views, work_dir) as pool:
            yield pool

    return make


@pytest.fixture(scope="module")
def shared_work_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="papermesh-") as folder:
        yield Path(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_pool(shared_work_dir: Path) -> AsyncIterator[WorkerPool]:
    """A pool for all tests after which another can ask it: Tesseract runs before its first request."""
    async with WorkerPool(ocr_kind(), VIEWS, shared_work_dir) as pool:
        yield pool


@pytest.fixture
def pool(shared_pool: WorkerPool) -> WorkerPool:
    """It, with nothing of an earlier test's in its counters."""
    shared_pool.restarts.clear()
    return shared_pool


async def no_document(_path: Path) -> None:
    raise AssertionError("nothing opens a document")


def about(flow: Flow = NOBODY, document: str = "0") -> Subject:
    return Subject(document * 64, no_document, flow)


async def ask(
    pool: WorkerPool, step: str, *, seconds: float = 60, subject: Subject | None = None, **arguments: Any
) -> Any:
    deadline = asyncio.get_running_loop().time() + seconds
    answer = await pool.run(step, {"content": b"", **arguments}, subject or about(), deadline)
    return orjson.loads(answer.payload)


async def recognise(pool: WorkerPool, content: bytes, **asked: Any) -> Any:
    return await ask(pool, "recognise", content=content, dpi=150, languages=["eng"], **asked)


def words_in(recognised: dict[str, Any]) -> str:
    return " ".join(word["text"] for line in recognised["lines"] for word in line["words"])


@in_shared_loop
async def test_a_page_is_recognised_by_a_confined_worker(pool: WorkerPool) -> None:
    recognised = await recognise(pool, picture("Annual leave is fifteen days."))
    assert words_in(recognised) == "Annual leave is fifteen days."
    assert (recognised["version"], recognised["dpi"]) == (1, 150)


@in_shared_loop
async def test_one_worker_recognises_page_after_page_of_a_document_for_one_person(pool: WorkerPool) -> None:
    ada, bob = Flow("company", "ada"), Flow("company", "bob")
    found = [
        await ask(pool, "whereabouts", subject=about(flow, document))
        for flow, document in ((ada, "1"), (ada, "1"), (bob, "1"), (ada, "2"))
    ]
    for text in ("First page.", "Second page."):
        assert words_in(await recognise(pool, picture(text))) == text
    assert pool.restarts["crash"] == 0
    assert found[0] == found[1]
    assert len({each["pid"] for each in found}) == 3


async def test_it_starts_with_the_first_picture_and_no_document_is_placed(work_dir: Path) -> None:
    ocr = ocr_kind()
    async with Pools([Kind(), ocr], [*OPERATIONS, RECOGNISE], work_dir) as pools:
        assert pools.is_ready
        assert list(work_dir.iterdir()) == []
        assert pools.missing(OCR) == ""
        deadline = asyncio.get_running_loop().time() + 60
        arguments = {"content": picture("Once."), "dpi": 150, "languages": ["eng"]}
        answer = await pools.run("recognise", arguments, about(), deadline)
        assert words_in(orjson.loads(answer.payload)) == "Once."
    assert list(work_dir.iterdir()) == []


async def test_where_it_is_missing_everything_else_works_and_the_error_says_what_to_install(
    work_dir: Path, ask: Callable[..., Any]
) -> None:
    missing = Kind(name=OCR, missing="Text recognition is not available; install it.")
    async with Pools([Kind(), missing], [*OPERATIONS, RECOGNISE], work_dir) as pools:
        assert pools.is_ready
        deadline = asyncio.get_running_loop().time() + 60
        assert pools.missing(OCR) == "Text recognition is not available; install it."
        with pytest.raises(PapermeshError, match="not available; install it") as error:
            await pools.run("recognise", {}, about(), deadline)
        assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "not_available"})
        assert (await ask(await pools.of("text", deadline), "metadata", sha256="x", readings=NO_PAGE))["pages"] == 1


async def test_its_environment_names_one_folder_of_programs_and_one_thread(
    make_ocr_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERMESH_SECRET", "not for workers")
    async with make_ocr_pool(views=PROBES) as pool:
        found = await ask(pool, "whereabouts")
    assert found["environment"].keys() == ocr_kind().environment.keys()
    assert found["environment"]["OMP_THREAD_LIMIT"] == "1"
    assert found["cwd"] == "/"


@in_shared_loop
async def test_a_cancelled_call_ends_the_worker_and_its_tesseract_within_a_second(
    pool: WorkerPool, until: Until
) -> None:
    task = asyncio.create_task(recognise(pool, LONG))
    await until(programs)
    working = programs()
    task.cancel()
    await asyncio.wait([task])
    async with asyncio.timeout(1):
        await until(lambda: have_ended(working))
    assert pool.restarts == {"cancelled": 1}


@in_shared_loop
async def test_a_deadline_ends_them_too_and_the_next_call_works(pool: WorkerPool, until: Until) -> None:
    with pytest.raises(PapermeshError) as error:
        await recognise(pool, LONG, seconds=0.5)
    assert error.value.code is Code.TIMEOUT
    await until(lambda: not programs())
    assert words_in(await recognise(pool, picture("Next."))) == "Next."
    assert pool.restarts["timeout"] == 1


@in_shared_loop
async def test_a_tesseract_that_takes_too_long_ends_with_its_worker_which_answers_at_once(
    pool: WorkerPool, until: Until
) -> None:
    late = asyncio.create_task(ask(pool, "run_late", content=LONG))
    await until(programs)
    working = programs()
    with pytest.raises(PapermeshError, match="took too long") as error:
        await late
    assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "time"})
    await until(lambda: have_ended(working))
    assert pool.restarts == {"worn": 1}
    assert words_in(await recognise(pool, picture("Next."))) == "Next."


@in_shared_loop
async def test_a_picture_that_is_none_costs_its_request_and_no_other(pool: WorkerPool) -> None:
    for content in (b"", b"P5 1", b"%PDF-", b"P5 99999 99999 255 x"):
        with pytest.raises(PapermeshError) as error:
            await recognise(pool, content)
        assert error.value.code in (Code.ENGINE_FAIL, Code.BAD_ARG, Code.TOO_LARGE)
    assert words_in(await recognise(pool, picture("Next."))) == "Next."


async def test_a_tesseract_that_needs_more_memory_than_a_worker_may_have_is_an_engine_failure(
    make_ocr_pool: MakePool,
) -> None:
    async with make_ocr_pool(memory_bytes=24 << 20) as pool:
        with pytest.raises(PapermeshError) as error:
            await recognise(pool, LONG)
        assert error.value.code is Code.ENGINE_FAIL


async def test_a_worker_ends_after_its_processor_time_as_every_worker_does(make_ocr_pool: MakePool) -> None:
    async with make_ocr_pool(views=PROBES, cpu_seconds=1) as pool:
        with pytest.raises(PapermeshError, match="processor time"):
            await ask(pool, "spin", seconds=120)
        assert pool.restarts == {"cpu": 1}


@pytest.mark.parametrize("how", ["program", "fork"])
async def test_what_a_worker_leaves_behind_has_ended_when_the_service_hears_of_its_end(
    make_ocr_pool: MakePool, until: Until, how: str
) -> None:
    """Also a process that no signal reaches when its parent dies."""
    async with make_ocr_pool(views=PROBES, kept=0) as pool:
        workers = dict(pool._supervisor.by_pid)
        left = psutil.Process(await ask(pool, "leave_behind", how=how, content=LONG))
        [used] = [pid for pid, worker in workers.items() if worker.exited or worker not in pool._supervisor.workers]
        await until(lambda: used not in pool._supervisor.by_pid)
        assert not left.is_running()


@pytest.mark.soak
@pytest.mark.long
async def test_after_requests_that_were_killed_at_random_moments_nothing_is_left(
    make_ocr_pool: MakePool, work_dir: Path, until: Until
) -> None:
    chance = random.Random(11)  # noqa: S311  # to try many moments, always the same
    async with make_ocr_pool(size=2) as pool:

        async def one(number: int) -> None:
            task = asyncio.create_task(recognise(pool, LONG, subject=about(document=str(number % 10))))
            await asyncio.wait([task], timeout=chance.uniform(0, 0.5))
            if number % 2 == 0 and (living := list(pool._supervisor.by_pid.values())):  # not last: its end is awaited
                chance.choice(living)._kill()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        for number in range(KILLED):
            await one(number)
        await until(lambda: not programs())
        await until(lambda: len(pool._supervisor.by_pid) == len(pool._supervisor.workers) == 2)
        assert words_in(await recognise(pool, picture("Well."))) == "Well."
        zygote = psutil.Process(pool._supervisor.zygote.pid)
        await until(lambda: all(child.status() != psutil.STATUS_ZOMBIE for child in zygote.children()))
    assert list(work_dir.iterdir()) == []


@pytest.mark.long
async def test_when_the_zygote_dies_its_programs_go_and_everything_starts_anew(
    make_ocr_pool: MakePool, until: Until
) -> None:
    async with make_ocr_pool() as pool:
        task = asyncio.create_task(recognise(pool, LONG))
        await until(programs)
        working = programs()
        os.kill(pool._supervisor.zygote.pid, signal.SIGKILL)
        with pytest.raises(PapermeshError) as error:
            await task
        assert error.value.code is Code.ENGINE_FAIL
        await until(lambda: have_ended(working))
        assert words_in(await recognise(pool, picture("Anew."))) == "Anew."


async def test_a_picture_takes_no_place_from_documents(work_dir: Path, ask: Callable[..., Any], until: Until) -> None:
    spin = PROBES["spin"]
    step = Step(name="spin", view=spin.function, content=True, warm_up=spin.warm_up, kind=OCR)
    async with Pools([Kind(), ocr_kind()], [*OPERATIONS, step], work_dir) as pools:
        deadline = asyncio.get_running_loop().time() + 60
        places = (await pools.of(OCR, deadline))._places
        busy = asyncio.create_task(pools.run("spin", {"content": b""}, about(), deadline))
        await until(lambda: places.free == 0)
        assert (await ask(await pools.of("text", deadline), "metadata", sha256="x", readings=NO_PAGE))["pages"] == 1
        assert not busy.done()
        busy.cancel()
        await asyncio.wait([busy])


SERVICE = """
import asyncio, sys
from pathlib import Path
from services.pdf.processes.pool import WorkerPool
from tests.services.pdf.pictures import PROBES, ocr_kind
from tests.services.pdf.processes.test_ocr_workers import LONG, ask

async def run():
    async with WorkerPool(ocr_kind(), PROBES, Path(sys.argv[1])) as pool:
        busy = asyncio.create_task(ask(pool, "leave_behind", how="and wait", content=LONG))
        print(pool._supervisor.zygote.pid, flush=True)
        await busy

asyncio.run(run())
"""


def test_when_the_service_is_killed_its_tesseract_goes_too(work_dir: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVICE, work_dir], stdout=subprocess.PIPE) as service:
        try:
            assert service.stdout is not None
            assert service.stdout.readline()
            wait_for(lambda: bool(programs()))
            working = programs()
        finally:
            service.kill()
    wait_for(lambda: have_ended(working))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
