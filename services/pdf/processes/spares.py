"""The workers that have opened nothing yet: forked and confined ahead, so that no call waits for that."""

import asyncio

from services.pdf.processes import outcomes
from services.pdf.processes.process import WorkerProcess


class Spares:
    """New workers, and the requests that wait for one. First come, first served: they have had their turn."""

    def __init__(self) -> None:
        self._workers: list[WorkerProcess] = []
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._workers)

    async def take(self, deadline: float) -> WorkerProcess:
        """A worker that has opened nothing; TIMEOUT if none is ready by `deadline` (of the loop's clock)."""
        try:
            async with asyncio.timeout_at(deadline), self._line:
                while not self._workers:
                    if self._closed:
                        raise outcomes.closing()
                    self._changed.clear()
                    await self._changed.wait()
                return self._workers.pop(0)
        except TimeoutError:
            raise outcomes.no_worker_in_time() from None

    def give(self, worker: WorkerProcess) -> None:
        """Gives a new worker to whoever has waited longest."""
        self._workers.append(worker)
        self._changed.set()

    def remove(self, worker: WorkerProcess) -> bool:
        """Takes out a particular worker; False if it is not here."""
        if worker not in self._workers:
            return False
        self._workers.remove(worker)
        return True

    def clear(self) -> None:
        """Forgets the workers; the requests keep waiting."""
        self._workers.clear()

    def close(self) -> None:
        """Ends all waits."""
        self._closed = True
        self._changed.set()
