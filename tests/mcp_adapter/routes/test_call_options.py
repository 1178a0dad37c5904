"""The headers that say how a call is to be made, and those that say how long its answer is good."""

import httpx
import pytest

from services.base.errors import Code, PapermeshError
from tests.mcp_adapter.conftest import Dispatch

CALL = {"action": "PDF_TEXT"}


async def invoke(client: httpx.AsyncClient, *headers: tuple[str, str]) -> httpx.Response:
    return await client.post("/mcp/invoke", json=CALL, headers=list(headers))


@pytest.mark.parametrize("said", ["no-cache", "No-Cache", "no-store", "max-age=0, no-cache", "no-store,no-transform"])
async def test_a_caller_may_have_the_result_computed_anew(
    client: httpx.AsyncClient, dispatch: Dispatch, said: str
) -> None:
    assert (await invoke(client, ("Cache-Control", said))).status_code == 200
    assert dispatch.requests[0].no_cache


@pytest.mark.parametrize("said", ["", "max-age=0", "only-if-cached", "no-cachet", "x=no-cache"])
async def test_other_words_change_nothing(client: httpx.AsyncClient, dispatch: Dispatch, said: str) -> None:
    assert (await invoke(client, ("Cache-Control", said))).status_code == 200
    assert not dispatch.requests[0].no_cache


async def test_the_words_may_be_in_several_headers(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    assert (await invoke(client, ("Cache-Control", "max-age=0"), ("Cache-Control", "no-cache"))).is_success
    assert dispatch.requests[0].no_cache


@pytest.mark.parametrize("key", ["a", "x" * 128, "!~", '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
async def test_an_idempotency_key_is_signed_and_passed_on(
    client: httpx.AsyncClient, dispatch: Dispatch, key: str
) -> None:
    assert (await invoke(client, ("Idempotency-Key", key), ("Cache-Control", "no-cache"))).status_code == 200
    assert dispatch.requests[0].idempotency_key == key


async def test_without_a_key_there_is_none(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    assert (await invoke(client)).status_code == 200
    assert dispatch.requests[0].idempotency_key == ""


@pytest.mark.parametrize("keys", [[""], ["x" * 129], ["a b"], ["é"], ["a", "a"], ["a\tb"]])
async def test_an_idempotency_key_that_is_none_is_refused(
    client: httpx.AsyncClient, dispatch: Dispatch, keys: list[str]
) -> None:
    headers = [(b"Idempotency-Key", key.encode()) for key in keys]
    response = await client.post("/mcp/invoke", json=CALL, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_ARG")
    assert response.json()["error"]["details"]["fields"][0]["field"] == "Idempotency-Key"
    assert not dispatch.calls


async def test_a_result_of_the_cache_has_a_tag_and_an_age(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.response.result_id, dispatch.response.max_age_s = "ab" * 16, 417
    response = await invoke(client)
    assert response.headers["etag"] == f'W/"{"ab" * 16}"'
    assert response.headers["cache-control"] == "private, max-age=417"


async def test_another_result_is_for_no_cache(client: httpx.AsyncClient) -> None:
    response = await invoke(client)
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


@pytest.mark.parametrize("code", Code)
async def test_a_failure_is_for_no_cache(client: httpx.AsyncClient, dispatch: Dispatch, code: Code) -> None:
    dispatch.error = PapermeshError(code, "No.", retry_after_ms=1000)
    response = await invoke(client)
    assert (response.headers["cache-control"], response.headers["retry-after"]) == ("no-store", "1")
