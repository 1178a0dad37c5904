"""Pages that must be read from a picture: rendered by a text worker, recognised by an ocr worker, and kept.

Recognition takes seconds a page, often longer than a call may. So a page that is being recognised when its callers'
deadline passes is finished and kept, and the same call again goes on from there. If the callers hang up, it is stopped.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.base.errors import Code, PapermeshError, bad_field
from services.pdf.operations import PICTURE, RECOGNISE
from services.pdf.parts import Wanted
from services.pdf.processes import outcomes
from services.pdf.processes.kinds import OCR, TEXT
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.processes.wire import CONTENT
from services.pdf.readings.readings import DocumentKey, Readings
from services.pdf.recognised_page import is_recognised_page

PAGE_SECONDS = 60.0
"""How long one page may take, whatever its callers' deadlines."""

_OF_THE_PAGE = frozenset({Code.ENGINE_FAIL, Code.TIMEOUT, Code.TOO_LARGE, Code.BAD_ARG})
"""Errors that say something of one page; the others, such as a document that is gone, end the call."""

Recognised: TypeAlias = bytes | PapermeshError
"""A recognised page as an ocr worker wrote it (`services.pdf.worker.recognise`), or why there is none."""


class Pending(PapermeshError):  # noqa: N818  # not an error yet
    """The page was not recognised before the deadline."""

    def __init__(self) -> None:
        super().__init__(Code.TIMEOUT, "The page was not read before the deadline. The same call again goes on.")


@dataclass(slots=True, eq=False)
class _UnderWay:
    """A page that is being recognised, for all who wait for it."""

    task: "asyncio.Task[bytes]"
    waiting: int = 0
    begun: bool = False
    """Whether its picture is being made or read, so that stopping would lose work."""


_Key: TypeAlias = tuple[DocumentKey, str, int, str]
"""Document, kind of reading, page and password: whoever gave one shares with nobody who did not."""


class Recognition:
    """Recognises pages with the ocr workers of `pools`, and keeps what they read in `readings`."""

    def __init__(self, pools: Pools, readings: Readings) -> None:
        self._pools = pools
        self._readings = readings
        self._under_way: dict[_Key, _UnderWay] = {}

    def allowed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """An operation's arguments, without recognition if it cannot work here: then `ocr_missing` says why.

        Raises BAD_ARG if the caller insists on it.
        """
        why = self._pools.missing(OCR) if arguments.get("ocr", "never") != "never" else ""
        if not why:
            return arguments
        if arguments["ocr"] == "force":
            raise bad_field("ocr", why)
        return arguments | {"ocr": "never", "ocr_missing": why}

    async def recognise(
        self, wanted: Iterable[Wanted], languages: Sequence[str], subject: Subject, until: float
    ) -> Mapping[int, Recognised]:
        """What stands on the pages, by their numbers: as far as it is known at `until`, a time of the loop's clock.

        A page that is not has `Pending`, or the error that kept it from being read. Raises PapermeshError for what
        concerns them all: UNAVAILABLE while the service stops, NOT_FOUND when the document is gone.
        """
        asked = {each.page: (_kind(each, languages), each) for each in wanted}
        found: dict[int, Recognised] = {}
        for kind in {kind for kind, _ in asked.values()} if not subject.password else ():
            pages = [page for page, (its, _) in asked.items() if its == kind]
            kept = await self._readings.find(_document(subject), pages, kind)
            found |= {page: read for page, read in kept.items() if is_recognised_page(read)}
        joined = {
            page: self._join(kind, each, languages, subject)
            for page, (kind, each) in asked.items()
            if page not in found
        }
        hung_up = True
        try:
            if joined:
                now = asyncio.get_running_loop().time()
                await asyncio.wait([each.task for each in joined.values()], timeout=max(0.0, until - now))
            hung_up = False
        finally:
            for each in joined.values():
                _leave(each, goes_on=not (hung_up or subject.password))
        return found | {page: _outcome(each.task) for page, each in joined.items()}

    async def aclose(self) -> None:
        """Stops all work."""
        tasks = [each.task for each in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _join(self, kind: str, wanted: Wanted, languages: Sequence[str], subject: Subject) -> _UnderWay:
        key = (_document(subject), kind, wanted.page, subject.password)
        under_way = self._under_way.get(key)
        if under_way is None or under_way.task.done() or under_way.task.cancelling():
            task = asyncio.create_task(self._run(key, wanted, languages, subject))
            under_way = self._under_way[key] = _UnderWay(task)
            task.add_done_callback(lambda _task: self._forget(key, under_way))
        under_way.waiting += 1
        return under_way

    def _forget(self, key: _Key, under_way: _UnderWay) -> None:
        if self._under_way.get(key) is under_way:
            del self._under_way[key]
        if not under_way.task.cancelled():
            under_way.task.exception()  # whoever waited has seen it

    async def _run(self, key: _Key, wanted: Wanted, languages: Sequence[str], subject: Subject) -> bytes:
        loop = asyncio.get_running_loop()
        ocr = await self._pools.of(OCR, loop.time() + PAGE_SECONDS)
        # Rendered only now: pictures take megabytes, and so there is one for each ocr worker at most.
        async with ocr.turn(subject.flow, float("inf"), admitted=True):
            self._under_way[key].begun = True
            deadline = loop.time() + PAGE_SECONDS
            text = await self._pools.of(TEXT, deadline)
            asked = {"page": wanted.page, "reason": wanted.reason}
            picture = await text.run(PICTURE.name, asked, subject, deadline, admitted=True)
            how = {"dpi": _dpi(picture), "languages": list(languages), CONTENT: picture.payload}
            read = (await ocr.ask(RECOGNISE.name, how, subject, deadline, believed=is_recognised_page)).payload
        document, kind, page, _ = key
        if not subject.password:
            await self._readings.keep(document, kind, {page: read}, shared=True)
        return read


def _document(subject: Subject) -> DocumentKey:
    return DocumentKey(subject.namespace, subject.sha256)


def _kind(wanted: Wanted, languages: Sequence[str]) -> str:
    """The name under which such a reading is kept; of pictures alone it lacks what else the page shows."""
    part = "pictures" if wanted.reason == "picture" else "page"
    return f"ocr-{part}-{'+'.join(languages)}"


def _leave(under_way: _UnderWay, *, goes_on: bool) -> None:
    """Stops the work if nobody waits for it any more, unless it has begun and goes on for those who come back."""
    under_way.waiting -= 1
    if not (under_way.waiting or (goes_on and under_way.begun)):
        under_way.task.cancel()


def _outcome(task: "asyncio.Task[bytes]") -> Recognised:
    if not task.done() or task.cancelled():
        return Pending()
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, PapermeshError) and error.code in _OF_THE_PAGE:
        return error
    raise error


def _dpi(picture: Answer) -> int:
    """The picture's resolution; raises TOO_LARGE or BAD_ARG for a page that could not be rendered."""
    failure, dpi = picture.header.get("failure"), picture.header.get("dpi")
    if isinstance(failure, dict):
        code = Code.TOO_LARGE if failure.get("reason") == "TOO_LARGE" else Code.BAD_ARG
        raise PapermeshError(code, str(failure.get("message", "")))
    if not isinstance(dpi, int) or dpi < 1:
        raise outcomes.engine_failed("crash")
    return dpi
