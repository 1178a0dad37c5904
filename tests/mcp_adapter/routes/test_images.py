"""Pictures of pages."""

import os

import httpx

from services.base.errors import Code, PapermeshError
from tests.mcp_adapter.conftest import Dispatch

PICTURE = os.urandom(600_000)
IMAGE = "/images/img_a-b_c"


async def test_a_picture_is_shown_as_what_it_is(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.images["img_a-b_c"] = PICTURE
    response = await client.get(IMAGE)
    assert (response.status_code, response.content) == (200, PICTURE)
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["content-length"] == str(len(PICTURE))
    assert response.headers["content-disposition"] == 'inline; filename="img_a-b_c.webp"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "private, no-cache"
    assert dispatch.actors == ["local"]


async def test_a_head_says_how_large_it_is(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.images["img_a-b_c"] = PICTURE
    response = await client.head(IMAGE)
    assert (response.headers["content-length"], response.content) == (str(len(PICTURE)), b"")


async def test_who_has_it_gets_no_bytes_and_is_asked_for_its_right_all_the_same(
    client: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    dispatch.images["img_a-b_c"] = PICTURE
    tag = (await client.get(IMAGE)).headers["etag"]
    response = await client.get(IMAGE, headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")
    dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such picture.")
    assert (await client.get(IMAGE, headers={"If-None-Match": tag})).status_code == 404


async def test_what_dispatch_answers_is_told(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such picture.")
    response = await client.get(IMAGE)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_no_call_is_left_under_way(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.images["img_a-b_c"] = PICTURE
    for _ in range(20):  # an actor has 8 places
        assert (await client.get(IMAGE)).status_code == 200
        assert (await client.head(IMAGE)).status_code == 200
