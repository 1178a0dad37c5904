"""/reports: what two documents differ in, as a page for a browser and as files for other programs."""

import re
import zlib
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import Places
from mcp_adapter.http.envelope import Exchange, success
from mcp_adapter.http.streamed import Content, streamed
from papermesh.document.v1.document_pb2 import DocumentRef
from papermesh.document.v1.report_pb2 import ReportFilter
from services.base.errors import Code, PapermeshError, bad_field

router = APIRouter(tags=["documents"])

_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_NAME = re.compile(r"([A-Za-z0-9_-]{1,128})(?:\.(json|csv|xlsx|pdf))?", re.ASCII)
_PAGE_SIZE = re.compile("[1-9][0-9]{0,3}", re.ASCII)
_FLAGS = {"true": True, "false": False}

POLICY = "sandbox allow-scripts allow-downloads allow-modals; frame-ancestors 'self'"
"""What the page says about itself in its own <meta>, and what cannot stand there: it has an origin of its own, so that
its script reaches nothing of the console's. Modals are for printing."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report", "content": {each.partition(";")[0]: _BINARY for each in _TYPES.values()}}
}


@router.head("/reports", include_in_schema=False)
@router.get("/reports", summary="List your reports")
async def list_reports(request: Request, page_size: str = "", page_token: str = "") -> Response:
    """Lists the reports about the caller's uploads: `page_size` uploads, from 1 to 1,000 (default 100).

    The answer's `data` has `reports`, each with `report_id`, `report_url`, `left`, `right` and `use_time`, and
    `next_page_token`. Send that token as `page_token` for the next page, even if this one lists nothing; it is empty
    on the last one.
    """
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    calls: Places = request.app.state.calls
    if page_size and not _PAGE_SIZE.fullmatch(page_size):
        raise bad_field("page_size", "must be a number from 1 to 1000")
    with calls.take(exchange.actor):
        listed = await client.list_reports(int(page_size or 0), page_token, exchange.person)
    exchange.request_id = listed.request_id
    reports = [
        {
            "report_id": each.report_id,
            "report_url": f"/reports/{each.report_id}",
            "left": _reference(each.left),
            "right": _reference(each.right),
            "use_time": each.use_time.ToJsonString(),
        }
        for each in listed.reports
    ]
    return success(exchange, {"reports": reports, "next_page_token": listed.next_page_token})


@router.head("/reports/{name}", include_in_schema=False)
@router.get("/reports/{name}", summary="Show a report", response_class=StreamingResponse, responses=_FILE)
async def show(request: Request, name: str) -> Response:
    """Streams the report of a comparison; `name` is its id, or with `.json`, `.csv`, `.xlsx` or `.pdf` a file of it.

    Such a file holds the changes that the query keeps: `op` and `kind`, each as often as you like, and `derived` and
    `uncertain`, `true` for such alone and `false` for all but such. The caller needs the right to both documents.
    """
    exchange = Exchange.of(request)
    client: DispatchClient = request.app.state.dispatch
    downloads: Places = request.app.state.downloads
    named = _NAME.fullmatch(name)
    if named is None:
        raise PapermeshError(Code.NOT_FOUND, "There is no such report. Its id is in PDF_DIFF's answer.")
    report_id, format_, wanted = named[1], named[2] or "html", _filter(request)
    async with AsyncExitStack() as held:
        held.enter_context(downloads.take(exchange.actor))
        messages = client.get_report(report_id, format_, wanted, exchange.person)
        held.push_async_callback(messages.aclose)
        size = (await anext(messages)).header.size
        shown = "inline" if format_ == "html" else "attachment"
        disposition = f'{shown}; filename="{report_id[:16]}.{format_}"'
        # Weak: made again, a file says the same, and may have other bytes. Of another filter, or with pages that were
        # left blank for want of time, it says something else.
        kept = zlib.crc32(wanted.SerializeToString(deterministic=True))
        tag = f'W/"{report_id}.{format_}-{kept:x}-{size}"'
        content = Content(tag, size, _TYPES[format_], disposition, POLICY if format_ == "html" else "")
        return streamed(request, content, (message.data async for message in messages), held)


def _filter(request: Request) -> ReportFilter:
    """What the query keeps.

    Raises:
        PapermeshError: BAD_ARG for a flag that is neither true nor false. What ops and kinds there are dispatch knows.
    """
    query = request.query_params
    wanted = ReportFilter(op=query.getlist("op"), kind=query.getlist("kind"))
    for name in ("derived", "uncertain"):
        said = query.get(name)
        if said is not None:
            if said not in _FLAGS:
                raise bad_field(name, "must be true or false")
            setattr(wanted, name, _FLAGS[said])
    return wanted


def _reference(document: DocumentRef) -> dict[str, str]:
    return {"type": document.type, "sha256": document.sha256}
