"""A pool for each kind of worker, started with the service or by the first request that needs it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

from services.base.errors import PapermeshError
from services.pdf.operations import Step
from services.pdf.processes import outcomes
from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.processes.zygote import ZygoteError

_LOG = logging.getLogger(__name__)


class Pools:
    """The workers of all `kinds`, which know `operations`. `async with` starts and ends them.

    `work_dir` belongs to this service process alone: it removes what an earlier one left there.
    """

    def __init__(self, kinds: Iterable[Kind], operations: Iterable[Step], work_dir: Path) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._views: defaultdict[str, dict[str, View]] = defaultdict(dict)
        for each in operations:
            self._views[each.kind][each.name] = each.for_workers()
        if unknown := self._views.keys() - self._kinds.keys():
            raise ValueError(f"no such kind of worker: {', '.join(sorted(unknown))}")
        self._work_dir = work_dir
        self._started: dict[str, asyncio.Task[WorkerPool]] = {}
        self._started_soon: dict[str, asyncio.Task[None]] = {}
        self._up = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for left in self._work_dir.glob("document-*"):
            left.unlink()
        try:
            for kind in self._kinds.values():
                if kind.starts_with_service:
                    await self._start(kind.name)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Ends all processes; requests under way fail."""
        starting = [*self._started.values(), *self._started_soon.values()]
        for each in starting:
            each.cancel()  # nothing happens to one that is done
        await asyncio.gather(*starting, return_exceptions=True)
        await self._up.aclose()

    @property
    def is_ready(self) -> bool:
        """Whether every kind that starts with the service has at least one live worker."""
        return all(_is_up(self._started.get(kind.name)) for kind in self._kinds.values() if kind.starts_with_service)

    def missing(self, kind: str) -> str:
        """Why a kind cannot work here, as a sentence that says what to do about it; empty if it can."""
        return self._kinds[kind].missing

    def start_soon(self, kind: str) -> None:
        """Starts a kind in the background, at the first such call, so that its first request need not wait for it.

        If it does not start, the log says so, and its first request tries again.
        """
        if kind not in self._started_soon:
            self._started_soon[kind] = asyncio.create_task(self._try(kind))

    async def _try(self, kind: str) -> None:
        with suppress(PapermeshError):  # whoever asks for it is told
            await self.of(kind, None)

    async def run(self, step: str, arguments: dict[str, Any], subject: Subject, deadline: float) -> Answer:
        """Has a worker of the kind that a step needs do it; raises PapermeshError as `of` and `WorkerPool.run` do."""
        kind = next(kind for kind, views in self._views.items() if step in views)
        pool = await self.of(kind, deadline)
        return await pool.run(step, arguments, subject, deadline)

    async def of(self, kind: str, deadline: float | None) -> WorkerPool:
        """The pool of a kind. If it is not there yet, starts it, once for all who wait for it.

        Raises TIMEOUT if it is not up by `deadline` (of the loop's clock; None for whoever has time), and ENGINE_FAIL
        if it does not start or is `missing`.
        """
        if why := self.missing(kind):
            raise outcomes.not_available(why)
        starting = self._start(kind)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(starting)  # whoever leaves takes it from nobody else
        except TimeoutError:
            raise outcomes.no_worker_in_time() from None
        except ZygoteError as error:
            _LOG.error("the %s workers did not start: %s", kind, error)
            if self._started.get(kind) is starting:
                del self._started[kind]  # the next request tries again
            raise outcomes.not_started() from None

    def _start(self, kind: str) -> asyncio.Task[WorkerPool]:
        if kind not in self._started:
            pool = WorkerPool(self._kinds[kind], self._views[kind], self._work_dir)
            self._started[kind] = asyncio.create_task(self._up.enter_async_context(pool))
        return self._started[kind]


def _is_up(started: asyncio.Task[WorkerPool] | None) -> bool:
    return started is not None and started.done() and not started.exception() and started.result().is_ready
