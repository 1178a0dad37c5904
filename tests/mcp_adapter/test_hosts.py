"""Which names the adapter answers to, and to whose pages."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from mcp_adapter.hosts import KnownHosts
from tests.mcp_adapter.conftest import Dispatch

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
    app = KnownHosts(PlainTextResponse("served"), ["papermesh.example"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}") as client:
        assert (await client.get("/")).status_code == status
        assert (await client.get("/", headers={"Origin": f"https://{host}"})).status_code == status
