"""Every answer has the id of its request, and every error is answered in one place."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from mcp_adapter.http.error_handler import ErrorHandler
from services.base.errors import Code, PapermeshError
from services.base.server import Hosted
from services.base.testing import running
from tests.mcp_adapter.conftest import SERVICE, Dispatch, adapter

PDF = b"%PDF-1.7\n"
ORIGIN = "https://console.example"


@pytest.fixture
async def client(dispatch: Dispatch, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an adapter that lets pages of one other origin call."""
    async with (
        running(Hosted(SERVICE, dispatch), directory=tmp_path) as up,
        adapter(up.address, up.tls_dir, tmp_path, http_origins=[ORIGIN]) as client,
    ):
        yield client


class TestTheRequestId:
    @pytest.mark.parametrize(
        ("method", "path", "headers", "status"),
        [
            ("GET", "/healthz", {}, 200),
            ("HEAD", "/healthz", {}, 200),
            ("GET", "/readyz", {}, 200),
            ("GET", "/actions", {}, 200),
            ("GET", "/docs", {}, 200),
            ("GET", "/openapi.json", {}, 200),
            ("GET", "/nowhere", {}, 404),
            ("GET", "/mcp/invoke", {}, 405),
            ("POST", "/mcp/invoke", {}, 400),
            ("POST", "/documents", {}, 400),
            ("GET", "/documents/x", {}, 400),
            ("GET", "/actions", {"Host": "evil.example"}, 403),
            ("GET", "/actions", {"Origin": "https://evil.example"}, 403),
            ("OPTIONS", "/actions", {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}, 200),
        ],
    )
    async def test_is_in_every_answer(
        self, client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
    ) -> None:
        response = await client.request(method, path, headers=headers)
        assert response.status_code == status
        [request_id] = response.headers.get_list("X-Request-Id")
        assert request_id
        if response.text.startswith('{"ok":') and "meta" in response.json():
            assert response.json()["meta"]["request_id"] == request_id

    async def test_is_the_one_that_the_mesh_gave(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        answered = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"})
        assert answered.headers["X-Request-Id"] == answered.json()["meta"]["request_id"] == "r-1"
        dispatch.error = PapermeshError(Code.NOT_FOUND, "No.", request_id="11-22")
        refused = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"})
        assert refused.headers["X-Request-Id"] == refused.json()["meta"]["request_id"] == "11-22"

    async def test_is_in_uploads_and_downloads(self, client: httpx.AsyncClient) -> None:
        stored = await client.post("/documents", content=PDF)
        path, tag = f"/documents/{stored.json()['data']['doc_ref']['sha256']}", {"If-None-Match": "*"}
        read, known = await client.get(path), await client.get(path, headers=tag)
        answers = [stored, read, known, await client.delete(path)]
        assert [each.status_code for each in answers] == [201, 200, 304, 200]
        assert len({each.headers["X-Request-Id"] for each in answers}) == 4

    async def test_is_for_pages_of_other_origins_too_and_so_are_errors(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        dispatch.error = PapermeshError(Code.NOT_FOUND, "No.")
        for response in (
            await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers={"Origin": ORIGIN}),
            await client.get("/actions", headers={"Origin": ORIGIN}),
        ):
            assert response.status_code == 404
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
            assert len(response.headers.get_list("X-Request-Id")) == 1


async def answered(error: Exception, *, after: int = 0) -> list[Message]:
    """What is sent when an application raises this, after so many messages of an answer."""
    sent: list[Message] = []
    answer: list[Message] = [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"%PDF", "more_body": True},
    ]

    async def app(_: Scope, __: Receive, send: Send) -> None:
        for message in answer[:after]:
            await send(message)
        raise error

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await ErrorHandler(app)({"type": "http", "headers": []}, receive, send)
    return sent


class TestAnError:
    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (PapermeshError(Code.CONFLICT, "No."), 409, "CONFLICT"),
            (ClientDisconnect(), 400, "BAD_ARG"),
            (KeyError("secret"), 500, "INTERNAL"),
        ],
    )
    async def test_before_the_answer_is_the_answer(self, error: Exception, status: int, code: str) -> None:
        start, body = await answered(error)
        envelope = json.loads(body["body"])
        assert (start["status"], envelope["error"]["code"]) == (status, code)
        assert (b"x-request-id", envelope["meta"]["request_id"].encode()) in start["headers"]
        assert "secret" not in str(envelope)

    async def test_of_the_mesh_in_the_middle_of_an_answer_is_logged_and_no_more_is_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent = await answered(PapermeshError(Code.UNAVAILABLE, "Gone.", request_id="r-9"), after=2)
        assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
        assert "An answer was cut short: UNAVAILABLE: Gone." in caplog.text
        assert caplog.records[-1].__dict__["fields"]["request_id"] == "r-9"

    async def test_of_ours_in_the_middle_of_an_answer_is_raised(self) -> None:
        with pytest.raises(KeyError):
            await answered(KeyError("bug"), after=2)
