"""Which names the adapter answers to, and to whose pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from mcp_adapter.http.error_handler import ErrorHandler
from mcp_adapter.http.hosts import KnownHosts
from services.base.server import Hosted
from services.base.testing import running
from tests.mcp_adapter.conftest import SERVICE, Dispatch, adapter

OURS = [
    "localhost",
    "localhost:9000",
    "LocalHost:1",
    "127.0.0.1",
    "127.0.0.1:9000",
    "127.8.9.10:80",
    "[::1]",
    "[::1]:9000",
]
STRANGERS = [
    "example.com",
    "example.com:9000",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "10.0.0.1:9000",
    "0.0.0.0",  # noqa: S104 - a name that somebody might try
    "[::2]:9000",
    "::1",
    "[::1",
    "localhost:9000@example.com",
    "localhost:x",
    "",
]


@pytest.mark.parametrize("host", OURS)
async def test_a_loopback_host_is_served(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/actions", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", STRANGERS)
async def test_another_host_is_forbidden(client: httpx.AsyncClient, dispatch: Dispatch, host: str) -> None:
    for path in ("/actions", "/docs", "/openapi.json", "/nowhere"):
        response = await client.get(path, headers={"Host": host})
        assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert response.json()["error"]["details"] == {"header": "Host"}
        assert "PAPERMESH_HTTP_HOSTS" in response.json()["error"]["message"]
    assert not dispatch.calls


async def test_a_request_that_names_no_host_is_forbidden() -> None:
    app = ErrorHandler(KnownHosts(PlainTextResponse("served")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        request = client.build_request("GET", "/")
        assert (await client.send(request)).text == "served"
        del request.headers["Host"]
        response = await client.send(request)
    assert (response.status_code, response.json()["error"]["details"]) == (403, {"header": "Host"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_may_call_by_any_name(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"Host": "10.1.2.3:9000"})).status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:9000", "https://127.0.0.1", "http://[::1]:9000"])
async def test_a_page_of_ours_may_call(client: httpx.AsyncClient, origin: str) -> None:
    response = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers={"Origin": origin})
    assert response.status_code == 200


@pytest.mark.parametrize("origin", ["http://example.com", "https://localhost.example.com", "null", "localhost", ""])
async def test_a_page_of_another_is_forbidden(client: httpx.AsyncClient, dispatch: Dispatch, origin: str) -> None:
    response = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers={"Origin": origin})
    assert (response.status_code, response.json()["error"]["details"]) == (403, {"header": "Origin"})
    assert not dispatch.calls


@pytest.mark.parametrize(
    ("host", "status"),
    [("papermesh.example", 200), ("Papermesh.Example:443", 200), ("127.0.0.1", 200), ("x.papermesh.example", 403)],
)
async def test_a_listed_host_is_served_at_any_port(host: str, status: int) -> None:
    app = ErrorHandler(KnownHosts(PlainTextResponse("served"), ["papermesh.example"]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}") as client:
        assert (await client.get("/")).status_code == status
        assert (await client.get("/", headers={"Origin": f"https://{host}"})).status_code == status


CONSOLE = "https://console.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
async def shared(dispatch: Dispatch, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an adapter that a page of another site may call."""
    async with (
        running(Hosted(SERVICE, dispatch), directory=tmp_path) as up,
        adapter(up.address, up.tls_dir, tmp_path, http_origins=CONSOLE) as client,
    ):
        yield client


async def test_a_page_of_a_named_origin_may_call_and_read_the_answer(shared: httpx.AsyncClient) -> None:
    asked = await shared.options("/mcp/invoke", headers={"Origin": CONSOLE, **PREFLIGHT})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, CONSOLE)
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    assert "DELETE" in asked.headers["access-control-allow-methods"]
    called = await shared.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers={"Origin": CONSOLE})
    assert (called.status_code, called.headers["access-control-allow-origin"]) == (200, CONSOLE)
    assert "ETag" in called.headers["access-control-expose-headers"]
    assert "Origin" in called.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    ["http://console.example", f"{CONSOLE}:444", f"{CONSOLE}.evil.example", "https://x.console.example", "null"],
)
async def test_a_page_of_any_other_origin_may_not(shared: httpx.AsyncClient, dispatch: Dispatch, origin: str) -> None:
    for method, headers in (("OPTIONS", PREFLIGHT), ("POST", {})):
        response = await shared.request(method, "/mcp/invoke", headers={"Origin": origin, **headers})
        assert (response.status_code, response.json()["error"]["details"]) == (403, {"header": "Origin"})
        assert "access-control-allow-origin" not in response.headers
    assert not dispatch.calls


async def test_a_named_origin_still_has_to_ask_for_a_known_host(shared: httpx.AsyncClient) -> None:
    response = await shared.get("/actions", headers={"Origin": CONSOLE, "Host": "rebound.example"})
    assert (response.status_code, response.json()["error"]["details"]) == (403, {"header": "Host"})


async def test_without_a_named_origin_nothing_is_shared(client: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://localhost:5173"}
    asked = await client.options("/mcp/invoke", headers={**headers, **PREFLIGHT})
    assert asked.status_code == 405
    called = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers=headers)
    for response in (asked, called):
        assert not [name for name in response.headers if name.startswith("access-control-")]
