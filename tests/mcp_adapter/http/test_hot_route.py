"""The hot route's way past the router."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mcp_adapter.http.hot_route import HotRoute
from tests.mcp_adapter.conftest import Dispatch


async def hot(_: Request) -> Response:
    return PlainTextResponse("hot")


async def router(_: Request) -> Response:
    return PlainTextResponse("router")


@pytest.fixture
def bare() -> httpx.AsyncClient:
    """A client of a hot route before a router that takes everything."""
    behind = Starlette(routes=[Route("/{path:path}", router, methods=["GET", "POST"])])
    app = HotRoute(behind, Route("/hot", hot, methods=["POST"]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("method", "path", "taken_by"),
    [
        ("POST", "/hot", "hot"),
        ("POST", "/hot?with=query", "hot"),
        ("POST", "/%68ot", "hot"),  # as the router would read it
        ("GET", "/hot", "router"),
        ("POST", "/hot/", "router"),
        ("POST", "//hot", "router"),
        ("POST", "/hot/more", "router"),
        ("POST", "/HOT", "router"),
        ("POST", "/", "router"),
    ],
)
async def test_it_takes_one_path_by_its_methods_alone(
    bare: httpx.AsyncClient, method: str, path: str, taken_by: str
) -> None:
    assert (await bare.request(method, path)).text == taken_by


@pytest.mark.parametrize("header", ["Host", "Origin"])
async def test_a_stranger_does_not_get_to_it(client: httpx.AsyncClient, dispatch: Dispatch, header: str) -> None:
    response = await client.post("/mcp/invoke", json={"action": "PDF_TEXT"}, headers={header: "https://example.com"})
    assert (response.status_code, response.json()["error"]["details"]) == (403, {"header": header})
    assert not dispatch.calls
