"""Reports of comparisons: named and kept when two documents are compared, and made when somebody asks for one."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from google.protobuf import json_format

from papermesh.pdf.v1 import diff_pb2, page_image_pb2, report_pb2
from services.base.blobs import BlobStore
from services.base.errors import PapermeshError, bad_field, too_large
from services.base.report_id import ReportId
from services.base.reports import MOST_BYTES, Reports
from services.base.stored_blob import Key
from services.pdf.comparison import Comparison
from services.pdf.engine import Engine
from services.pdf.operations import ANNOTATE, OPERATIONS, Pages
from services.pdf.pages import choose_pages, pages_in, parse_pages
from services.pdf.processes import outcomes
from services.pdf.processes.limits import Limits
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.report import page, tables
from services.pdf.report.listed import listed
from services.pdf.report.page import PagePicture

Documents: TypeAlias = tuple[Subject, Subject]
"""The earlier one and the later one."""

_SIDES = ("left", "right")

MOST_CHANGES = 10_000
"""In a report, however many the caller wanted to have listed."""

_DPI = 100
"""Of pages in a report: small print is legible, and 300 pages of dense text have 29 MB."""

_MOST_PICTURE_BYTES = 40 * 1024 * 1024
"""Of all pages together; as base64 they have a third more. Pages beyond that are left blank, those without a change
first."""

_AT_ONCE = 4
"""Pages that one report has drawn at a time: others get their turns between."""

_SPARE_S = 5.0
"""What is left of the time when no more pages are drawn, to put the report together and send it."""

_A4 = (595.0, 842.0)
"""The size of a page that was not drawn."""

_MOST_NOTE = 2000
"""Characters of a comment in the annotated document."""

_SIGNS = {"insert": "+", "delete": "−", "modify": "~", "move": "→", "format": "A"}

_RENDER = next(each for each in OPERATIONS if each.method.name == "RenderPage")


class ReportsOfComparisons:
    """Keeps and makes the reports of one engine. Their ids are this process's own; whoever has one finds the report."""

    def __init__(self, blobs: BlobStore, pools: Pools, engine: Engine, comparison: Comparison, version: str) -> None:
        """Keeps them in `blobs`; `version` is the engine's, which compares and draws."""
        self._reports = Reports(blobs)
        self._pools = pools
        self._engine = engine
        self._comparison = comparison
        self._version = version
        self._key = secrets.token_bytes(32)

    async def named(self, request: diff_pb2.DiffRequest, documents: Documents, json: bytes) -> bytes:
        """A DiffResponse as JSON, with the id and the URL of its report.

        A document that takes a password leaves no report behind.

        Raises:
            PapermeshError: UNAVAILABLE when the store cannot be used; ENGINE_FAIL for JSON that is none.
        """
        if any(each.password for each in documents):
            return json
        try:
            response = orjson.loads(json)
            report = await self._keep(request, documents)
            if report is not None:
                response |= {"report_id": str(report), "report_url": f"/reports/{report}"}
        except (TypeError, ValueError):
            raise outcomes.engine_failed("crash") from None
        return orjson.dumps(response)

    async def file(self, request: report_pb2.MakeReportRequest, documents: Documents, timeout_s: float) -> bytes:
        """A report as a file of the format that is asked for.

        Raises:
            PapermeshError: what comparing raises; TOO_LARGE for a file over its limit; UNAVAILABLE when the store
                cannot be used.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        report = ReportId.read(request.report_id)
        if report is None or report.documents != tuple(Key.of(each.namespace, each.sha256) for each in documents):
            raise bad_field("report_id", "must be the id of a report about these two documents")
        wants_page = request.format in {"", "html"}
        if wants_page and (kept := await self._reports.page(report)) is not None:
            return kept
        response = await self._response(request.comparison, documents, timeout_s)
        response |= {"report_id": str(report), "report_url": f"/reports/{report}"}
        if wants_page:
            return await self._page(report, request.comparison, response, documents, deadline)
        changes = listed(response["changes"], request.filter)
        if request.format == "pdf":
            return await self._annotated(changes, documents[1], deadline)
        response["changes"] = changes
        return await asyncio.to_thread(_WRITERS[request.format], response)

    async def _keep(self, request: diff_pb2.DiffRequest, documents: Documents) -> ReportId | None:
        """Keeps what a report is made from; None if a document was deleted meanwhile."""
        asked = diff_pb2.DiffRequest()
        asked.CopyFrom(request)
        for field in ("left", "right", "output", "max_changes"):
            asked.ClearField(field)  # a report has all the changes, and of which documents its id says
        comparison = json_format.MessageToDict(asked, preserving_proto_field_name=True)
        made_from = orjson.dumps([comparison, self._version], option=orjson.OPT_SORT_KEYS)
        left, right = (Key.of(each.namespace, each.sha256) for each in documents)
        report = ReportId.make(self._key, left, right, made_from)
        return report if await self._reports.put(report, comparison) else None

    async def _response(
        self, comparison: diff_pb2.DiffRequest, documents: Documents, timeout_s: float
    ) -> dict[str, Any]:
        """DiffResponse with all of its fields but those that are not set."""
        asked = diff_pb2.DiffRequest()
        asked.CopyFrom(comparison)
        asked.output, asked.max_changes = "full", MOST_CHANGES
        result = await self._comparison.answer(asked, documents, timeout_s)
        return await asyncio.to_thread(_believed, result.json)

    async def _page(
        self,
        report: ReportId,
        comparison: diff_pb2.DiffRequest,
        response: dict[str, Any],
        documents: Documents,
        deadline: float,
    ) -> bytes:
        pictures = _Pictures(self._engine, documents, deadline - _SPARE_S)
        ranges = (comparison.left_pages, comparison.right_pages)
        numbers = [
            pages_in(choose_pages(response[side]["pages"], parse_pages(asked), Pages().in_call))
            for side, asked in zip(_SIDES, ranges, strict=True)
        ]
        drawn = await pictures.draw(_with_changes_first(numbers, response["changes"]))
        in_order = [drawn[side, number] for side, each in zip(_SIDES, numbers, strict=True) for number in each]
        made = await asyncio.to_thread(page.html, response, in_order)
        if len(made) > MOST_BYTES:
            raise too_large(
                "The report is too large. Take another format of it: .xlsx or .csv.", limit_bytes=MOST_BYTES
            )
        if not pictures.left_out:  # what was in a hurry is not kept: it is made better next time
            await self._reports.put_page(report, made)
        return made

    async def _annotated(self, changes: Sequence[Mapping[str, Any]], document: Subject, deadline: float) -> bytes:
        pool = await self._pools.of(ANNOTATE.kind, deadline)
        arguments = {"marks": list(_marks(changes)), "most_bytes": Limits().result_bytes}
        return (await pool.run(ANNOTATE.name, arguments, document, deadline)).payload


class _Pictures:
    """Draws the pages of a report, as long as there is time and room."""

    def __init__(self, engine: Engine, documents: Documents, until: float) -> None:
        self._engine = engine
        self._documents = dict(zip(_SIDES, documents, strict=True))
        self._until = until
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._bytes = 0
        self.left_out = False
        """Whether a page is blank that could be drawn another time."""

    async def draw(self, pages: Sequence[tuple[str, int]]) -> dict[tuple[str, int], PagePicture]:
        """The pages by side and number; what comes first in `pages` is drawn first."""
        async with asyncio.TaskGroup() as tasks:
            drawing = {each: tasks.create_task(self._one(*each)) for each in pages}
        return {each: task.result() for each, task in drawing.items()}

    async def _one(self, side: str, number: int) -> PagePicture:
        async with self._places:
            left_s = self._until - asyncio.get_running_loop().time()
            if left_s <= 0:
                self.left_out = True
                return PagePicture(side, number, *_A4, b"")
            request = page_image_pb2.RenderPageRequest(page=number, dpi=_DPI, format="webp")
            try:
                drawn = await self._engine.answer(_RENDER, request, self._documents[side], left_s)
            except PapermeshError as error:  # one page that cannot be drawn is blank, and the others are not
                self.left_out |= error.code.is_transient
                return PagePicture(side, number, *_A4, b"")
        width, height, content = _picture(drawn.json)
        self._bytes += len(content)
        fits = self._bytes <= _MOST_PICTURE_BYTES
        return PagePicture(side, number, width, height, content if fits else b"")


def _picture(json: bytes) -> tuple[float, float, bytes]:
    """Its size in points, and its bytes. Workers are not trusted: a bad answer is a crash."""
    try:
        said = orjson.loads(json)
        scale = 72 / _DPI
        content = base64.b64decode(said["base64"], validate=True)
        return max(1, int(said["width"])) * scale, max(1, int(said["height"])) * scale, content
    except (KeyError, TypeError, ValueError):
        raise outcomes.engine_failed("crash") from None


def _believed(json: bytes) -> dict[str, Any]:
    """A worker's DiffResponse: every field is what the proto says."""
    try:
        message = json_format.Parse(json, diff_pb2.DiffResponse())
    except (UnicodeDecodeError, json_format.ParseError):
        raise outcomes.engine_failed("crash") from None
    return json_format.MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )


def _with_changes_first(
    numbers: Sequence[Sequence[int]], changes: Sequence[Mapping[str, Any]]
) -> list[tuple[str, int]]:
    """All pages by side and number; those on which something changed come first."""
    changed = {
        (side, region["page"]) for change in changes for side in _SIDES for region in change[side]["regions"]
    } | {(side, change[side]["gap"]["page"]) for change in changes for side in _SIDES if "gap" in change[side]}
    pages = [(side, number) for side, each in zip(_SIDES, numbers, strict=True) for number in each]
    return sorted(pages, key=lambda each: each not in changed)


def _marks(changes: Sequence[Mapping[str, Any]]) -> Sequence[list[Any]]:
    """Where the later document gets comments, and what they say: a page, boxes, the op and a text."""
    marks = []
    for change in changes:
        said = _note(change)
        right = change["right"]
        places = [(region["page"], region["bbox"]) for region in right["regions"]]
        if not places and "gap" in right:
            places = [(right["gap"]["page"], [right["gap"]["bbox"]])]
        marks += [[number, [_edges(box) for box in boxes], change["op"], said] for number, boxes in places]
    return marks


def _edges(box: Mapping[str, float]) -> list[float]:
    return [box["x0"], box["y0"], box["x1"], box["y1"]]


def _note(change: Mapping[str, Any]) -> str:
    address = change["address"]["right"] or change["address"]["left"]
    lines = [f"{_SIGNS.get(change['op'], '')} {address}".strip()]
    lines += [
        f"{sign} {change[side]['text']}" for side, sign in (("left", "−"), ("right", "+")) if change[side]["text"]
    ]
    return "\n".join(lines).replace("\0", "")[:_MOST_NOTE]


_WRITERS: Mapping[str, Callable[[dict[str, Any]], bytes]] = {
    "json": lambda response: orjson.dumps(response, option=orjson.OPT_INDENT_2),
    "csv": lambda response: tables.csv_file(response["changes"]),
    "xlsx": lambda response: tables.workbook(response, response["changes"]),
}
