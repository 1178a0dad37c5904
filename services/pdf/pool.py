"""The workers as a pool, and what becomes of a request."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from services.base.errors import PapermeshError
from services.base.flow import NOBODY, Flow
from services.base.own_faults import Disk, disk_fault
from services.pdf import outcomes
from services.pdf.idle import IdleWorkers
from services.pdf.limits import Limits
from services.pdf.process import Answer, WorkerLost, WorkerProcess
from services.pdf.supervisor import Recipe, Supervisor
from services.pdf.wire import pack_request

_LOG = logging.getLogger(__name__)

Place = Callable[[Path], Awaitable[None]]
"""Puts a document at a path that does not exist yet; as a hard link where it can be one."""

WORKER_MODULE = "services.pdf.worker"


class WorkerPool:
    """Worker processes behind a fair queue. `async with` starts and ends them.

    `work_dir` belongs to this pool alone: what an earlier one left there is removed. `without_landlock` lets workers
    start on a kernel that has no Landlock; a document that takes one over could then read what the service's user can.
    """

    def __init__(
        self,
        size: int,
        work_dir: Path,
        limits: Limits,
        worker_module: str = WORKER_MODULE,
        *,
        without_landlock: bool = False,
    ) -> None:
        self.size = size
        self.limits = limits
        self._idle = IdleWorkers(limits.waiting)
        self._supervisor = Supervisor(size, Recipe(worker_module, work_dir, limits, without_landlock), self._idle)
        self._closing = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    @property
    def restarts(self) -> Counter[str]:
        """Processes replaced, by reason: memory, cpu, crash, timeout, cancelled, recycled, folder, zygote."""
        return self._supervisor.restarts

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
        return bool(self._supervisor.by_pid) and not self._closing

    async def start(self) -> None:
        """Starts all workers; raises ZygoteError when they do not come up."""
        try:
            await self._supervisor.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Ends all processes and removes their files; requests under way fail."""
        self._closing = True
        self._idle.refuse(outcomes.closing())
        await self._supervisor.close()

    async def run(
        self,
        operation: str,
        arguments: dict[str, Any],
        place: Place,
        deadline: float,
        *,
        flow: Flow = NOBODY,
        admitted: bool = False,
    ) -> Answer:
        """Has a worker do one operation on one document.

        `deadline` is a time of the loop's clock: at that moment the worker is killed, and when the caller is cancelled
        it is killed at once. `flow` is whose turn at the workers it takes. `admitted` is for a part of a request that
        has been let in before: it queues however many wait. Raises PapermeshError: what the operation answered,
        TIMEOUT, RATE_LIMIT when too many requests wait for a worker, ENGINE_FAIL when the worker died, or UNAVAILABLE
        when a document cannot be put into its folder. What else `place` raises passes through.
        """
        if self._closing:
            raise outcomes.closing()
        worker = await self._idle.take(flow, deadline, admitted=admitted)
        try:
            await place(worker.document)
        except OSError as error:
            raise self._not_placed(worker, error) from error
        except BaseException:
            worker.remove_document()
            self._supervisor.release(worker)
            raise
        try:
            answered = worker.expect(deadline)
            worker.send(pack_request({"op": operation, "args": arguments}))
            answer = await answered
        except WorkerLost as lost:
            reason = outcomes.reason_of_death(lost.status)
            self._supervisor.replace(worker, reason)
            raise outcomes.engine_failed(reason) from None
        except TimeoutError:
            self._supervisor.replace(worker, "timeout")
            raise outcomes.timed_out() from None
        except BaseException:
            self._supervisor.replace(worker, "cancelled")
            raise
        return self._finish(worker, answer)

    def _not_placed(self, worker: WorkerProcess, error: OSError) -> PapermeshError:
        """Frees the worker, or replaces it when it has lost its folder, and returns the error for the request."""
        if worker.exited:  # its folder went with it
            self._supervisor.release(worker)
            return outcomes.engine_failed("crash")
        if worker.folder.is_dir():
            worker.remove_document()
            self._supervisor.release(worker)
        else:  # it can read there and nowhere else, so a new folder would be out of its reach
            self._supervisor.replace(worker, "folder")
        return disk_fault(Disk.WORK, error)

    def _finish(self, worker: WorkerProcess, answer: Answer) -> Answer:
        """Frees the worker, or replaces it; raises the error that it answered with."""
        worker.served += 1
        header = answer.header
        crash = header.get("crash")
        if crash is not None:
            reason = "memory" if crash == "memory" else "crash"
            _LOG.error("a worker failed: %.300s", crash)
            self._supervisor.replace(worker, reason)
            raise outcomes.engine_failed(reason)
        if header.get("retire") or worker.served >= self.limits.recycle_after:
            self._supervisor.replace(worker, "recycled")
        else:
            worker.remove_document()
            self._supervisor.release(worker)
        error = header.get("error")
        if error is not None:
            raise outcomes.from_worker(error)
        return answer
