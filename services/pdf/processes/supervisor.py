"""The processes behind a pool: their zygote, new ones forked ahead, and kept ones; restarted as needed."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from services.pdf.processes import outcomes
from services.pdf.processes.crashes import Crashes
from services.pdf.processes.kept import KeptWorkers
from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.limits import MIB
from services.pdf.processes.process import Answer, WorkerLost, WorkerProcess
from services.pdf.processes.spares import Spares
from services.pdf.processes.subject import Holder
from services.pdf.processes.zygote import Zygote, ZygoteError, kill

_LOG = logging.getLogger(__name__)

_Started = TypeVar("_Started")

_START_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
"""Seconds between attempts to start something."""


class WorkerRefused(Exception):  # noqa: N818  # an event of the engine's, as WorkerLost is
    """A new process could not confine itself; the text says which step failed, and why."""


class Supervisor:
    """The processes of a kind: as many as work at a time are kept ready for the next callers."""

    def __init__(self, kind: Kind, views: Mapping[str, View], crashes: Crashes) -> None:
        self.restarts: Counter[str] = Counter()
        """Processes that ended or were ended, by reason: memory, cpu, crash, timeout, cancelled, worn, zygote."""

        self.zygote: Zygote | None = None
        self.spares = Spares()
        self.kept = KeptWorkers(kind.limits.kept, kind.limits.kept_seconds, self.dismiss)
        self.workers: set[WorkerProcess] = set()
        """Those that are wanted, including starting ones."""

        self.by_pid: dict[int, WorkerProcess] = {}
        """All processes that have not been seen to end, including those being killed."""

        self._kind = kind
        self._views = views
        self._crashes = crashes
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._warned = False
        self._none_left = asyncio.Event()

    async def start(self) -> None:
        """Starts the zygote and the first workers; raises ZygoteError if they do not start."""
        try:
            self.zygote = await self._start_zygote()
        except OSError as error:
            raise ZygoteError(f"The zygote did not start: {error}.") from error
        try:
            workers = await asyncio.gather(*(self._spawn() for _ in range(self._kind.size)))
        except WorkerRefused as refused:
            raise ZygoteError(f"A worker could not confine itself: {refused}.") from None
        except (WorkerLost, TimeoutError, OSError) as error:
            raise ZygoteError("A worker could not confine itself, and none works without that.") from error
        for worker in workers:
            self._welcome(worker)

    async def close(self) -> None:
        """Ends all processes; requests under way fail."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.spares.close()
        self._drop_workers()
        if self.zygote is not None:
            # Not asyncio.timeout: see Zygote.close.
            ended = asyncio.create_task(self._all_ended())
            await asyncio.wait([ended], timeout=_FIRST_PAUSE * 20)
            ended.cancel()
            await self.zygote.close()
            self.zygote = None

    async def _all_ended(self) -> None:
        while self.by_pid:
            self._none_left.clear()
            await self._none_left.wait()

    async def take_new(self, deadline: float) -> WorkerProcess:
        """A worker that has opened nothing; starts another in its place. TIMEOUT if there is none in time."""
        worker = await self.spares.take(deadline)
        self._run_in_background(self._bring_up())
        return worker

    def take_kept(self, holder: Holder) -> WorkerProcess | None:
        """A worker with the holder's document open; ends one whose document was written since."""
        worker = self.kept.take(holder)
        if worker is not None and not worker.document_is_as_given:
            self.dismiss(worker)
            return self.take_kept(holder)
        return worker

    def keep(self, worker: WorkerProcess, holder: Holder) -> None:
        """Keeps a worker that has answered, for its holder's next question; it may have died meanwhile."""
        if worker.exited or worker not in self.workers:
            self.end(worker, "crash")
        else:
            self.kept.put(worker, holder)

    def end(self, worker: WorkerProcess, reason: str) -> bool:
        """Kills and counts a worker; False if it went with the zygote, which counts for all of them."""
        worker.close()
        if worker not in self.workers:
            return False
        self.workers.remove(worker)
        self.restarts[reason] += 1
        return True

    def dismiss(self, worker: WorkerProcess) -> None:
        """Ends a worker that is no longer wanted: nothing is wrong with it."""
        self.workers.discard(worker)
        worker.close()

    def _welcome(self, worker: WorkerProcess) -> None:
        """Makes a new worker available, if it still lives."""
        if worker.exited:
            self._lose_spare(worker, None)
        else:
            self.spares.give(worker)

    def _lose_spare(self, worker: WorkerProcess, status: int | None) -> None:
        _LOG.error("a worker ended before it had opened anything: status %s", status)
        if self.end(worker, outcomes.reason_of_death(status)):
            self._run_in_background(self._bring_up())

    async def _bring_up(self) -> None:
        self._welcome(await _until_it_starts("a worker", self._spawn))

    async def _spawn(self) -> WorkerProcess:
        """A worker that is confined and waiting.

        Raises WorkerRefused, WorkerLost, TimeoutError or OSError if it does not start.
        """
        if self.zygote is None:
            raise WorkerLost
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003  # the standard library takes it by position
        worker = WorkerProcess(loop, ours, self._kind.limits.result_bytes + MIB)
        self.workers.add(worker)

        def adopt(pid: int, pidfd: int) -> None:
            if worker in self.workers:
                self.by_pid[pid] = worker
                worker.adopt(pidfd)
            else:
                kill(pidfd)

        try:
            with theirs:
                self.zygote.fork(theirs, adopt)
            answer = await worker.expect(loop.time() + _START_SECONDS)
            landlock = _landlock(answer)
            await asyncio.wait_for(worker.settled, _START_SECONDS)
        except BaseException:
            self.workers.discard(worker)
            worker.close()
            raise
        if not landlock and not self._warned:
            self._warned = True
            _LOG.warning("the kernel has no Landlock: only the system call filter confines workers")
        return worker

    async def _start_zygote(self) -> Zygote:
        return await Zygote.start(self._kind, self._views, self._on_exit, self._on_zygote_lost)

    def _on_exit(self, pid: int, status: int) -> None:
        worker = self.by_pid.pop(pid, None)
        if not self.by_pid:
            self._none_left.set()
        if worker is None:
            return
        worker.on_exit(status)
        if self.spares.remove(worker):
            self._lose_spare(worker, status)
        elif holder := self.kept.remove(worker):
            reason = outcomes.reason_of_death(status)
            self.end(worker, reason)
            self._crashes.tell(holder.sha256, "", reason, status=status)

    def _on_zygote_lost(self) -> None:
        """All workers died with it: their requests fail, and everything starts again."""
        _LOG.error("the zygote ended; starting it and %d workers again", self._kind.size)
        self.zygote = None
        self.restarts["zygote"] += 1
        self._drop_workers()
        for task in self._tasks:
            task.cancel()
        self._run_in_background(self._start_over())

    async def _start_over(self) -> None:
        self.zygote = await _until_it_starts("the zygote", self._start_zygote)
        for _ in range(self._kind.size):
            self._run_in_background(self._bring_up())

    def _drop_workers(self) -> None:
        """Kills all workers without replacing them."""
        self.spares.clear()
        self.kept.clear()
        workers, self.workers = self.workers, set()
        for worker in workers:
            worker.on_exit(None)
            worker.close()
        if self.zygote is None:
            self.by_pid.clear()  # nobody is left to report their ends

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        if self._closing:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _until_it_starts(what: str, start: Callable[[], Awaitable[_Started]]) -> _Started:
    """Retries until something has started."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await start()
        except (WorkerRefused, WorkerLost, ZygoteError, TimeoutError, OSError) as error:
            _LOG.error("%s did not start: %r", what, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _landlock(first: Answer) -> int:
    """The version of Landlock that confines a new worker; WorkerRefused if its first answer reports a failure."""
    if "failed" in first.header:
        raise WorkerRefused(first.header["failed"])
    version: int = first.header["landlock"]
    return version
