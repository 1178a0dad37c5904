"""Where the layout model sees the blocks of pages: asked of the model workers page by page, and kept like readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.base.errors import Code, PapermeshError
from services.pdf.engine_version import runtime_version
from services.pdf.operations import LAYOUT_BOXES
from services.pdf.processes import outcomes
from services.pdf.processes.kinds import MODEL
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Read, all_of, answer_until, kept_document
from services.pdf.readings.readings import Readings

_MOST_BYTES = 32 * 1024
"""Of the boxes of a page: 500 have 25,000 (`services.pdf.worker.layout_model`)."""

_KIND = "boxes"
"""What boxes are kept as."""

_PENDING = "The layout model did not get to this page in time; ask again, or for fewer pages."
_REASONS = frozenset({"BROKEN", "TOO_LARGE"})
_INSTALL = "run pip install onnxruntime where the service runs, or ask for the mode rules"


class LayoutBoxes:
    """Finds boxes among what `readings` keep, or with the model workers of `pools`."""

    def __init__(self, pools: Pools, readings: Readings) -> None:
        self._pools = pools
        self._readings = readings

    def prepare(self) -> None:
        """Starts the model workers while pages are still being read; ENGINE_FAIL, "not_available", without a model."""
        if runtime_version() == "none":
            raise outcomes.not_available(f"The layout model is not available; {_INSTALL}.")
        if why := self._pools.missing(MODEL):
            raise outcomes.not_available(why)
        self._pools.start_soon(MODEL)

    async def add(self, read: Read, subject: Subject, deadline: float) -> None:
        """Adds the boxes of the pages that were read.

        Pages that the model cannot read become failures, and so do those that it did not get to in time: what it has
        found is kept, so the same call again goes on. `deadline` is a time of the loop's clock. Raises PapermeshError
        as `WorkerPool.run` does.
        """
        document = kept_document(subject)
        pages = sorted(read.found)
        kept = await self._readings.find(document, pages, _KIND, shared=False) if document else {}
        found = _Found()
        if missing := [page for page in pages if page not in kept]:
            until = answer_until(deadline)
            found = await _find(await self._pools.of(MODEL, until), missing, subject, until)
            if document and found.boxes:
                self._readings.keep_soon(document, _KIND, found.boxes)
        try:
            read.boxes = {page: boxes.decode() for page, boxes in (kept | found.boxes).items()}
        except UnicodeDecodeError:
            raise outcomes.engine_failed("crash") from None
        for page in missing:
            if page not in found.boxes:
                pending = {"page": page, "reason": "MODEL_PENDING", "message": _PENDING}
                read.failures[page] = found.failures.get(page, pending)
                read.is_partial = read.is_partial or page not in found.failures
                del read.found[page]


@dataclass(slots=True)
class _Found:
    boxes: dict[int, bytes] = field(default_factory=dict)
    failures: dict[int, Mapping[str, Any]] = field(default_factory=dict)


async def _find(pool: WorkerPool, pages: Sequence[int], subject: Subject, until: float) -> _Found:
    """Asks for one page after another, as many at a time as there are workers, as long as there is time."""
    found = _Found()
    left = iter(pages)

    async def work(*, admitted: bool) -> None:
        for page in left:
            try:
                answer = await pool.run(LAYOUT_BOXES.name, {"page": page}, subject, until, admitted=admitted)
            except PapermeshError as error:
                if error.code is Code.TIMEOUT:
                    return
                raise
            admitted = True
            if failure := answer.header.get("failure"):
                found.failures[page] = _believed(failure, page)
            elif len(answer.payload) > _MOST_BYTES:
                raise outcomes.engine_failed("crash")
            else:
                found.boxes[page] = answer.payload

    await all_of(*(work(admitted=number > 0) for number in range(min(pool.size, len(pages)))))
    return found


def _believed(failure: Any, page: int) -> Mapping[str, Any]:
    if not isinstance(failure, dict) or failure.get("reason") not in _REASONS:
        raise outcomes.engine_failed("crash")
    return {"page": page, "reason": failure["reason"], "message": str(failure.get("message"))}
