"""A small adapter to call: it speaks the envelope over real HTTP, and remembers what it was asked."""

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from cli.main import app
from services.base import actions

META = {"request_id": "0198f00d", "latency_ms": 12, "cache": "miss", "trace_id": "ab" * 16}


@dataclass
class StandIn:
    """What the adapter knows, what it will answer, what it was sent."""

    url: str
    documents: dict[str, bytes] = field(default_factory=dict)
    invoked: list[dict[str, Any]] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    """Of the requests for the catalogue, invocations and deletions."""

    images: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)
    answer: Any = None
    """The data of the next invocations, or (HTTP status, error)."""

    text: str = ""
    """The last envelope, byte for byte."""

    def forget(self) -> None:
        self.documents.clear()
        self.images.clear()
        self.reports.clear()
        self.invoked.clear()
        self.pieces.clear()
        self.headers.clear()
        self.answer, self.text = {}, ""

    def ok(self, data: Any, status: int = 200) -> Response:
        return self._send({"ok": True, "data": data, "meta": META}, status)

    def fail(self, status: int, error: Mapping[str, Any]) -> Response:
        whole = {"message": "", "retry_after_ms": None, "is_transient": False, "details": {}, **error}
        return self._send({"ok": False, "error": whole, "meta": META}, status)

    def _send(self, envelope: dict[str, Any], status: int) -> Response:
        self.text = json.dumps(envelope, ensure_ascii=False)
        return Response(self.text, status, media_type="application/json")

    async def catalogue(self, request: Request) -> Response:
        self.headers.append(request.headers)
        return self.ok({"actions": [_entry(action) for action in actions.load().actions.values()]})

    async def invoke(self, request: Request) -> Response:
        call = await request.json()
        self.invoked.append(call)
        self.headers.append(request.headers)
        if call["action"] not in actions.load().actions:
            return self.fail(400, {"code": "BAD_ARG", "message": f"There is no action {call['action']}."})
        return self.fail(*self.answer) if isinstance(self.answer, tuple) else self.ok(self.answer)

    async def upload(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            self.pieces.append(len(piece))
            body += piece
        if not body:
            return self.fail(400, {"code": "BAD_ARG", "message": "The document is empty."})
        sha256 = hashlib.sha256(body).hexdigest()
        self.documents[sha256] = body
        return self.ok({"doc_ref": {"type": "UPLOAD", "sha256": sha256}, "size": len(body)}, 201)

    async def download(self, request: Request) -> Response:
        body = self.documents.get(request.path_params["sha256"])
        if body is None:
            return self.fail(404, {"code": "NOT_FOUND", "message": "There is no such document."})
        return Response(body, media_type="application/octet-stream")

    async def listing(self, request: Request) -> Response:
        """One document on each page."""
        names = list(self.documents)
        at = int(request.query_params["page_token"] or 0)
        listed = [
            {
                "doc_ref": {"type": "UPLOAD", "sha256": name},
                "charged_bytes": 65536,
                "upload_time": "2026-11-28T23:59:59.5Z",
                "use_time": "2026-11-29T00:00:00Z",
            }
            for name in names[at : at + 1]
        ]
        return self.ok({"documents": listed, "next_page_token": str(at + 1) if at + 1 < len(names) else ""})

    async def picture(self, request: Request) -> Response:
        body = self.images.get(request.path_params["image_id"])
        if body is None:
            return self.fail(404, {"code": "NOT_FOUND", "message": "There is no such picture."})
        return Response(body, media_type="image/png")

    async def report(self, request: Request) -> Response:
        body = self.reports.get(request.path_params["name"])
        if body is None:
            return self.fail(404, {"code": "NOT_FOUND", "message": "There is no such report."})
        return Response(body, media_type="application/octet-stream")

    async def delete(self, request: Request) -> Response:
        self.headers.append(request.headers)
        if self.documents.pop(request.path_params["sha256"], None) is None:
            return self.fail(404, {"code": "NOT_FOUND", "message": "There is no such document."})
        return self.ok({"deleted": True})


def _entry(action: actions.Action) -> dict[str, Any]:
    return {
        "name": action.name,
        "description": action.description,
        "args_schema": dict(action.args_schema),
        "result_schema": dict(action.result_schema),
        "timeout_s": action.method.timeout.total_seconds(),
        "cache_ttl_s": action.cache_ttl and action.cache_ttl.total_seconds(),
        "rate": {"requests_per_minute": action.rate.requests_per_minute, "burst": action.rate.burst},
        "job": action.job,
        "read_only": action.method.read_only,
    }


@pytest.fixture(scope="session")
def _running() -> Iterator[StandIn]:
    listener = socket.create_server(("127.0.0.1", 0))
    stand_in = StandIn(f"http://127.0.0.1:{listener.getsockname()[1]}")
    routes = [
        Route("/actions", stand_in.catalogue),
        Route("/mcp/invoke", stand_in.invoke, methods=["POST"]),
        Route("/documents", stand_in.upload, methods=["POST"]),
        Route("/documents", stand_in.listing),
        Route("/documents/{sha256}", stand_in.download),
        Route("/images/{image_id}", stand_in.picture),
        Route("/reports/{name}", stand_in.report),
        Route("/documents/{sha256}", stand_in.delete, methods=["DELETE"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield stand_in
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def adapter(_running: StandIn) -> StandIn:
    """The adapter, with nothing in its memory."""
    _running.forget()
    return _running


@pytest.fixture
def environment(adapter: StandIn, tmp_path: Path) -> dict[str, str | None]:
    """What the command line reads from its environment; nothing of the machine's own leaks in."""
    ours = {"PAPERMESH_URL": adapter.url, "PAPERMESH_VAR": str(tmp_path / "var"), "COLUMNS": "100"}
    unset = (
        "PAPERMESH_API_KEYS_FILE",
        "PAPERMESH_AUDIENCE",
        "PAPERMESH_EDGE_ADDRESS",
        "PAPERMESH_EDGE_PORT",
        "PAPERMESH_HTTP_PORT",
        "PAPERMESH_TOKEN",
    )
    return ours | dict.fromkeys(unset)


@pytest.fixture
def papermesh(environment: dict[str, str | None]) -> Callable[..., Result]:
    """Runs the command line in this process."""

    def run(*words: str, **variables: str) -> Result:
        return CliRunner().invoke(app, words, env=environment | variables, prog_name="papermesh")

    return run


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A file; what is in it is the mesh's business."""
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF-1.7 one")
    return file


@pytest.fixture
def other_pdf(tmp_path: Path) -> Path:
    """Another file."""
    file = tmp_path / "report-2.pdf"
    file.write_bytes(b"%PDF-1.7 two")
    return file
