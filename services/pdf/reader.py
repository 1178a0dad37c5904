"""What stands on a document's pages: found among what is kept, or read by workers now and kept for the next view."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.base.errors import Code, PapermeshError
from services.pdf.operations import READ
from services.pdf.pages import PageRange, choose_pages, count_pages, cut_pages, pages_in, ranges_of
from services.pdf.parts import Failed, Piece, ReadPage, Wanted, page_count, pieces
from services.pdf.processes import outcomes
from services.pdf.processes.kinds import TEXT
from services.pdf.processes.limits import result_too_large
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.processes.wire import CONTENT
from services.pdf.readings.readings import DocumentKey, Readings
from services.pdf.recognition import Pending, Recognised, Recognition

_MARGIN_S = 1.0
"""How long before the caller's deadline recognition must be done, so that what was read still becomes an answer."""

_MARGIN_SHARE = 0.25
"""The most of a short deadline that this takes."""

_IN_VIEW = 4
"""How many times the bytes that one answer may have the readings may have that a view is made from."""

_IN_ANSWER = 4
"""A worker reads on until its readings have this part of the bytes that one answer may have."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which pages are to be read, and how."""

    ranges: Sequence[PageRange]
    """As from `parse_pages`; none for the whole document."""

    most: int
    """The most pages that may be asked for; more are TOO_LARGE."""

    in_part: int
    """The most that one worker reads in one go, if there are several workers."""

    ocr: str = "never"
    """"auto", "never" or "force"."""

    languages: Sequence[str] = ()
    """Of pictures."""

    until: float | None = None
    """A time of the loop's clock after which no page is begun; None to read them all."""

    def kinds(self) -> tuple[str, ...]:
        """Under which names readings that serve are kept."""
        return (_PLAIN, self.kind(is_plain=False)) if self.ocr != "force" else (self.kind(is_plain=False),)

    def kind(self, *, is_plain: bool) -> str:
        """Under which name such a reading is kept."""
        if is_plain:
            return _PLAIN
        return "never" if self.ocr == "never" else f"{self.ocr}-{'+'.join(self.languages)}"


_PLAIN = "plain"
_COUNT = "count"
"""The kind of a document's number of pages, which is kept as page 0."""


@dataclass(slots=True)
class Read:
    """What was read."""

    pages: int
    """How many the whole document has."""

    asked: list[int]
    found: dict[int, bytes]
    failures: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Pages that could not be read, as PageFailure."""

    is_partial: bool = False
    """Whether asking again can give more: pages are still to be recognised."""

    by_workers: bool = False
    """Whether workers were asked."""

    def arguments(self, *, with_scans: bool) -> dict[str, Any]:
        """What a view gets of it (`services.pdf.worker.readings.Readings.take`)."""
        found = sorted(self.found.items())
        given = {
            "pages": self.pages,
            "asked": self.asked,
            "found": [[page, len(content)] for page, content in found],
            "failures": [self.failures[page] for page in sorted(self.failures)],
            "with_scans": with_scans,
        }
        return {"readings": given, CONTENT: b"".join(content for _, content in found)}


class Reader:
    """Reads pages with the text workers of `pools`, and those that are pictures with `recognition`."""

    def __init__(self, pools: Pools, recognition: Recognition, readings: Readings) -> None:
        self._pools = pools
        self._recognition = recognition
        self._readings = readings

    async def read(self, wish: Wish, subject: Subject, deadline: float, unfit: Collection[int] = ()) -> Read:
        """The pages' readings, as far as they can be read; those kept of the pages `unfit` are not taken.

        Raises PapermeshError as `WorkerPool.run` does; BAD_ARG and TOO_LARGE for wrong pages.
        """
        now = asyncio.get_running_loop().time()
        recognised_until = deadline - min(_MARGIN_S, _MARGIN_SHARE * (deadline - now))
        read = await self._kept(wish, subject, unfit)
        missing = [page for page in read.asked if page not in read.found]
        if read.pages and not missing:
            return read
        pool = await self._pools.of(TEXT, deadline)
        workers = _Workers(pool, wish, subject, deadline)
        read.pages, found = await workers.read(ranges_of(missing) or wish.ranges)
        read.by_workers = True
        read.asked = read.asked or pages_in(choose_pages(read.pages, wish.ranges, wish.most))
        wanted = [piece for piece in found.values() if isinstance(piece, Wanted)]
        if wanted:
            recognised = await self._recognition.recognise(wanted, wish.languages, subject, recognised_until)
            found |= await workers.merge(recognised)
            read.is_partial = any(map(_may_change, recognised.values()))
        fresh: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        for page, piece in found.items():
            if isinstance(piece, ReadPage):
                read.found[page] = piece.content
                fresh[wish.kind(is_plain=piece.is_plain)][page] = piece.content
            elif isinstance(piece, Failed):
                read.failures[page] = piece.failure
        _check_size(read.found.values(), _IN_VIEW * pool.limits.result_bytes)
        if document := _document(subject):
            for kind, pages in fresh.items():
                self._readings.keep_soon(document, kind, pages)
            self._readings.keep_soon(document, _COUNT, {0: b"%d" % read.pages})
        return read

    async def _kept(self, wish: Wish, subject: Subject, unfit: Collection[int]) -> Read:
        """What is kept; without a number of pages if that is not known."""
        document = _document(subject)
        if document is None:
            return Read(0, [], {})
        count = (await self._readings.find(document, [0], _COUNT, shared=False)).get(0)
        if count is None:
            return Read(0, [], {})
        read = Read(int(count), pages_in(choose_pages(int(count), wish.ranges, wish.most)), {})
        for kind in wish.kinds():
            rest = [page for page in read.asked if page not in read.found and page not in unfit]
            read.found |= await self._readings.find(document, rest, kind, shared=False)
        return read


@dataclass(frozen=True, slots=True)
class _Workers:
    """Text workers that read the pages of one request, in one go or in parts."""

    pool: WorkerPool
    wish: Wish
    subject: Subject
    deadline: float

    async def read(self, ranges: Sequence[PageRange]) -> tuple[int, dict[int, Piece]]:
        """How many pages the document has, and what is to be said of those of the ranges; of all if there are none."""
        # One worker alone has nobody to share with.
        spread = self.wish.in_part if self.pool.size > 1 else self.wish.most
        first = await self._ask(ranges, spread=spread)
        pages = page_count(first)
        chosen = choose_pages(pages, ranges, self.wish.most)
        if "found" in first.header:
            return pages, await self._go_on(first, chosen)
        if count_pages(chosen) <= spread:
            raise outcomes.engine_failed("crash")
        parts = await together(*(self._read_part(part) for part in cut_pages(chosen, self.wish.in_part)))
        return pages, {page: piece for part in parts for page, piece in part.items()}

    async def merge(self, recognised: Mapping[int, Recognised]) -> dict[int, Piece]:
        """The readings of recognised pages, with what their text layers have besides."""
        found: dict[int, Piece] = {
            page: Failed(_failure(page, each)) for page, each in recognised.items() if isinstance(each, PapermeshError)
        }
        read = {page: each for page, each in sorted(recognised.items()) if isinstance(each, bytes)}
        parts = await together(
            *(self._read_part(part, read) for part in (cut_pages(ranges_of(read), self.wish.in_part) if read else ()))
        )
        merged = {page: piece for part in parts for page, piece in part.items()}
        if any(isinstance(piece, Wanted) for piece in merged.values()):
            raise outcomes.engine_failed("crash")
        return found | merged

    async def _read_part(self, ranges: Sequence[PageRange], recognised: Mapping[int, bytes] = {}) -> dict[int, Piece]:
        first = await self._ask(ranges, recognised=recognised, admitted=True)
        return await self._go_on(first, ranges, recognised)

    async def _go_on(
        self, answer: Answer, ranges: Sequence[PageRange], recognised: Mapping[int, bytes] = {}
    ) -> dict[int, Piece]:
        """All pages of the ranges, as far as there is time, the first of which are in `answer`."""
        asked = pages_in(ranges)
        found = pieces(answer, asked)
        while len(found) < len(asked) and not self._is_late():
            if not answer.header["found"] and self.wish.until is None:
                raise outcomes.engine_failed("crash")
            rest = asked[len(found) :]
            answer = await self._ask(ranges_of(rest), recognised=recognised, admitted=True)
            found |= pieces(answer, rest)
        return found

    def _is_late(self) -> bool:
        return self.wish.until is not None and asyncio.get_running_loop().time() > self.wish.until

    async def _ask(
        self,
        ranges: Sequence[PageRange],
        *,
        spread: int | None = None,
        recognised: Mapping[int, bytes] = {},
        admitted: bool = False,
    ) -> Answer:
        asked: dict[str, Any] = {
            "ranges": ranges,
            "most": self.wish.most,
            "spread": self.wish.most if spread is None else spread,
            "ocr": self.wish.ocr,
            "until": self.wish.until,
            "bytes": self.pool.limits.result_bytes // _IN_ANSWER,
        }
        if recognised:
            texts = (b'"%d":%b' % (page, recognised[page]) for page in pages_in(ranges))
            asked |= {"recognised": True, CONTENT: b"{%b}" % b",".join(texts)}
        return await self.pool.run(READ.name, asked, self.subject, self.deadline, admitted=admitted)


_PAGE_ERRORS = {Code.TOO_LARGE: "TOO_LARGE", Code.BAD_ARG: "BROKEN"}
"""What a page's own errors are called in its failure; they stay the same however often one asks."""


def _may_change(recognised: Recognised) -> bool:
    """Whether asking again may give more of this page."""
    return isinstance(recognised, PapermeshError) and recognised.code not in _PAGE_ERRORS


def _failure(page: int, error: PapermeshError) -> dict[str, Any]:
    """A page that could not be recognised, as PageFailure."""
    reason = "OCR_PENDING" if isinstance(error, Pending) else _PAGE_ERRORS.get(error.code, "OCR_FAILED")
    return {"page": page, "reason": reason, "message": error.message}


def _document(subject: Subject) -> DocumentKey | None:
    """Whose readings are kept; None for one that a password opens: nothing of it is."""
    return None if subject.password else DocumentKey(subject.namespace, subject.sha256)


def _check_size(readings: Iterable[bytes], limit_bytes: int) -> None:
    """Raises TOO_LARGE for more than one worker can take to make a view of them."""
    if sum(map(len, readings)) > limit_bytes:
        raise result_too_large(limit_bytes)


async def together(*reads: Coroutine[Any, Any, _T]) -> list[_T]:
    """All results, in order; if one fails, the others are stopped before its error is raised."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
