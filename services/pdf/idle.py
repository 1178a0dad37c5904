"""The workers that have nothing to do, and the requests that wait for one: first come, first served.

The line has an end: who comes when it is full is told so at once, instead of waiting for a deadline in vain.
"""

import asyncio
import contextlib
from collections import deque

from services.base.errors import PapermeshError
from services.pdf import outcomes
from services.pdf.process import WorkerProcess


class IdleWorkers:
    """A stack of workers in front of a queue of requests; at most one of the two is not empty."""

    def __init__(self, limit: int) -> None:
        """At most `limit` requests wait, not counting what is admitted already."""
        self._limit = limit
        self._counted = 0
        """Requests in the line that count towards the limit."""

        self._workers: list[WorkerProcess] = []
        """The one used last goes first: its memory is warm."""

        self._waiting: deque[asyncio.Future[WorkerProcess]] = deque()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """Requests that wait for a worker."""
        return sum(not future.done() for future in self._waiting)

    async def take(self, deadline: float, *, admitted: bool = False) -> WorkerProcess:
        """A worker, once it is this request's turn.

        Raises TIMEOUT after `deadline` (of the loop's clock), and RATE_LIMIT at once when the line is full, unless the
        request was `admitted` before: a document that is read in parts is not turned away in the middle.
        """
        if self._workers:
            return self._workers.pop()
        if admitted:
            return await self._wait(deadline)
        if self._counted >= self._limit:
            raise outcomes.busy()
        self._counted += 1
        try:
            return await self._wait(deadline)
        finally:
            self._counted -= 1

    async def _wait(self, deadline: float) -> WorkerProcess:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[WorkerProcess] = loop.create_future()
        self._waiting.append(future)
        timer = loop.call_at(deadline, _give_up, future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give(future.result())  # it came at the same moment
            raise
        finally:
            timer.cancel()
            with contextlib.suppress(ValueError):  # who has got a worker has left the line
                self._waiting.remove(future)

    def give(self, worker: WorkerProcess) -> None:
        """Hands a worker to whoever has waited longest, or keeps it."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(worker)
                return
        self._workers.append(worker)

    def remove(self, worker: WorkerProcess) -> bool:
        """Takes out one particular worker; False when it is not here."""
        if worker not in self._workers:
            return False
        self._workers.remove(worker)
        return True

    def clear(self) -> None:
        """Forgets the workers; the requests go on waiting."""
        self._workers.clear()

    def refuse(self, error: PapermeshError) -> None:
        """Ends the wait of all requests with an error."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)


def _give_up(future: asyncio.Future[WorkerProcess]) -> None:
    if not future.done():
        future.set_exception(outcomes.no_worker_in_time())
