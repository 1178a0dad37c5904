"""The catalogue, health, and what the API says of itself."""

import httpx
import pytest

from services.base.errors import ACTOR_RATE, Code, PapermeshError, rate_limited
from tests.mcp_adapter.conftest import Dispatch


async def test_the_catalogue_lists_actions_with_their_schemas(client: httpx.AsyncClient) -> None:
    response = await client.get("/actions")
    assert response.json()["data"] == {
        "actions": [
            {
                "name": "PDF_TEXT",
                "description": "",
                "args_schema": {"type": "object"},
                "result_schema": {},
                "timeout_s": 10.0,
                "cache_ttl_s": None,
                "rate": {"requests_per_minute": 60, "burst": 10},
                "job": True,
                "read_only": False,
            }
        ]
    }


async def test_a_failure_to_list_is_an_envelope(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.error = PapermeshError(Code.UNAVAILABLE, "Away.")
    response = await client.get("/actions")
    assert (response.status_code, response.json()["error"]["is_transient"]) == (503, True)


async def test_whom_dispatch_refused_for_their_rate_is_refused_here_for_as_long(
    client: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    dispatch.error = rate_limited(60_000, ACTOR_RATE)
    for _ in range(3):
        assert (await client.get("/actions")).status_code == 429
    assert len(dispatch.calls) == 1


async def test_the_process_is_healthy_whatever_the_mesh_does(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.error = PapermeshError(Code.UNAVAILABLE, "Away.")
    assert (await client.get("/healthz")).status_code == 200


async def test_it_is_ready_once_the_mesh_has_answered_and_stays_so(
    client: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    dispatch.error = PapermeshError(Code.UNAVAILABLE, "Away.")
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["waiting_for"]) == (503, "UNAVAILABLE: Away.")
    dispatch.error = None
    assert (await client.get("/readyz")).status_code == 200
    dispatch.error = PapermeshError(Code.UNAVAILABLE, "Away.")
    assert (await client.get("/readyz")).status_code == 200


async def test_the_api_describes_every_route(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    documents = {"/documents", "/documents/{sha256}", "/images/{image_id}", "/tickets"}
    assert {"/mcp/invoke", "/actions", "/healthz", "/readyz", *documents} <= set(paths)
    assert paths["/images/{image_id}"]["get"]["responses"].keys() == {"200", "304", "default"}
    assert paths["/tickets"]["post"]["requestBody"]["content"].keys() == {"application/json"}
    listed = {each["name"] for each in paths["/documents"]["get"]["parameters"]}
    assert listed == {"page_size", "page_token"}


@pytest.mark.parametrize("path", ["/docs"])
async def test_the_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert "https://" not in response.text


async def test_the_api_says_that_a_download_is_bytes(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths["/documents/{sha256}"]["get"]["responses"]["200"]["content"].keys() == {"application/octet-stream"}
    assert "head" not in paths["/documents/{sha256}"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/actions", "/docs", "/openapi.json"])
async def test_what_can_be_read_can_be_asked_for_its_head(client: httpx.AsyncClient, path: str) -> None:
    head, whole = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("OPTIONS", "/mcp/invoke", "POST"),
        ("GET", "/mcp/invoke", "POST"),
        ("HEAD", "/mcp/invoke", "POST"),
        ("POST", "/actions", "GET, HEAD"),
        ("OPTIONS", "/documents/x", "DELETE, GET, HEAD"),
        ("DELETE", "/documents", "GET, HEAD, POST"),
        ("POST", "/images/img_x", "GET, HEAD"),
        ("GET", "/tickets", "POST"),
        ("PUT", "/docs", "GET, HEAD"),
        ("POST", "/static-offline-docs/favicon.png", "GET, HEAD"),
    ],
)
async def test_a_method_that_a_path_does_not_take_is_told_those_that_it_takes(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert response.json()["error"]["code"] == "BAD_ARG"
