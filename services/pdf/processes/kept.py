"""The workers kept for their holders, each for the next question about the one document that it has opened.

So a worker that a document has taken over sees no other document and no other person's question. And whoever asks
about one document again and again, or reads it in parts, pays for only one process.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from services.pdf.processes.process import WorkerProcess
from services.pdf.processes.subject import Holder


class KeptWorkers:
    """At most `limit` idle workers, each for `seconds`; `end` ends one that is no longer kept."""

    def __init__(self, limit: int, seconds: float, end: Callable[[WorkerProcess], None]) -> None:
        self._limit = limit
        self._seconds = seconds
        self._end = end
        # Dictionaries keep the order of insertion: the first has been here the longest.
        self._workers: dict[WorkerProcess, tuple[Holder, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        return len(self._workers)

    def take(self, holder: Holder) -> WorkerProcess | None:
        """This holder's most recently used worker: its memory is warm."""
        for worker, (whose, _) in reversed(self._workers.items()):
            if whose == holder:
                self.remove(worker)
                return worker
        return None

    def put(self, worker: WorkerProcess, holder: Holder) -> None:
        """Keeps a worker. If there are too many, ends the oldest of whoever has the most."""
        timer = asyncio.get_running_loop().call_later(self._seconds, self._drop, worker)
        self._workers[worker] = holder, timer
        if len(self._workers) > self._limit:
            self._drop(self._one_too_many())

    def remove(self, worker: WorkerProcess) -> Holder | None:
        """Takes out a particular worker and returns its holder; None if it is not here."""
        if worker not in self._workers:
            return None
        holder, timer = self._workers.pop(worker)
        timer.cancel()
        return holder

    def clear(self) -> None:
        """Forgets all of them."""
        for worker in list(self._workers):
            self.remove(worker)

    def _one_too_many(self) -> WorkerProcess:
        """By client first, like turns: anybody can invent actors without end."""
        flows = [holder.flow for holder, _ in self._workers.values()]
        of_client, of_flow = Counter(flow.client for flow in flows), Counter(flows)

        def share(worker: WorkerProcess) -> tuple[int, int]:
            flow = self._workers[worker][0].flow
            return of_client[flow.client], of_flow[flow]

        return max(self._workers, key=share)

    def _drop(self, worker: WorkerProcess) -> None:
        self.remove(worker)
        self._end(worker)
