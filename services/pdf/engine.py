"""The document engine: what the service asks of its workers, and how their pieces become one result.

Every result is JSON text in UTF-8, made in a worker, with all fields of the response message present.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from services.base.errors import Code, PapermeshError
from services.pdf.operations import Operation, Pages
from services.pdf.pages import PageRange, Paging, cut_pages, parse_pages
from services.pdf.parts import Lists, Wanted, believed_pages, join, page_count, pieces
from services.pdf.processes import outcomes
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.processes.wire import CONTENT
from services.pdf.recognition import Pending, Recognised, Recognition

_MARGIN_S = 1.0
"""How long before the caller's deadline recognition must be done, so that what was read still becomes an answer."""

_MARGIN_SHARE = 0.25
"""The most of a short deadline that this takes."""


class Result(NamedTuple):
    """The answer to a request."""

    json: bytes
    """The response as JSON text."""

    is_partial: bool = False
    """Whether asking again can give more: pages are still to be recognised."""


class Engine:
    """Answers questions about documents, with the workers of `pools`."""

    def __init__(self, pools: Pools, recognition: Recognition) -> None:
        self._pools = pools
        self._recognition = recognition

    async def answer(self, operation: Operation, request: Any, subject: Subject, timeout_s: float) -> Result:
        """The response to a request of the operation's method.

        `subject` is the document and whose call it is. `timeout_s` is how many seconds the caller waits for a free
        worker and the work together. Raises PapermeshError: BAD_ARG for a document that is empty, broken, encrypted or
        not a PDF (details.reason) and for wrong `pages`, TOO_LARGE over a limit, TIMEOUT, RATE_LIMIT when too many wait
        for a worker, ENGINE_FAIL when the engine crashed or ran out of memory on the document.
        """
        now = asyncio.get_running_loop().time()
        deadline = now + timeout_s
        arguments = self._recognition.allowed(operation.arguments(request, subject))
        pages = operation.pages
        if pages is None:
            pool = await self._pools.of(operation.kind, deadline)
            return Result((await pool.run(operation.name, arguments, subject, deadline)).payload)
        ranges = parse_pages(request.pages)
        pool = await self._pools.of(operation.kind, deadline)
        ask = _Ask(pool=pool, operation=operation, pages=pages, arguments=arguments, subject=subject, deadline=deadline)
        answers = await ask.all(ranges)
        found = pieces(answers, pages.in_call)
        wanted = [piece for piece in found if isinstance(piece, Wanted)]
        recognised: Mapping[int, Recognised] = {}
        if wanted:
            until = deadline - min(_MARGIN_S, _MARGIN_SHARE * timeout_s)
            recognised = await self._recognition.recognise(wanted, arguments["languages"], subject, until)
        of_page = await ask.with_recognised(recognised) if recognised else {}
        lists = [of_page[piece.page] if isinstance(piece, Wanted) else piece for piece in found]
        json = join(operation.method.output_type, page_count(answers[0]), lists, pool.limits.result_bytes)
        return Result(json, any(map(_may_change, recognised.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """One request about pages, asked of workers in one go or in parts."""

    pool: WorkerPool
    operation: Operation
    pages: Pages
    arguments: dict[str, Any]
    subject: Subject
    deadline: float

    async def all(self, ranges: Sequence[PageRange]) -> list[Answer]:
        """The answers for the pages, in order; for the whole document if there are no `ranges`."""
        # One worker alone has nobody to share with.
        spread = self.pages.in_part if self.pool.size > 1 else self.pages.in_call
        first = await self._read(ranges, spread=spread)
        chosen = first.header.get("spread")
        if chosen is None:
            return [first]
        parts = cut_pages(believed_pages(chosen, self.pages.in_call), self.pages.in_part)
        return await _all(*(self._read(part, spread=spread, admitted=True) for part in parts))

    async def with_recognised(self, recognised: Mapping[int, Recognised]) -> dict[int, Lists]:
        """What each of these pages adds now that it is recognised, or says why it is not."""
        found: dict[int, Lists] = {
            page: {"failures": _failure(page, each)}
            for page, each in recognised.items()
            if isinstance(each, PapermeshError)
        }
        read = {page: each for page, each in sorted(recognised.items()) if isinstance(each, bytes)}
        parts = cut_pages([(page, page) for page in read], self.pages.in_part)
        answers = await _all(
            *(
                self._read(
                    part,
                    spread=len(read),
                    admitted=True,
                    apart=True,
                    content=b"{%b}" % b",".join(b'"%d":%b' % (page, read[page]) for page, _ in part),
                )
                for part in parts
            )
        )
        lists = [piece for piece in pieces(answers, 0) if not isinstance(piece, Wanted)]
        if len(lists) != len(read):
            raise outcomes.engine_failed("crash")
        return found | dict(zip(read, lists, strict=True))

    async def _read(
        self,
        ranges: Sequence[PageRange],
        *,
        spread: int,
        admitted: bool = False,
        apart: bool = False,
        content: bytes = b"",
    ) -> Answer:
        paging: Paging = {
            "ranges": ranges,
            "in_call": self.pages.in_call,
            "spread": spread,
            "apart": apart,
            "result_bytes": self.pool.limits.result_bytes,
        }
        asked = self.arguments | {"paging": paging} | ({CONTENT: content} if content else {})
        return await self.pool.run(self.operation.name, asked, self.subject, self.deadline, admitted=admitted)


_REASONS = {Code.TOO_LARGE: "TOO_LARGE", Code.BAD_ARG: "BROKEN"}
"""What a page's own errors are called in its failure; they stay the same however often one asks."""


def _may_change(recognised: Recognised) -> bool:
    """Whether asking again may give more of this page."""
    return isinstance(recognised, PapermeshError) and recognised.code not in _REASONS


def _failure(page: int, error: PapermeshError) -> bytes:
    """A page that could not be recognised, as PageFailure in JSON."""
    reason = "OCR_PENDING" if isinstance(error, Pending) else _REASONS.get(error.code, "OCR_FAILED")
    return orjson.dumps({"page": page, "reason": reason, "message": error.message})


async def _all(*reads: Coroutine[Any, Any, Answer]) -> list[Answer]:
    """All results, in order; if one fails, the others are stopped before its error is raised."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
