"""The document engine: what the service asks of its workers, and how their pieces become one result.

Every result is JSON text in UTF-8, made in a worker, with all fields of the response message present.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from services.pdf.pages import PageRange, count_pages, cut_pages, parse_pages
from services.pdf.processes import outcomes
from services.pdf.processes.limits import result_too_large
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject


class Engine:
    """Answers questions about documents with the workers of `pool`.

    In each call `subject` is the document and whose call it is, and `timeout_s` is how long the caller waits, in
    seconds, for a free worker and the work together. Each raises PapermeshError: BAD_ARG for a document that is
    empty, broken, encrypted or no PDF (details.reason), TOO_LARGE over a limit, TIMEOUT, RATE_LIMIT when too many wait
    for a worker, ENGINE_FAIL when the engine crashed or ran out of memory on the document.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    async def metadata(self, subject: Subject, timeout_s: float) -> bytes:
        """GetMetadataResponse."""
        answer = await self._pool.run("metadata", {"sha256": subject.sha256}, subject, _deadline(timeout_s))
        return answer.payload

    async def outline(self, subject: Subject, timeout_s: float) -> bytes:
        """GetOutlineResponse."""
        answer = await self._pool.run("outline", {}, subject, _deadline(timeout_s))
        return answer.payload

    async def text(self, subject: Subject, pages: str, timeout_s: float) -> bytes:
        """ExtractTextResponse for `pages` ("1-3,7", empty for all): BAD_ARG on the field `pages` where it is wrong."""
        ranges = parse_pages(pages)
        deadline = _deadline(timeout_s)
        # One worker alone has nobody to share with.
        spread = self._pool.limits.part_pages if self._pool.size > 1 else self._pool.limits.sync_pages
        first = await self._read(subject, ranges, spread, deadline)
        chosen = first.header.get("spread")
        if chosen is None:
            return self._join([first])
        parts = cut_pages(_believed(chosen, self._pool.limits.sync_pages), self._pool.limits.part_pages)
        reads = (self._read(subject, part, spread, deadline, admitted=True) for part in parts)
        return self._join(await _all(*reads))

    async def _read(
        self, subject: Subject, ranges: Sequence[PageRange], spread: int, deadline: float, *, admitted: bool = False
    ) -> Answer:
        limits = self._pool.limits
        arguments = {
            "pages": ranges,
            "limit_pages": limits.sync_pages,
            "limit_bytes": limits.result_bytes,
            "spread": spread,
        }
        return await self._pool.run("text", arguments, subject, deadline, admitted=admitted)

    def _join(self, parts: Sequence[Answer]) -> bytes:
        """One ExtractTextResponse out of the pieces, by their bytes."""
        limit = self._pool.limits.result_bytes
        if sum(len(part.payload) for part in parts) > limit:
            raise result_too_large(limit)
        try:
            pages = int(parts[0].header["pages"])
            cuts = [int(part.header["items"]) for part in parts]
        except (KeyError, TypeError, ValueError):
            raise outcomes.engine_failed("crash") from None
        items = b",".join(part.payload[:cut] for part, cut in zip(parts, cuts, strict=True) if cut)
        failures = b",".join(
            part.payload[cut:] for part, cut in zip(parts, cuts, strict=True) if len(part.payload) > cut
        )
        return b'{"items":[%b],"pages":%d,"failures":[%b]}' % (items, pages, failures)


def _believed(chosen: Any, most: int) -> list[PageRange]:
    """The pages that a request is about, by what a worker says: at most `most`.

    Raises PapermeshError: ENGINE_FAIL for any other words. Workers are not trusted, and each few pages become a task.
    """
    try:
        ranges = [(int(first), int(last)) for first, last in chosen]
    except (TypeError, ValueError):
        ranges = []
    if any(last < first for first, last in ranges) or not 0 < count_pages(ranges) <= most:
        raise outcomes.engine_failed("crash")
    return ranges


def _deadline(timeout_s: float) -> float:
    return asyncio.get_running_loop().time() + timeout_s


async def _all(*reads: Coroutine[Any, Any, Answer]) -> list[Answer]:
    """The results of all, in order; when one fails the others are stopped before its error is raised."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
