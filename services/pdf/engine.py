"""The document engine: what the service asks of its workers, and how their pieces become one result.

Every result is JSON text in UTF-8, made in a worker, with all fields of the response message present.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from services.pdf.operations import Operation
from services.pdf.pages import PageRange, Paging, cut_pages, parse_pages
from services.pdf.parts import believed_pages, join
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject


class Engine:
    """Answers questions about documents, with the workers of `pools`."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def answer(self, operation: Operation, request: Any, subject: Subject, timeout_s: float) -> bytes:
        """The response to a request of the operation's method, as JSON.

        `subject` is the document and whose call it is. `timeout_s` is how many seconds the caller waits for a free
        worker and the work together. Raises PapermeshError: BAD_ARG for a document that is empty, broken, encrypted or
        not a PDF (details.reason) and for wrong `pages`, TOO_LARGE over a limit, TIMEOUT, RATE_LIMIT when too many wait
        for a worker, ENGINE_FAIL when the engine crashed or ran out of memory on the document.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        arguments = operation.arguments(request, subject)
        pages = operation.pages
        if pages is None:
            pool = await self._pools.of(operation.kind, deadline)
            return (await pool.run(operation.name, arguments, subject, deadline)).payload
        ranges = parse_pages(request.pages)
        pool = await self._pools.of(operation.kind, deadline)

        paging: Paging = {
            "ranges": ranges,
            "in_call": pages.in_call,
            # One worker alone has nobody to share with.
            "spread": pages.in_part if pool.size > 1 else pages.in_call,
            "result_bytes": pool.limits.result_bytes,
        }

        async def read(part: Sequence[PageRange], *, admitted: bool = False) -> Answer:
            asked = {**arguments, "paging": {**paging, "ranges": part}}
            return await pool.run(operation.name, asked, subject, deadline, admitted=admitted)

        first = await read(ranges)
        chosen = first.header.get("spread")
        answers = [first]
        if chosen is not None:
            parts = cut_pages(believed_pages(chosen, pages.in_call), pages.in_part)
            answers = await _all(*(read(part, admitted=True) for part in parts))
        return join(operation.method.output_type, answers, pool.limits.result_bytes)


async def _all(*reads: Coroutine[Any, Any, Answer]) -> list[Answer]:
    """All results, in order; if one fails, the others are stopped before its error is raised."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
