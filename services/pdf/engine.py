"""The document engine: what the service asks of its workers to answer a question about a document.

Every result is JSON text in UTF-8, made in a worker, with all fields of the response message present.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.base.errors import Code, PapermeshError
from services.pdf.layout_boxes import LayoutBoxes
from services.pdf.operations import Operation, Pages
from services.pdf.pages import parse_pages
from services.pdf.parts import believed_pages
from services.pdf.processes import outcomes
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.reader import OCR_PENDING, Read, Reader, Wish
from services.pdf.recognition import Recognition

_MOST_NEEDED = 500
"""Pages that a view of a whole document may need."""

_MOST_OF_TIME = 0.6
"""Of what is left until the deadline, for reading them."""


class Result(NamedTuple):
    """The answer to a request."""

    json: bytes
    """The response as JSON text."""

    is_partial: bool = False
    """Whether asking again can give more: pages are still to be recognised."""


class Engine:
    """Answers questions about documents: views made by the workers of `pools`, of pages that `reader` has read."""

    def __init__(self, pools: Pools, recognition: Recognition, reader: Reader) -> None:
        self._pools = pools
        self._recognition = recognition
        self._reader = reader
        self._layout_boxes = LayoutBoxes(pools, reader.readings)

    async def answer(self, operation: Operation, request: Any, subject: Subject, timeout_s: float) -> Result:
        """The response to a request of the operation's method.

        `subject` is the document and whose call it is. `timeout_s` is how many seconds the caller waits for a free
        worker and the work together. Raises PapermeshError: BAD_ARG for a document that is empty, broken, encrypted or
        not a PDF (details.reason) and for wrong `pages`, TOO_LARGE over a limit and, for a view of all pages at once,
        as long as some are not recognised (details.reason "ocr_pending"), TIMEOUT, RATE_LIMIT when too many wait for a
        worker, ENGINE_FAIL when the engine crashed or ran out of memory on the document.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        arguments = self._recognition.allowed(operation.arguments(request, subject))
        asking = _Asking(self._pools, operation, arguments, subject, deadline)
        pages = operation.pages
        if by_model := operation.by_model is not None and request.mode == "model":
            self._layout_boxes.prepare()
            pages = operation.by_model
        if pages is None:
            answer = await asking.ask()
            if not answer.header.keys() & {"needs", "unfit"}:
                return Result(answer.payload)
            wish, with_scans = _needed(answer, arguments, deadline), answer.header.get("with_scans") is not False
        else:
            wish, with_scans = _wished(pages, request, arguments), False
        read = await self._read(wish, subject, deadline, by_model=by_model)
        if pages is not None and pages.all_at_once:
            check_recognised(read)
        answer = await asking.ask(read, with_scans=with_scans)
        if unfit := answer.header.get("unfit"):  # a document that once took a worker over can have had such kept
            read = await self._read(wish, subject, deadline, by_model=by_model, unfit=_numbers(unfit))
            answer = await asking.ask(read, with_scans=with_scans)
        if answer.header.keys() & {"unfit", "needs"}:
            raise outcomes.engine_failed("crash")
        return Result(answer.payload, read.is_partial)

    async def _read(
        self, wish: Wish, subject: Subject, deadline: float, *, by_model: bool, unfit: Sequence[int] = ()
    ) -> Read:
        """What stands on the pages, and where the layout model sees blocks if the view is made `by_model`."""
        read = await self._reader.read(wish, subject, deadline, unfit=unfit)
        if by_model:
            await self._layout_boxes.add(read, subject, deadline)
        return read


class _Asking(NamedTuple):
    """One request, asked of a worker."""

    pools: Pools
    operation: Operation
    arguments: dict[str, Any]
    subject: Subject
    deadline: float

    async def ask(self, read: Read | None = None, *, with_scans: bool = False) -> Answer:
        """A worker's answer, with what was read of the document if it needs that."""
        pool = await self.pools.of(self.operation.kind, self.deadline)
        given = read.arguments(with_scans=with_scans) if read else {}
        admitted = read is not None and read.by_workers
        asked = self.arguments | given
        return await pool.run(self.operation.name, asked, self.subject, self.deadline, admitted=admitted)


def _wished(pages: Pages, request: Any, arguments: dict[str, Any]) -> Wish:
    """The pages that the caller asks for; BAD_ARG if they cannot be read."""
    return Wish(
        ranges=parse_pages(request.pages),
        most=pages.in_call,
        in_part=pages.in_part,
        ocr=arguments["ocr"],
        languages=arguments["languages"],
    )


def _needed(answer: Answer, arguments: dict[str, Any], deadline: float) -> Wish:
    """The pages that a view of a whole document needs, as far as they are read before it must be made."""
    seconds = answer.header.get("seconds")
    if not isinstance(seconds, float):
        raise outcomes.engine_failed("crash")
    ranges = believed_pages(answer.header.get("needs"), _MOST_NEEDED)
    now = asyncio.get_running_loop().time()
    return Wish(
        ranges=ranges,
        most=_MOST_NEEDED,
        in_part=Pages().in_part,
        ocr=arguments.get("ocr", "never"),
        languages=arguments.get("languages", ()),
        until=now + min(seconds, _MOST_OF_TIME * (deadline - now)),
    )


def check_recognised(read: Read) -> None:
    """Raises TOO_LARGE if pages are still to be recognised, because what they say could change all the rest."""
    pending = [page for page, failure in read.failures.items() if failure["reason"] == OCR_PENDING]
    if pending:
        message = (
            f"{len(pending)} of the pages are pictures of text that were not read before the deadline, page "
            f"{min(pending)} the first of them, and this needs them all. The same call again goes on with them; or ask "
            'for fewer pages, or leave the pictures aside with ocr "never".'
        )
        raise PapermeshError(Code.TOO_LARGE, message, details={"reason": "ocr_pending"})


def _numbers(said: Any) -> list[int]:
    if not isinstance(said, list):
        raise outcomes.engine_failed("crash")
    return [each for each in said if isinstance(each, int)]
