"""POST /mcp/invoke and the envelope around its answers."""

import asyncio
import json
import math
import socket
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.concurrency import CALLS
from mcp_adapter.routes import invoke as invoking
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.errors import ACTOR_RATE, Code, FieldViolation, PapermeshError, rate_limited
from tests.mcp_adapter.conftest import Dispatch, adapter
from trust.certificates import ensure

TRACE = "0af7651916cd43dd8448eb211c80319c"
MIB = 1024 * 1024


async def invoke(client: httpx.AsyncClient, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/mcp/invoke", content=content)


async def refusal(client: httpx.AsyncClient, body: object) -> dict[str, Any]:
    """The error that this body ends with; it must be a BAD_ARG that dispatch never saw."""
    response = await invoke(client, body)
    assert response.status_code == 400
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == "BAD_ARG"
    return error


class TestSuccess:
    async def test_is_an_envelope_around_the_engines_json(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.response.json = '{"n": 1.50, "제목": "x", "big": 12345678901234567890}'
        response = await invoke(client, {"action": "PDF_TEXT", "args": {}})
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.text.startswith('{"ok":true,"data":' + dispatch.response.json + ',"meta":{')
        meta = response.json()["meta"]
        assert meta.keys() == {"request_id", "latency_ms", "cache", "trace_id"}
        assert (meta["request_id"], meta["cache"]) == ("r-1", "none")
        assert isinstance(meta["latency_ms"], int)
        assert len(meta["trace_id"]) == 32

    @pytest.mark.parametrize(("state", "word"), [(pb.CACHE_STATE_MISS, "miss"), (pb.CACHE_STATE_HIT, "hit")])
    async def test_says_where_the_result_came_from(
        self, client: httpx.AsyncClient, dispatch: Dispatch, state: pb.CacheState, word: str
    ) -> None:
        dispatch.response.cache = state
        assert (await invoke(client, {"action": "PDF_TEXT"})).json()["meta"]["cache"] == word

    async def test_continues_the_callers_trace(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        response = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers=headers)
        assert response.json()["meta"]["trace_id"] == TRACE
        assert dispatch.calls[0].traceparent.split("-")[1] == TRACE

    @pytest.mark.parametrize(
        "args",
        [
            {},
            {"doc_ref": {"type": "UPLOAD", "sha256": "ab" * 32}, "pages": "1-3"},
            {"제목": ["한국어", "\U0001f600", "\x00\x1f\x7f"], "\ufb33": 1, "\U0001f600": 2},
            {"n": [0, -1, 1.5, 1e-7, -0.0, 2**53 - 1, 3.0], "b": [True, False, None], "e": [{}, []]},
        ],
    )
    async def test_passes_arguments_on_as_they_were_signed(
        self, client: httpx.AsyncClient, dispatch: Dispatch, args: dict[str, Any]
    ) -> None:
        assert (await invoke(client, {"action": "PDF_TEXT", "args": args})).status_code == 200
        [request] = dispatch.requests
        assert dict(request.args) == args
        assert request.action == "PDF_TEXT"

    async def test_needs_no_arguments(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        assert (await invoke(client, {"action": "PDF_TEXT"})).status_code == 200
        assert not dispatch.requests[0].args


class TestTheBody:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"action=PDF_TEXT",
            b"\xff\xfe",
            b'{"action": "PDF_TEXT",}',
            b'{"action": "PDF_TEXT", "args": {"n": NaN}}',
            b'{"action": "PDF_TEXT", "args": {"n": Infinity}}',
            b'{"action": "PDF_TEXT", "args": {"s": "\\ud800"}}',
            b"[" * 100_000,
        ],
    )
    async def test_that_is_not_json_is_refused(
        self, client: httpx.AsyncClient, dispatch: Dispatch, body: bytes
    ) -> None:
        assert "not JSON" in (await refusal(client, body))["message"]
        assert not dispatch.calls

    @pytest.mark.parametrize("body", [[], ["PDF_TEXT"], "PDF_TEXT", 5, None, True])
    async def test_that_is_no_object_is_refused(self, client: httpx.AsyncClient, body: object) -> None:
        assert "must be an object" in (await refusal(client, body))["message"]

    @pytest.mark.parametrize("key", ["arg", "Action", "", "idempotency_key", "x" * 5000])
    async def test_with_an_unknown_field_is_refused(self, client: httpx.AsyncClient, key: str) -> None:
        error = await refusal(client, {"action": "PDF_TEXT", key: 1})
        assert error["details"]["fields"][0]["field"] == key[:200]

    @pytest.mark.parametrize("action", [None, "", 5, ["PDF_TEXT"], "word count!", "PDF_TEXT\n", "문서", "A" * 49])
    async def test_without_a_name_of_an_action_is_refused(self, client: httpx.AsyncClient, action: object) -> None:
        error = await refusal(client, {"action": action})
        assert [each["field"] for each in error["details"]["fields"]] == ["action"]
        assert "GET /actions lists them" in error["message"]

    async def test_without_an_action_is_refused(self, client: httpx.AsyncClient) -> None:
        assert "action" in (await refusal(client, {"args": {}}))["message"]

    @pytest.mark.parametrize("args", [None, [], "x", 5])
    async def test_whose_arguments_are_no_object_is_refused(self, client: httpx.AsyncClient, args: object) -> None:
        error = await refusal(client, {"action": "PDF_TEXT", "args": args})
        assert [each["field"] for each in error["details"]["fields"]] == ["args"]

    @pytest.mark.parametrize(
        "number",
        [b"1e999", b"-1e999", b"9007199254740992", b"-9007199254740992", b"1e20", b"1" * 400, b"18446744073709551616"],
    )
    async def test_with_a_number_that_is_not_exact_is_refused(
        self, client: httpx.AsyncClient, dispatch: Dispatch, number: bytes
    ) -> None:
        await refusal(client, b'{"action": "PDF_TEXT", "args": {"a": [' + number + b"]}}")
        assert not dispatch.calls

    async def test_may_be_thirty_levels_deep_and_no_more(self, client: httpx.AsyncClient) -> None:
        def nested(levels: int) -> bytes:
            return b'{"action": "PDF_TEXT", "args": ' + b'{"a": ' * (levels - 1) + b"{}" + b"}" * (levels - 1) + b"}"

        assert (await invoke(client, nested(30))).status_code == 200
        assert "30 levels" in (await refusal(client, nested(31)))["message"]

    async def test_may_have_a_mebibyte_and_no_more(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        def padded(size: int) -> bytes:
            return b'{"action": "PDF_TEXT"}'.ljust(size)

        assert (await invoke(client, padded(MIB))).status_code == 200
        response = await invoke(client, padded(MIB + 1))
        assert (response.status_code, response.json()["error"]["code"]) == (413, "TOO_LARGE")
        assert response.json()["error"]["details"] == {"limit_bytes": str(MIB)}
        assert len(dispatch.calls) == 1

    async def test_of_too_many_values_is_refused(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        error = await refusal(client, {"action": "PDF_EMBED", "args": {"texts": [1] * 10_001}})
        assert "values" in error["message"]
        assert not dispatch.calls


class TestFailure:
    @pytest.mark.parametrize("code", Code)
    async def test_is_an_envelope_with_the_codes_status(
        self, client: httpx.AsyncClient, dispatch: Dispatch, code: Code
    ) -> None:
        dispatch.error = PapermeshError(code, "아니요.", details={"a": "b"}, request_id="r-9")
        response = await invoke(client, {"action": "PDF_TEXT"})
        assert response.status_code == code.http_status
        assert response.json()["ok"] is False
        assert response.json()["error"] == {
            "code": code,
            "message": "아니요.",
            "retry_after_ms": None,
            "is_transient": code.is_transient,
            "details": {"a": "b"},
        }
        assert response.json()["meta"]["request_id"] == "r-9"
        assert "retry-after" not in response.headers

    @pytest.mark.parametrize("wait_ms", [1, 999, 1000, 1001, 60_000])
    async def test_tells_in_whole_seconds_when_to_come_back(
        self, client: httpx.AsyncClient, dispatch: Dispatch, wait_ms: int
    ) -> None:
        dispatch.error = PapermeshError(Code.RATE_LIMIT, "Wait.", retry_after_ms=wait_ms)
        response = await invoke(client, {"action": "PDF_TEXT"})
        assert response.status_code == 429
        assert response.json()["error"]["retry_after_ms"] == wait_ms
        assert response.headers["retry-after"] == str(math.ceil(wait_ms / 1000))

    async def test_for_ones_own_rate_is_not_asked_for_again_before_its_time(
        self, client: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        dispatch.error = rate_limited(60_000, ACTOR_RATE)
        told = [(await invoke(client, {"action": "PDF_TEXT"})).json()["error"] for _ in range(5)]
        assert {error["code"] for error in told} == {"RATE_LIMIT"}
        assert [error["details"] for error in told] == [{"reason": "actor_rate"}] * 5
        assert len(dispatch.calls) == 1
        assert (await invoke(client, {"action": "PDF_OUTLINE"})).status_code == 429
        assert len(dispatch.calls) == 2

    async def test_names_the_fields_at_fault(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.error = PapermeshError(Code.BAD_ARG, "No.", violations=(FieldViolation("pages", "is wrong"),))
        response = await invoke(client, {"action": "PDF_TEXT"})
        assert response.json()["error"]["details"] == {"fields": [{"field": "pages", "description": "is wrong"}]}

    async def test_of_a_mesh_that_is_away_is_unavailable(self, tmp_path: Path) -> None:
        ensure(tmp_path, "default", ["adapter"])
        with socket.socket() as nobody:  # bound and not listening: whoever connects is turned away
            nobody.bind(("127.0.0.1", 0))
            async with adapter(f"localhost:{nobody.getsockname()[1]}", tmp_path / "adapter", tmp_path) as client:
                response = await invoke(client, {"action": "PDF_TEXT"})
        assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert "connect to" not in response.text

    async def test_of_a_result_over_the_limit_is_too_large(self, client: httpx.AsyncClient, dispatch: Dispatch) -> None:
        dispatch.response.json = "x" * (17 * MIB)  # more than the channel takes
        response = await invoke(client, {"action": "PDF_TEXT"})
        assert (response.status_code, response.json()["error"]["code"]) == (413, "TOO_LARGE")

    async def test_of_a_path_is_an_envelope_too(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/nowhere")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_what_is_over_the_limits_of_json_goes_no_further(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_far(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(DispatchClient, "invoke", too_far)
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"a": deep}
    for args in (deep, {"n": 2**53}, {"texts": [1] * 10_001}):
        await refusal(client, {"action": "PDF_TEXT", "args": args})


class TestTheRequestId:
    @pytest.mark.parametrize(
        ("method", "path", "content"),
        [
            ("POST", "/mcp/invoke", b"{"),
            ("POST", "/mcp/invoke", bytes(MIB + 1)),
            ("GET", "/mcp/invoke", b""),
            ("GET", "/nowhere", b""),
            ("POST", "/documents", b""),
            ("GET", "/documents/x", b""),
        ],
    )
    async def test_is_there_when_the_mesh_never_saw_the_call(
        self, client: httpx.AsyncClient, method: str, path: str, content: bytes
    ) -> None:
        first, second = [await client.request(method, path, content=content) for _ in range(2)]
        assert str(uuid.UUID(first.json()["meta"]["request_id"])) == first.json()["meta"]["request_id"]
        assert first.json()["meta"]["request_id"] != second.json()["meta"]["request_id"]

    async def test_of_a_bug_is_in_the_log_with_the_exception(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(DispatchClient, "invoke", broken)
        traceparent = f"00-{TRACE}-b7ad6b7169203331-01"
        for headers in ({}, {"traceparent": traceparent}):
            caplog.clear()
            response = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers=headers)
            assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL")
            assert "request_id" in response.json()["error"]["message"]
            [record] = [each for each in caplog.records if each.name == "mcp_adapter.http.error_handler"]
            assert record.exc_info
            assert record.exc_info[0] is ZeroDivisionError
            assert record.__dict__["fields"]["request_id"] == response.json()["meta"]["request_id"]
        assert response.json()["meta"]["trace_id"] == TRACE


async def test_one_person_has_so_many_calls_under_way_and_more_again_when_they_end(
    client: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    dispatch.go_on = asyncio.Event()
    call = {"action": "PDF_TEXT", "args": {}}
    under_way = [asyncio.create_task(invoke(client, call)) for _ in range(CALLS.of_actor)]
    async with asyncio.timeout(30):
        while len(dispatch.requests) < CALLS.of_actor:  # noqa: ASYNC110 - nobody tells when calls have come through
            await asyncio.sleep(0.01)
    refused = (await invoke(client, call)).json()["error"]
    assert (refused["code"], refused["details"]) == ("RATE_LIMIT", {"reason": "in_flight"})
    dispatch.go_on.set()
    assert all(answer.is_success for answer in await asyncio.gather(*under_way))
    assert (await invoke(client, call)).is_success


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "identity, gzip"])
@pytest.mark.parametrize(("path", "body"), [("/mcp/invoke", b'{"action": "PDF_TEXT"}'), ("/documents", b"%PDF-1.7\n")])
async def test_a_compressed_body_is_refused(
    client: httpx.AsyncClient, dispatch: Dispatch, path: str, body: bytes, encoding: str
) -> None:
    response = await client.post(path, content=body, headers={"Content-Encoding": encoding})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_ARG")
    assert "send the body uncompressed" in response.json()["error"]["message"]
    assert not dispatch.calls
    assert (await client.post(path, content=body, headers={"Content-Encoding": "Identity"})).is_success


class TestAWait:
    """For a call that does not end by itself."""

    @pytest.fixture
    async def call(self) -> "asyncio.Future[pb.InvokeResponse]":
        return asyncio.get_running_loop().create_future()

    async def test_ends_when_the_caller_has_hung_up_and_so_does_the_call(
        self, call: "asyncio.Future[pb.InvokeResponse]"
    ) -> None:
        async def hung_up() -> Message:
            return {"type": "http.disconnect"}

        waiting = asyncio.create_task(invoking._while_waited_for(Request({"type": "http"}, hung_up), call))
        assert (await asyncio.wait([waiting], timeout=10))[0]
        assert isinstance(waiting.exception(), ClientDisconnect)
        assert call.cancelled()

    async def test_is_cancelled_when_the_process_stops(self, call: "asyncio.Future[pb.InvokeResponse]") -> None:
        async def nothing() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        waiting = asyncio.create_task(invoking._while_waited_for(Request({"type": "http"}, nothing), call))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert call.cancelled()
