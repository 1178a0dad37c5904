"""The worker processes, and who gets the next one that is free."""

import asyncio
import contextlib
import itertools
import logging
import shutil
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from services.pdf import outcomes
from services.pdf.idle import IdleWorkers
from services.pdf.limits import MIB, Limits
from services.pdf.process import Answer, WorkerLost, WorkerProcess
from services.pdf.wire import pack_request
from services.pdf.zygote import Zygote, ZygoteError, kill

_LOG = logging.getLogger(__name__)

Place = Callable[[Path], Awaitable[None]]
"""Puts a document at a path that does not exist yet; as a hard link where it can be one."""

WORKER_MODULE = "services.pdf.worker"

_START_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
"""Seconds between attempts to start what does not start."""


class WorkerPool:
    """Worker processes behind a fair queue. `async with` starts and ends them.

    `work_dir` belongs to this pool alone: what an earlier one left there is removed.
    """

    def __init__(self, size: int, work_dir: Path, limits: Limits, worker_module: str = WORKER_MODULE) -> None:
        self.size = size
        self.limits = limits
        self.restarts: Counter[str] = Counter()
        """Processes replaced, by reason: memory, cpu, crash, timeout, cancelled, recycled, zygote."""

        self._work_dir = work_dir
        self._worker_module = worker_module
        self._numbers = itertools.count(1)
        self._zygote: Zygote | None = None
        self._workers: set[WorkerProcess] = set()
        self._by_pid: dict[int, WorkerProcess] = {}
        """All processes that have not been seen to end, those that are being killed too."""

        self._idle = IdleWorkers()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._warned = False
        self._none_left = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    @property
    def idle(self) -> int:
        """Workers that wait for a request."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Requests that wait for a worker."""
        return self._idle.waiting

    @property
    def is_ready(self) -> bool:
        """Whether at least one worker lives."""
        return bool(self._by_pid) and not self._closing

    async def start(self) -> None:
        """Starts the zygote and all workers; raises ZygoteError when they do not come up."""
        self._work_dir.mkdir(parents=True, exist_ok=True)
        for left in self._work_dir.glob("slot-*"):
            shutil.rmtree(left)
        try:
            self._zygote = await self._start_zygote()
            workers = await asyncio.gather(*(self._spawn() for _ in range(self.size)))
        except (WorkerLost, TimeoutError, OSError) as error:
            await self.close()
            raise ZygoteError("a worker could not lock itself in, and none works otherwise") from error
        except BaseException:
            await self.close()
            raise
        for worker in workers:
            self._release(worker)

    async def close(self) -> None:
        """Ends all processes and removes their files; requests under way fail."""
        self._closing = True
        self._idle.refuse(outcomes.closing())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._drop_workers()
        if self._zygote is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_PAUSE * 20):
                    while self._by_pid:
                        self._none_left.clear()
                        await self._none_left.wait()
            await self._zygote.close()
            self._zygote = None

    async def run(self, operation: str, arguments: dict[str, Any], place: Place, deadline: float) -> Answer:
        """Has a worker do one operation on one document.

        `deadline` is a time of the loop's clock: at that moment the worker is killed, and when the caller is cancelled
        it is killed at once. Raises PapermeshError: what the operation answered, TIMEOUT, or ENGINE_FAIL when the
        worker died. What `place` raises passes through.
        """
        if self._closing:
            raise outcomes.closing()
        worker = await self._idle.take(deadline)
        try:
            await place(worker.document)
        except BaseException as error:
            worker.remove_document()
            self._release(worker)
            if worker.exited and isinstance(error, OSError):  # its folder went with it
                raise outcomes.engine_failed("crash") from None
            raise
        try:
            answered = worker.expect(deadline)
            worker.send(pack_request({"op": operation, "args": arguments}))
            answer = await answered
        except WorkerLost as lost:
            reason = outcomes.reason_of_death(lost.status)
            self._replace(worker, reason)
            raise outcomes.engine_failed(reason) from None
        except TimeoutError:
            self._replace(worker, "timeout")
            raise outcomes.timed_out() from None
        except BaseException:
            self._replace(worker, "cancelled")
            raise
        return self._finish(worker, answer)

    def _finish(self, worker: WorkerProcess, answer: Answer) -> Answer:
        """Frees the worker, or replaces it; raises the error that it answered with."""
        worker.served += 1
        header = answer.header
        crash = header.get("crash")
        if crash is not None:
            reason = "memory" if crash == "memory" else "crash"
            _LOG.error("a worker failed: %.300s", crash)
            self._replace(worker, reason)
            raise outcomes.engine_failed(reason)
        if header.get("retire") or worker.served >= self.limits.recycle_after:
            self._replace(worker, "recycled")
        else:
            worker.remove_document()
            self._release(worker)
        error = header.get("error")
        if error is not None:
            raise outcomes.from_worker(error)
        return answer

    def _release(self, worker: WorkerProcess) -> None:
        """Makes a worker that has nothing to do available, if it still lives."""
        if worker.exited:
            self._replace(worker, "crash")
        else:
            self._idle.give(worker)

    def _replace(self, worker: WorkerProcess, reason: str) -> None:
        """Kills a worker and starts another in its place."""
        worker.close()
        if worker in self._workers:  # not so after the zygote has died: then all are started anew
            self._workers.remove(worker)
            self.restarts[reason] += 1
            self._run_in_background(self._bring_up())

    async def _bring_up(self) -> None:
        """Starts one worker, however many attempts it takes."""
        pause = _FIRST_PAUSE
        while True:
            try:
                worker = await self._spawn()
            except (WorkerLost, TimeoutError, OSError) as error:
                _LOG.error("a worker did not start: %r", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._release(worker)
                return

    async def _spawn(self) -> WorkerProcess:
        """A worker that is locked in and waits; WorkerLost, TimeoutError or OSError when it does not come up."""
        if self._zygote is None:
            raise WorkerLost
        loop = asyncio.get_running_loop()
        folder = self._work_dir / f"slot-{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003  # the standard library takes it by position
        worker = WorkerProcess(loop, folder, ours, self.limits.result_bytes + MIB)
        self._workers.add(worker)

        def adopt(pid: int, pidfd: int) -> None:
            if worker in self._workers:
                self._by_pid[pid] = worker
                worker.adopt(pidfd)
            else:
                kill(pidfd)

        try:
            with theirs:
                self._zygote.fork(
                    {
                        "folder": str(folder),
                        "memory_bytes": self.limits.memory_bytes,
                        "cpu_seconds": self.limits.cpu_seconds,
                    },
                    theirs,
                    adopt,
                )
            answer = await worker.expect(loop.time() + _START_SECONDS)
        except BaseException:
            self._workers.discard(worker)
            worker.close()
            raise
        if not answer.header.get("landlock") and not self._warned:
            self._warned = True
            _LOG.warning("the kernel offers no Landlock: workers are held by the system call filter alone")
        return worker

    async def _start_zygote(self) -> Zygote:
        return await Zygote.start(self._worker_module, self._on_exit, self._on_zygote_lost)

    def _on_exit(self, pid: int, status: int) -> None:
        worker = self._by_pid.pop(pid, None)
        if not self._by_pid:
            self._none_left.set()
        if worker is None:
            return
        worker.on_exit(status)
        if self._idle.remove(worker):
            self._replace(worker, outcomes.reason_of_death(status))

    def _on_zygote_lost(self) -> None:
        """All workers died with it: their requests fail, and everything is started anew."""
        _LOG.error("the zygote ended; starting it and %d workers anew", self.size)
        self._zygote = None
        self.restarts["zygote"] += 1
        self._drop_workers()
        for task in self._tasks:
            task.cancel()
        self._run_in_background(self._start_over())

    async def _start_over(self) -> None:
        pause = _FIRST_PAUSE
        while self._zygote is None:
            try:
                self._zygote = await self._start_zygote()
            except (ZygoteError, OSError) as error:
                _LOG.error("the zygote did not start: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        for _ in range(self.size):
            self._run_in_background(self._bring_up())

    def _drop_workers(self) -> None:
        """Kills all workers without replacing them."""
        self._idle.clear()
        workers, self._workers = self._workers, set()
        for worker in workers:
            worker.on_exit(None)
            worker.close()
        if self._zygote is None:
            self._by_pid.clear()  # nobody is left to report their ends

    def _run_in_background(self, work: Any) -> None:
        if self._closing:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
