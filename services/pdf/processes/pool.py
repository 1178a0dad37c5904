"""The workers as a pool, and how a request goes through it."""

import itertools
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from services.base.flow import Flow
from services.base.own_faults import Disk, disk_fault
from services.pdf.processes import outcomes
from services.pdf.processes.crashes import Crashes
from services.pdf.processes.fair_queue import FairQueue
from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.process import Answer, WorkerLost, WorkerProcess
from services.pdf.processes.subject import Subject
from services.pdf.processes.supervisor import Supervisor
from services.pdf.processes.wire import pack_request


@dataclass(frozen=True, slots=True)
class _Request:
    """One operation on one document."""

    operation: str
    arguments: dict[str, Any]
    subject: Subject
    deadline: float
    believed: Callable[[bytes], bool]
    """Whether this can be the answer's payload."""


class WorkerPool:
    """Workers of one kind behind a fair queue, each for one document of one caller. `async with` starts and ends them.

    `views` are what they can be asked, by operation name; `work_dir` is where documents are placed.
    """

    def __init__(self, kind: Kind, views: Mapping[str, View], work_dir: Path) -> None:
        self.size = kind.size
        self.limits = kind.limits
        self._views = views
        self._work_dir = work_dir
        self._names = (f"document-{kind.name}-{number}.pdf" for number in itertools.count(1))
        self._places = FairQueue(kind.size, kind.limits.waiting)
        self._crashes = Crashes()
        self._supervisor = Supervisor(kind, views, self._crashes)
        self._closing = False

    async def __aenter__(self) -> Self:
        """Starts all workers; raises ZygoteError if they do not start."""
        self._work_dir.mkdir(parents=True, exist_ok=True)
        try:
            await self._supervisor.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Ends all processes; requests under way fail."""
        self._closing = True
        self._places.refuse(outcomes.closing())
        await self._supervisor.close()
        self._crashes.close()

    @property
    def restarts(self) -> Counter[str]:
        """Processes that ended or were ended, by reason: memory, cpu, crash, timeout, cancelled, worn, zygote."""
        return self._supervisor.restarts

    @property
    def is_ready(self) -> bool:
        """Whether at least one worker lives."""
        return bool(self._supervisor.by_pid) and not self._closing

    async def run(
        self, operation: str, arguments: dict[str, Any], subject: Subject, deadline: float, *, admitted: bool = False
    ) -> Answer:
        """Has a worker do one operation on one document: a worker that has opened only this document, for this flow.

        At `deadline`, a time of the loop's clock, the worker is killed; if the caller is cancelled, at once. `admitted`
        is for a part of a request that was let in before: it queues however many wait. Raises PapermeshError: what the
        operation answered, TIMEOUT, RATE_LIMIT when too many requests wait for a worker, ENGINE_FAIL when the worker
        died, or UNAVAILABLE when a document cannot be placed for opening. Anything else that `subject.place` raises
        passes through.
        """
        async with self.turn(subject.flow, deadline, admitted=admitted):
            return await self.ask(operation, arguments, subject, deadline)

    @asynccontextmanager
    async def turn(self, flow: Flow, deadline: float, *, admitted: bool = False) -> AsyncIterator[None]:
        """Takes a place for the block once it is the flow's turn: TIMEOUT after `deadline`, RATE_LIMIT as in `run`."""
        if self._closing:
            raise outcomes.closing()
        await self._places.take(flow, deadline, admitted=admitted)
        try:
            yield
        finally:
            self._places.give(flow)

    async def ask(
        self,
        operation: str,
        arguments: dict[str, Any],
        subject: Subject,
        deadline: float,
        *,
        believed: Callable[[bytes], bool] = lambda _payload: True,
    ) -> Answer:
        """What `run` does once it is the request's `turn`. An answer that is not `believed` is a crash."""
        request = _Request(operation, arguments, subject, deadline, believed)
        worker = self._supervisor.take_kept(subject.holder) if subject.holder else None
        if worker is None and self._views[request.operation].content:
            worker = await self._supervisor.take_new(request.deadline)
        if worker is not None:
            return await self._ask(worker, request)
        path = self._work_dir / next(self._names)
        try:
            document = await self._open(subject, path)
            try:
                # Last, for it is taken for good.
                worker = await self._supervisor.take_new(request.deadline)
            except BaseException:
                os.close(document)
                raise
            return await self._ask(worker, request, document)
        finally:
            with suppress(OSError):  # what a failing folder leaves here goes when the service restarts
                path.unlink()

    async def _open(self, subject: Subject, path: Path) -> int:
        try:
            self._work_dir.mkdir(mode=0o700, exist_ok=True)  # somebody may have removed it
            await subject.place(path)
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise disk_fault(Disk.WORK, error) from error

    async def _ask(self, worker: WorkerProcess, request: _Request, document: int = -1) -> Answer:
        """Asks a worker; a new one gets the descriptor of its document, if it has one, for good."""
        try:
            answered = worker.expect(request.deadline)
            password = "" if self._views[request.operation].content else request.subject.password
            asked = pack_request(request.operation, request.arguments, password)
            worker.send(asked, document)
            answer = await answered
        except WorkerLost as lost:
            reason = outcomes.reason_of_death(lost.status)
            if self._supervisor.end(worker, reason):
                self._tell(request, reason, status=lost.status)
            raise outcomes.engine_failed(reason) from None
        except TimeoutError:
            self._supervisor.end(worker, "timeout")
            raise outcomes.timed_out() from None
        except BaseException:
            self._supervisor.end(worker, "cancelled")
            raise
        return self._finish(worker, request, answer)

    def _finish(self, worker: WorkerProcess, request: _Request, answer: Answer) -> Answer:
        """Keeps or ends the worker; raises the error that it answered with."""
        header = answer.header
        error, crash = header.get("error"), header.get("crash")
        if crash is None and error is None and not request.believed(answer.payload):
            crash = "not believed"
        if crash is not None:
            reason = "memory" if crash == "memory" else "crash"
            self._supervisor.end(worker, reason)
            self._tell(request, reason, origin=str(crash))
            raise outcomes.engine_failed(reason)
        if header.get("retire"):
            self._supervisor.end(worker, "worn")
        elif holder := request.subject.holder:
            self._supervisor.keep(worker, holder)
        else:
            self._supervisor.dismiss(worker)
        if error is not None:
            raise outcomes.from_worker(error)
        return answer

    def _tell(self, request: _Request, reason: str, *, status: int | None = None, origin: str = "") -> None:
        subject = request.subject
        self._crashes.tell(
            subject.sha256, request.operation, reason, request_id=subject.request_id, status=status, origin=origin
        )
