"""What changed between two documents: both are read, then a worker compares what was read. It opens neither."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from papermesh.pdf.v1 import diff_pb2
from services.base.errors import Code, FieldViolation, PapermeshError
from services.pdf.engine import Result, check_recognised
from services.pdf.operations import COMPARE, LANGUAGES, LOOK, Pages
from services.pdf.pages import parse_pages
from services.pdf.processes import outcomes
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.processes.wire import CONTENT
from services.pdf.reader import Read, Reader, Wish, all_of
from services.pdf.recognition import Recognition

_SIDES = ("left", "right")


class Comparison:
    """Compares documents with the workers of `pools`, which take what `reader` has read."""

    def __init__(self, pools: Pools, recognition: Recognition, reader: Reader, engine: str) -> None:
        """`engine` is the version that stands in each answer."""
        self._pools = pools
        self._recognition = recognition
        self._reader = reader
        self._engine = engine

    async def answer(
        self, request: diff_pb2.DiffRequest, documents: tuple[Subject, Subject], timeout_s: float
    ) -> Result:
        """DiffResponse for the left and the right document.

        Raises PapermeshError as `Engine.answer` does; TOO_LARGE with the reason `ocr_pending` while pages of either are
        still to be recognised: what is not read cannot be compared.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        reading = self._recognition.allowed({"ocr": "auto", "languages": LANGUAGES})
        wishes = [_wish(side, getattr(request, f"{side}_pages"), reading) for side in _SIDES]
        arguments = self._arguments(request, documents)
        unfit: Sequence[Sequence[int]] = ((), ())
        for _ in range(2):  # a document that once took a worker over can have had readings kept that are none
            reads = await self._read(wishes, documents, deadline, unfit)
            seen = await self._look(request, wishes, documents, deadline)
            answer = await self._compare(arguments | {"pictures": seen}, reads, documents, deadline)
            if "unfit" not in answer.header:
                return Result(answer.payload)
            unfit = _believed(answer.header["unfit"])
        raise outcomes.engine_failed("crash")

    def _arguments(self, request: diff_pb2.DiffRequest, documents: tuple[Subject, Subject]) -> dict[str, Any]:
        return {
            "mode": request.mode or "both",
            "granularity": request.granularity or "word",
            "output": request.output or "full",
            "ignore": sorted(request.ignore),
            "max_changes": request.max_changes or 2000,
            "sha256": [each.sha256 for each in documents],
            "engine": self._engine,
        }

    async def _read(
        self,
        wishes: Sequence[Wish],
        documents: tuple[Subject, Subject],
        deadline: float,
        unfit: Sequence[Sequence[int]],
    ) -> list[Read]:
        async def read(side: str, wish: Wish, document: Subject, pages: Sequence[int]) -> Read:
            with _about(side):
                found = await self._reader.read(wish, document, deadline, unfit=pages)
                check_recognised(found)
                return found

        return await all_of(*(read(*each) for each in zip(_SIDES, wishes, documents, unfit, strict=True)))

    async def _look(
        self, request: diff_pb2.DiffRequest, wishes: Sequence[Wish], documents: tuple[Subject, Subject], deadline: float
    ) -> dict[str, Any]:
        """What the pictures of both documents look like; nothing if they are not compared."""
        if request.mode == "text":
            return {side: {} for side in _SIDES}
        pool = await self._pools.of(LOOK.kind, deadline)
        answers = await all_of(
            *(
                pool.run(LOOK.name, {"ranges": wish.ranges}, document, deadline, admitted=True)
                for wish, document in zip(wishes, documents, strict=True)
            )
        )
        return {side: _pictures(answer.payload) for side, answer in zip(_SIDES, answers, strict=True)}

    async def _compare(
        self, arguments: dict[str, Any], reads: Sequence[Read], documents: tuple[Subject, Subject], deadline: float
    ) -> Answer:
        given = [read.arguments(with_scans=False) for read in reads]
        sides = {side: each["readings"] for side, each in zip(_SIDES, given, strict=True)}
        content = b"".join(each[CONTENT] for each in given)
        pool = await self._pools.of(COMPARE.kind, deadline)
        asked = arguments | sides | {CONTENT: content}
        admitted = any(read.by_workers for read in reads)
        return await pool.run(COMPARE.name, asked, _pair(documents), deadline, admitted=admitted)


@contextmanager
def _about(side: str) -> Iterator[None]:
    """Has a failure to read a document say which of the two it is: in its message, its fields and its details."""
    try:
        yield
    except PapermeshError as error:
        if error.code not in {Code.BAD_ARG, Code.TOO_LARGE, Code.ENGINE_FAIL}:
            raise
        fields = [FieldViolation(f"{side}_{each.field}", each.description) for each in error.violations]
        message = f"{side}_{error.message}" if fields else f"{side}: {error.message}"
        details = {**error.details, "document": side}
        raise PapermeshError(error.code, message, violations=tuple(fields), details=details) from error


def _wish(side: str, pages: str, reading: dict[str, Any]) -> Wish:
    limits = Pages()
    with _about(side):
        ranges = parse_pages(pages)
    return Wish(
        ranges=ranges,
        most=limits.in_call,
        in_part=limits.in_part,
        ocr=reading["ocr"],
        languages=reading["languages"],
    )


def _pair(documents: tuple[Subject, Subject]) -> Subject:
    """Whose a worker is that compares the two: one that has seen either is nobody else's afterwards."""
    left, right = documents
    digest = hashlib.sha256(f"{left.sha256} {right.sha256}".encode()).hexdigest()
    return Subject(digest, left.place, left.flow, left.request_id, left.namespace, left.password or right.password)


def _pictures(said: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(said)
    except ValueError:
        raise outcomes.engine_failed("crash") from None
    if not isinstance(found, dict):
        raise outcomes.engine_failed("crash")
    return found


def _believed(said: Any) -> list[list[int]]:
    """The pages of each side that a worker found to be no readings."""
    if not isinstance(said, list) or len(said) != len(_SIDES):
        raise outcomes.engine_failed("crash")
    return [[page for page in pages if isinstance(page, int)] for pages in said if isinstance(pages, list)]
