import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.process import WorkerProcess
from services.pdf.processes.subject import Subject
from services.pdf.processes.zygote import ZygoteError
from services.pdf.worker.sandbox.confinement import WORN_SECONDS
from tests.services.pdf.support import REAL, VIEWS, Questions, idle_in, kept_in, waiting_in
from tests.support.disks import fill, needs_root, small_disk

pytestmark = pytest.mark.measures_time

Ask = Callable[..., Coroutine[Any, Any, Any]]
MakePool = Callable[..., Any]
Until = Callable[[Callable[[], object]], Awaitable[None]]


SPINNING_S = 0.1


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def code_of(error: pytest.ExceptionInfo[PapermeshError]) -> Code:
    return error.value.code


def processes(pool: WorkerPool) -> list[psutil.Process]:
    assert pool._supervisor.zygote is not None
    zygote = psutil.Process(pool._supervisor.zygote.pid)
    return [zygote, *zygote.children()]


def is_full(pool: WorkerPool) -> bool:
    """Whether the next request has to wait."""
    return pool._places.free == 0


def descriptors() -> int:
    """How many this process holds."""
    return psutil.Process().num_fds()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def spinning(pool: WorkerPool) -> list[psutil.Process]:
    """The workers that compute, for longer than it takes to lock oneself in."""
    return [worker for worker in processes(pool)[1:] if _lives(worker) and worker.cpu_times().user > SPINNING_S]


async def test_a_worker_that_crashes_costs_its_request_and_no_other(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(size=2) as pool:
        other = asyncio.create_task(ask(pool, "nap", pause=1))
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "crash")
        assert code_of(error) is Code.ENGINE_FAIL
        assert "crashed" in error.value.message
        await other
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {"crash": 1}


async def test_a_killed_worker_costs_its_request_and_no_other(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool(size=2) as pool:
        tasks = [asyncio.create_task(ask(pool, "spin")) for _ in range(2)]
        await until(lambda: len(spinning(pool)) == 2)
        spinning(pool)[0].kill()
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        dead = [task for task in tasks if task.done()]
        assert len(dead) == 1
        error = dead[0].exception()
        assert isinstance(error, PapermeshError)
        assert error.code is Code.ENGINE_FAIL
        assert (await ask(pool, "count"))["pages"] == 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_worker_that_is_killed_before_its_first_document_is_replaced(
    make_pool: MakePool, ask: Ask, until: Until
) -> None:
    async with make_pool() as pool:
        pid = next(iter(pool._supervisor.by_pid))
        os.kill(pid, signal.SIGKILL)
        await until(lambda: idle_in(pool) == 1 and pid not in pool._supervisor.by_pid)
        assert (await ask(pool, "count"))["pages"] == 1


async def test_a_memory_bomb_is_an_engine_failure(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(memory_bytes=256 << 20) as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "devour")
        assert code_of(error) is Code.ENGINE_FAIL
        assert "out of memory" in error.value.message
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {"memory": 1}


async def test_too_much_processor_time_is_an_engine_failure(
    make_pool: MakePool, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pool(cpu_seconds=1) as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "spin", seconds=120)
        assert code_of(error) is Code.ENGINE_FAIL
        assert "processor time" in error.value.message
        assert "SIGXCPU" in caplog.text
        assert pool.restarts == {"cpu": 1}


async def test_an_endless_loop_is_a_timeout_and_the_next_call_works(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "spin", seconds=0.3)
        assert code_of(error) is Code.TIMEOUT
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {"timeout": 1}


async def test_a_cancelled_call_frees_its_worker_within_a_second(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool() as pool:
        task = asyncio.create_task(ask(pool, "spin"))
        await until(lambda: spinning(pool))
        (worker,) = spinning(pool)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        async with asyncio.timeout(1):
            await until(lambda: not _lives(worker))
        assert pool.restarts == {"cancelled": 1}


async def test_a_call_that_is_cancelled_in_the_queue_takes_no_worker(
    make_pool: MakePool, ask: Ask, until: Until
) -> None:
    async with make_pool() as pool:
        first = asyncio.create_task(ask(pool, "nap", pause=0.3))
        await until(lambda: is_full(pool))
        second = asyncio.create_task(ask(pool, "count"))
        await until(lambda: waiting_in(pool) == 1)
        second.cancel()
        await first
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {}


async def test_the_queue_is_bound_by_the_deadline(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool() as pool:
        first = asyncio.create_task(ask(pool, "nap", pause=1))
        await until(lambda: is_full(pool))
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "count", seconds=0.1)
        assert code_of(error) is Code.TIMEOUT
        assert "No worker" in error.value.message
        await first
        assert pool.restarts == {}


async def test_a_client_is_served_before_most_of_what_another_sent_earlier(
    make_pool: MakePool, ask: Ask, until: Until
) -> None:
    flood, other = Flow("flood", "x"), Flow("other", "y")
    async with make_pool(size=2) as pool:
        naps = [asyncio.create_task(ask(pool, "nap", pause=0.1, flow=flood)) for _ in range(20)]
        await until(lambda: waiting_in(pool) == 18)
        assert (await ask(pool, "count", flow=other))["pages"] == 1
        assert sum(nap.done() for nap in naps) <= 4, "its two, and perhaps the next two"
        await asyncio.gather(*naps)


async def test_when_too_many_wait_the_next_call_is_told_so_at_once(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool(waiting=2) as pool:
        blocker = asyncio.create_task(ask(pool, "spin", seconds=60))
        await until(lambda: is_full(pool))
        waiting = [asyncio.create_task(ask(pool, "count")) for _ in range(2)]
        await until(lambda: waiting_in(pool) == 2)
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "count", seconds=60)
        assert code_of(error) is Code.RATE_LIMIT
        assert error.value.retry_after_ms == 1000
        assert not blocker.done()
        blocker.cancel()
        assert [answer["pages"] for answer in await asyncio.gather(*waiting)] == [1, 1]


async def test_the_queue_is_fair(make_pool: MakePool, ask: Ask, until: Until) -> None:
    order: list[int] = []

    async def caller(number: int) -> None:
        await ask(pool, "count")
        order.append(number)

    async with make_pool() as pool:
        blocker = asyncio.create_task(ask(pool, "nap", pause=0.2))
        await until(lambda: is_full(pool))
        callers = []
        for number in range(10):
            callers.append(asyncio.create_task(caller(number)))
            await until(partial(lambda expected: waiting_in(pool) == expected, number + 1))
        await asyncio.gather(blocker, *callers)
    assert order == list(range(10))


async def test_when_the_zygote_dies_everything_is_started_anew(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool(size=2) as pool:
        task = asyncio.create_task(ask(pool, "spin"))
        await until(lambda: idle_in(pool) == 1)
        before = processes(pool)
        os.kill(before[0].pid, signal.SIGKILL)
        with pytest.raises(PapermeshError) as error:
            await task
        assert code_of(error) is Code.ENGINE_FAIL
        assert (await ask(pool, "count"))["pages"] == 1
        await until(lambda: idle_in(pool) == 2)
        # A zombie has ended: whoever adopted it reaps it.
        await until(lambda: not any(_lives(process) for process in before))
        assert pool.restarts == {"zygote": 1}


async def test_a_kept_worker_that_dies_costs_nobody_anything(make_pool: MakePool, ask: Ask, until: Until) -> None:
    async with make_pool() as pool:
        pid = (await ask(pool, "inventory"))["pid"]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: kept_in(pool) == 0)
        assert (await ask(pool, "inventory"))["pid"] != pid
        assert pool.restarts == {"crash": 1}


async def test_a_worker_that_dies_with_its_answer_is_not_kept(
    make_pool: MakePool, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = WorkerProcess.send

    def send_and_see_it_end(worker: WorkerProcess, request: bytes, document: int = -1) -> None:
        (pid,) = (pid for pid, each in pool._supervisor.by_pid.items() if each is worker)
        send(worker, request, document)
        wait_for(lambda: not psutil.pid_exists(pid))  # the loop learns of its end and of its answer together

    async with make_pool() as pool:
        monkeypatch.setattr(WorkerProcess, "send", send_and_see_it_end)
        assert await ask(pool, "answer_and_end") is None
        monkeypatch.undo()
        assert kept_in(pool) == 0
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {"crash": 1}


async def test_a_worker_that_nobody_waits_for_any_more_leaves_nothing(make_pool: MakePool, until: Until) -> None:
    async with make_pool() as pool:
        held, zygote = descriptors(), pool._supervisor.zygote
        starting = asyncio.create_task(pool._supervisor._spawn())
        await asyncio.sleep(0)  # its fork is asked for
        starting.cancel()
        await until(lambda: not zygote._forks)
        await until(lambda: len(processes(pool)) == 2)
        assert descriptors() <= held


async def test_a_document_that_no_worker_came_for_is_let_go_of(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        await pool._supervisor.spares.take(in_seconds(30))
        held = descriptors()
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "count", seconds=0.2)
        assert code_of(error) is Code.TIMEOUT
        assert descriptors() <= held


async def test_a_worker_that_has_grown_is_not_kept(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(result_bytes=300 << 20) as pool:
        with pytest.raises(ValueError, match="JSON"):
            await ask(pool, "fill", length=70 << 20)
        assert kept_in(pool) == 0
        assert pool.restarts == {"worn": 1}


async def test_a_worker_that_has_computed_for_long_is_not_kept(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        await ask(pool, "compute", seconds_of_cpu=WORN_SECONDS + 0.1)
        assert kept_in(pool) == 0
        assert pool.restarts == {"worn": 1}


async def test_closing_leaves_no_process_and_no_file(
    make_pool: MakePool, ask: Ask, until: Until, tmp_path: Path
) -> None:
    async with make_pool(size=2) as pool:
        spinning = asyncio.create_task(ask(pool, "spin"))
        await until(lambda: idle_in(pool) == 1)
        before = processes(pool)
    with pytest.raises(PapermeshError):
        await spinning
    await until(lambda: not any(_lives(process) for process in before))
    assert list((tmp_path / "work").iterdir()) == []


async def test_the_document_is_gone_after_the_call(make_pool: MakePool, ask: Ask, tmp_path: Path) -> None:
    async with make_pool() as pool:
        await ask(pool, "count")
        assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == []


async def test_a_document_that_cannot_be_placed_costs_no_worker(make_pool: MakePool, ask: Ask, tmp_path: Path) -> None:
    async def fail(path: Path) -> None:
        path.write_bytes(b"half of it")
        raise PapermeshError(Code.NOT_FOUND, "The document is gone.")

    async with make_pool() as pool:
        with pytest.raises(PapermeshError, match="NOT_FOUND"):
            await pool.run("outline", {}, Subject("x", fail), in_seconds(10))
        assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == []
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {}


async def test_a_work_folder_that_vanished_is_made_again_and_where_it_cannot_be_the_fault_is_ours(
    make_pool: MakePool, ask: Ask, tmp_path: Path
) -> None:
    async with make_pool(kept=0) as pool:  # a worker that is kept needs no folder for its document
        (tmp_path / "work").rmdir()
        assert (await ask(pool, "count"))["pages"] == 1
        (tmp_path / "work").rmdir()
        (tmp_path / "work").touch()
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "count")
        assert (code_of(error), error.value.details) == (Code.UNAVAILABLE, {"reason": "work_failed"})
        (tmp_path / "work").unlink()
        assert (await ask(pool, "count"))["pages"] == 1
        assert pool.restarts == {}


@needs_root
async def test_a_document_that_finds_no_room_costs_no_worker_and_the_fault_is_ours(
    make_pool: MakePool, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    with small_disk(tmp_path / "work", 100_000):
        async with make_pool() as pool:
            filler = fill(tmp_path / "work")
            with pytest.raises(PapermeshError) as error:
                await ask(pool, "count")
            assert (code_of(error), error.value.details) == (Code.UNAVAILABLE, {"reason": "work_full"})
            filler.unlink()
            assert (await ask(pool, "count"))["pages"] == 1
            assert pool.restarts == {}


@pytest.mark.parametrize("said", ["00", "ffffffff00000000", "0200000000000000" + b"[]".hex(), "0300000000000000787878"])
async def test_a_worker_that_breaks_the_protocol_is_replaced(make_pool: MakePool, ask: Ask, said: str) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "babble", seconds=1, hex=said)
        # A beginning that could still become an answer is waited for.
        assert code_of(error) is (Code.TIMEOUT if said == "00" else Code.ENGINE_FAIL)
        assert (await ask(pool, "count"))["pages"] == 1


async def test_an_answer_over_the_limit_is_not_taken(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(result_bytes=1 << 20) as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "announce", length=1 << 31)
        assert code_of(error) is Code.ENGINE_FAIL


@pytest.mark.parametrize(
    "header",
    [
        {"error": {"code": "UNAUTHENTICATED", "message": "", "violations": [], "details": {}}},
        {"error": {"code": "NO_SUCH"}},
        {"error": "?"},
    ],
)
async def test_an_error_that_no_worker_may_raise_is_an_engine_failure(
    make_pool: MakePool, ask: Ask, header: dict[str, Any]
) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "forge", header=header)
        assert code_of(error) is Code.ENGINE_FAIL


async def test_an_unforeseen_error_tells_its_place_and_no_words_of_the_document(
    make_pool: MakePool, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "blunder")
        assert code_of(error) is Code.ENGINE_FAIL
    assert "ValueError at " in caplog.text
    assert "probes.py" in caplog.text
    assert "words of the document" not in caplog.text + str(error.value)


@pytest.mark.parametrize(
    "view",
    [
        View("services.pdf.no_such_module:read"),
        View("services.pdf.processes.limits:no_such_function"),
        View("services.pdf.worker.metadata:describe"),  # it asks for an argument
        replace(VIEWS["crash"], warm_up={}),  # the zygote ends without a word
    ],
)
async def test_a_zygote_that_does_not_come_up_is_said_so(make_pool: MakePool, view: View) -> None:
    with pytest.raises(ZygoteError):
        async with make_pool(views={"view": view}):
            pass


async def test_a_zygote_in_which_an_import_has_started_a_thread_does_not_come_up(make_pool: MakePool) -> None:
    with pytest.raises(ZygoteError, match="2 threads"):
        async with make_pool(views={"view": View("tests.services.pdf.threaded:describe")}):
            pass


async def test_a_terminals_ctrl_c_is_for_the_service_alone(make_pool: MakePool) -> None:
    async with make_pool() as pool:
        assert os.getsid(0) not in {os.getsid(each.pid) for each in processes(pool)}


async def test_bytes_of_any_length_go_to_a_worker_beside_its_other_arguments(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        for length in (0, 1, 100_000, 9 << 20):
            content = random.Random(length).randbytes(length)  # noqa: S311  # to be told apart, not to be a secret
            found = await ask(pool, "weigh", content=content, language="ko")
            assert found == {"sha256": sha256(content).hexdigest(), "others": ["language"]}


async def test_a_worker_that_does_not_take_its_bytes_is_ended_at_the_deadline(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(kept=1) as pool:
        stopped = psutil.Process((await ask(pool, "inventory"))["pid"])
        stopped.suspend()
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "weigh", content=bytes(9 << 20), seconds=0.3)
        assert code_of(error) is Code.TIMEOUT
        assert pool.restarts == {"timeout": 1}
        assert (await ask(pool, "weigh", content=b"x"))["others"] == []


async def test_when_the_zygote_dies_over_bytes_that_are_not_taken_the_next_call_works(
    make_pool: MakePool, ask: Ask, until: Until
) -> None:
    async with make_pool() as pool:
        stopped = psutil.Process((await ask(pool, "inventory"))["pid"])
        stopped.suspend()
        asked = asyncio.create_task(ask(pool, "weigh", content=bytes(9 << 20)))
        await until(lambda: kept_in(pool) == 0)
        os.kill(processes(pool)[0].pid, signal.SIGKILL)
        with pytest.raises(PapermeshError) as error:
            await asked
        assert code_of(error) is Code.ENGINE_FAIL
        assert (await ask(pool, "weigh", content=bytes(9 << 20)))["others"] == []


async def test_a_worker_that_dies_over_its_bytes_is_an_engine_failure(
    make_pool: MakePool, ask: Ask, until: Until
) -> None:
    async with make_pool(kept=1) as pool:
        stopped = psutil.Process((await ask(pool, "inventory"))["pid"])
        stopped.suspend()
        asked = asyncio.create_task(ask(pool, "weigh", content=bytes(9 << 20)))
        await until(lambda: kept_in(pool) == 0)
        stopped.kill()
        with pytest.raises(PapermeshError) as error:
            await asked
        assert code_of(error) is Code.ENGINE_FAIL
        assert pool.restarts == {"crash": 1}


SERVICE = """
import asyncio, shutil, sys
from pathlib import Path
from services.pdf.processes.kinds import Kind
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from tests.services.pdf.support import VIEWS

async def place(path):
    shutil.copyfile(sys.argv[2], path)

async def run():
    async with WorkerPool(Kind(size=2), VIEWS, Path(sys.argv[1])) as pool:
        asked = Subject("x", place)
        await pool.run("count", {}, asked, asyncio.get_running_loop().time() + 60)
        busy = asyncio.create_task(pool.run("spin", {}, asked, asyncio.get_running_loop().time() + 600))
        print(pool._supervisor.zygote.pid, flush=True)
        await busy

asyncio.run(run())
"""


@pytest.mark.parametrize("zygote_is", ["well", "hanging"])
def test_when_the_service_is_killed_nothing_of_it_stays_not_even_a_worker_that_computes(
    tmp_path: Path, make_pdf: Callable[..., Path], zygote_is: str
) -> None:
    program: list[str | Path] = [sys.executable, "-c", SERVICE, tmp_path / "work", make_pdf("x")]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as service:  # our own program
        try:
            assert service.stdout is not None
            zygote = psutil.Process(int(service.stdout.readline()))

            def spinning() -> bool:
                return any(worker.cpu_times().user > SPINNING_S for worker in zygote.children())

            wait_for(lambda: len(zygote.children()) >= 3 and spinning())
            started = [zygote, *zygote.children()]
            if zygote_is == "hanging":  # then it does not see that its socket has closed
                zygote.suspend()
        finally:
            service.kill()
    psutil.wait_procs(started, timeout=10)
    assert not [process for process in started if _lives(process)]


def test_the_pool_runs_on_uvloop(tmp_path: Path, make_pdf: Callable[..., Path]) -> None:
    sample = make_pdf("A sample.")

    async def place(path: Path) -> None:
        path.hardlink_to(sample)

    async def run() -> bytes:
        async with WorkerPool(Kind(size=2), REAL, tmp_path / "work") as pool:
            engine = Questions(pool)
            return (await asyncio.gather(*(engine.metadata(Subject("x", place), 30) for _ in range(50))))[-1]

    assert b'"pages":1' in uvloop.run(run())
    assert sample.exists()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
