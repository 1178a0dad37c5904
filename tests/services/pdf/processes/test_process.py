"""What the service believes of a process that it does not trust."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.pdf.processes.process import WorkerLost, WorkerProcess
from services.pdf.processes.wire import LENGTHS, MAX_HEADER, pack

pytestmark = pytest.mark.measures_time

Until = Callable[[Callable[[], object]], Awaitable[None]]


@asynccontextmanager
async def worker() -> AsyncIterator[tuple[WorkerProcess, socket.socket, asyncio.subprocess.Process]]:
    """A process that does nothing, and the end of its socket at which a test speaks for it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003  # the standard library takes it by position
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    worker = WorkerProcess(asyncio.get_running_loop(), ours, 100)
    worker.adopt(os.pidfd_open(process.pid))
    with theirs:
        yield worker, theirs, process
    worker.close()
    await process.wait()


@pytest.mark.parametrize(
    ("request_bytes", "answer", "believed"),
    [
        (100, pack({}, b"null"), True),
        (16 << 20, pack({}, b"null"), False),
        (100, LENGTHS.pack(MAX_HEADER, 100), True),
        (100, LENGTHS.pack(MAX_HEADER + 1, 100), False),
        (100, LENGTHS.pack(MAX_HEADER, 101), False),
    ],
    ids=["an answer", "before the request was taken", "a long one begins", "too long a header", "too long a payload"],
)
async def test_an_answer_is_one_to_a_request_that_was_taken_and_keeps_to_its_limits(
    until: Until,
    request_bytes: int,
    answer: bytes,
    believed: bool,  # noqa: FBT001
) -> None:
    async with worker() as (process, theirs, child):
        answered = process.expect(asyncio.get_running_loop().time() + 60)
        process.send(bytes(request_bytes))
        theirs.send(answer)
        await until(lambda: answered.done() or process._received or child.returncode is not None)
        assert (child.returncode is None) == believed


async def test_whoever_waits_for_a_worker_that_is_given_up_is_cancelled() -> None:
    async with worker() as (process, _, _):
        answered = process.expect(asyncio.get_running_loop().time() + 60)
        process.close()
        assert answered.cancelled()


async def test_a_worker_that_is_known_to_have_ended_is_not_asked() -> None:
    async with worker() as (process, _, _):
        process.on_exit(9)
        with pytest.raises(WorkerLost) as lost:
            process.expect(asyncio.get_running_loop().time() + 60)
        assert lost.value.status == 9
