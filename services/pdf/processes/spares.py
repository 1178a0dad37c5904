"""The workers that have opened nothing yet: forked and locked in ahead, so that no call waits for that."""

import asyncio
from collections import deque

from services.base.errors import PapermeshError
from services.pdf.processes import outcomes
from services.pdf.processes.process import WorkerProcess


class Spares:
    """New workers in front of the requests that wait for one, first come, first served: they have had their turn."""

    def __init__(self) -> None:
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[asyncio.Future[WorkerProcess]] = deque()

    def __len__(self) -> int:
        return len(self._workers)

    async def take(self, deadline: float) -> WorkerProcess:
        """A worker that has opened nothing; TIMEOUT when none was ready by `deadline` (of the loop's clock)."""
        if self._workers:
            return self._workers.pop(0)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[WorkerProcess] = loop.create_future()
        timer = loop.call_at(deadline, _end, future, outcomes.no_worker_in_time())
        self._waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give(future.result())  # it came at the same moment
            raise
        finally:
            timer.cancel()
            if future in self._waiting:
                self._waiting.remove(future)

    def give(self, worker: WorkerProcess) -> None:
        """Hands a new worker to whoever waits longest, or keeps it."""
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
            _end(self._waiting.popleft(), error)


def _end(future: asyncio.Future[WorkerProcess], error: PapermeshError) -> None:
    if not future.done():
        future.set_exception(error)
