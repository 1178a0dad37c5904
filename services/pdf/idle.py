"""The workers that have nothing to do, and the requests that wait for one, by turns (`turns.py`).

There is room for so many requests: who comes when it is full is told so at once, instead of waiting for a deadline in
vain, unless somebody with a longer line has to give way.
"""

import asyncio

from services.base.errors import PapermeshError
from services.base.flow import Flow
from services.pdf import outcomes
from services.pdf.process import WorkerProcess
from services.pdf.turns import Request, Turns


class IdleWorkers:
    """A stack of workers in front of the requests that wait; at most one of the two is not empty."""

    def __init__(self, limit: int) -> None:
        """At most `limit` requests wait, not counting what is admitted already."""
        self._limit = limit
        self._counted = 0
        """Requests that wait and take room."""

        self._workers: list[WorkerProcess] = []
        """The one used last goes first: its memory is warm."""

        self._turns = Turns()
        self._at_work: dict[WorkerProcess, Flow] = {}

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """Requests that wait for a worker."""
        return len(self._turns)

    async def take(self, flow: Flow, deadline: float, *, admitted: bool = False) -> WorkerProcess:
        """A worker, once it is the flow's turn.

        Raises TIMEOUT after `deadline` (of the loop's clock), and RATE_LIMIT as soon as there is no room, unless the
        request was `admitted` before: a document that is read in parts is not turned away in the middle.
        """
        if self._workers:
            worker = self._workers.pop()
            self._turns.begin(flow)
            self._at_work[worker] = flow
            return worker
        loop = asyncio.get_running_loop()
        request = Request(flow, loop.create_future(), counted=not admitted)
        if request.counted:
            self._make_room(flow)
            self._counted += 1
        self._turns.add(request)
        timer = loop.call_at(deadline, self._end, request, outcomes.no_worker_in_time())
        try:
            return await request.worker
        except asyncio.CancelledError:
            if request.worker.done() and not request.worker.cancelled() and request.worker.exception() is None:
                self.give(request.worker.result())  # it came at the same moment
            raise
        finally:
            timer.cancel()
            self._leave(request)

    def give(self, worker: WorkerProcess) -> None:
        """Hands a worker to whoever is next, or keeps it."""
        self.forget(worker)
        while request := self._turns.next():
            if request.worker.done():  # its caller left in this very turn of the loop
                self._turns.end(request.flow)
                continue
            self._at_work[worker] = request.flow
            request.worker.set_result(worker)
            return
        self._workers.append(worker)

    def forget(self, worker: WorkerProcess) -> None:
        """Counts a worker as nobody's: it has ended its request, or itself."""
        flow = self._at_work.pop(worker, None)
        if flow is not None:
            self._turns.end(flow)

    def remove(self, worker: WorkerProcess) -> bool:
        """Takes out one particular worker; False when it is not here."""
        if worker not in self._workers:
            return False
        self._workers.remove(worker)
        return True

    def clear(self) -> None:
        """Forgets the workers that have nothing to do; the requests go on waiting."""
        self._workers.clear()

    def refuse(self, error: PapermeshError) -> None:
        """Ends the wait of all requests with an error."""
        while request := self._turns.next():
            self._turns.end(request.flow)
            self._end(request, error)

    def _make_room(self, flow: Flow) -> None:
        if self._counted < self._limit:
            return
        last = self._turns.gives_way(flow)
        if last is None:
            raise outcomes.busy()
        self._end(last, outcomes.busy())

    def _end(self, request: Request, error: PapermeshError) -> None:
        if not request.worker.done():
            request.worker.set_exception(error)
        self._leave(request)

    def _leave(self, request: Request) -> None:
        """Takes a request out of the line, and gives back its room; more than once does no harm."""
        self._turns.remove(request)
        if request.counted:
            request.counted = False
            self._counted -= 1
