"""Who gets past the door: the adapter with each of its ways to know callers."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, changing
from services.base.server import Hosted
from services.base.testing import Running, running
from tests.mcp_adapter.conftest import SERVICE, Dispatch, adapter, until
from tests.mcp_adapter.people.conftest import AUDIENCE, OTHER_RSA, StandIn

KEY = new_api_key()
CLOSED = [
    ("POST", "/mcp/invoke"),
    ("GET", "/actions"),
    ("HEAD", "/actions"),
    ("POST", "/documents"),
    ("GET", f"/documents/{'ab' * 32}"),
    ("DELETE", f"/documents/{'ab' * 32}"),
    ("GET", "/nowhere"),
    ("GET", "/docs/"),
    ("GET", "/docs/oauth2-redirect"),
    ("GET", "//docs"),
    ("POST", "/healthz/../mcp/invoke"),
]
CALL = {"action": "PDF_TEXT"}


@pytest.fixture
async def mesh(dispatch: Dispatch, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(Hosted(SERVICE, dispatch), directory=tmp_path) as up:
        yield up


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    file = tmp_path / "api-keys.json"
    with changing(file) as keys:
        keys.append(ApiKey("k-1", "ada", digest(KEY), None))
    return file


@pytest.fixture
async def with_keys(mesh: Running, tmp_path: Path, keys_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with adapter(mesh.address, mesh.tls_dir, tmp_path, auth="api-keys", api_keys_file=keys_file) as client:
        yield client


@pytest.fixture
async def with_tokens(mesh: Running, tmp_path: Path, issuer: StandIn) -> AsyncIterator[httpx.AsyncClient]:
    oidc = {"auth": "oidc", "oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
    async with adapter(mesh.address, mesh.tls_dir, tmp_path, **oidc) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_without_authentication_everybody_is_the_same_local_person(
    client: httpx.AsyncClient, dispatch: Dispatch
) -> None:
    for headers in ({}, bearer("whatever"), {"Authorization": "Basic YTpi"}):
        assert (await client.post("/mcp/invoke", json=CALL, headers=headers)).status_code == 200
    assert dispatch.actors == ["local"] * 3


class TestApiKeys:
    async def test_a_key_makes_its_actor_the_caller(self, with_keys: httpx.AsyncClient, dispatch: Dispatch) -> None:
        assert (await with_keys.post("/mcp/invoke", json=CALL, headers=bearer(KEY))).status_code == 200
        assert (await with_keys.get("/actions", headers=bearer(KEY))).status_code == 200
        assert (await with_keys.post("/documents", content=b"%PDF-1.7", headers=bearer(KEY))).status_code == 201
        assert dispatch.actors == ["ada"] * 3

    @pytest.mark.parametrize(("method", "path"), CLOSED)
    async def test_without_a_key_every_path_is_closed(
        self, with_keys: httpx.AsyncClient, dispatch: Dispatch, method: str, path: str
    ) -> None:
        response = await with_keys.request(method, path)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="papermesh"'
        assert response.headers["cache-control"] == "no-store"
        if method != "HEAD":
            assert response.json()["error"]["code"] == "UNAUTHENTICATED"
            assert response.json()["meta"]["request_id"]
        assert not dispatch.calls

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
    async def test_probes_and_the_apis_description_are_open(self, with_keys: httpx.AsyncClient, path: str) -> None:
        assert (await with_keys.get(path)).status_code == 200

    async def test_readiness_is_asked_for_nobody(self, with_keys: httpx.AsyncClient, dispatch: Dispatch) -> None:
        assert (await with_keys.get("/readyz")).status_code == 200
        assert dispatch.actors == [""]

    async def test_a_wrong_key_is_told_so_and_is_nowhere_repeated(
        self, with_keys: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wrong = new_api_key()
        response = await with_keys.post("/mcp/invoke", json=CALL, headers=bearer(wrong))
        assert response.status_code == 401
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="papermesh", error="invalid_token", error_description="This API key')
        assert response.json()["error"]["details"] == {"reason": "invalid_token"}
        assert "Rejected a caller" in caplog.text
        for place in (response.text, challenge, caplog.text):
            assert wrong not in place

    async def test_a_header_that_is_sent_twice_is_a_bad_request(
        self, with_keys: httpx.AsyncClient, dispatch: Dispatch
    ) -> None:
        headers = [("Authorization", f"Bearer {KEY}"), ("Authorization", f"Bearer {KEY}")]
        response = await with_keys.post("/mcp/invoke", json=CALL, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_ARG")
        assert 'error="invalid_request"' in response.headers["www-authenticate"]
        assert not dispatch.calls

    async def test_keys_come_and_go_while_the_adapter_runs(self, with_keys: httpx.AsyncClient, keys_file: Path) -> None:
        new = new_api_key()
        with changing(keys_file) as keys:
            keys[:] = [ApiKey("k-2", "bob", digest(new), None)]

        async def is_known(key: str) -> bool:
            return (await with_keys.get("/actions", headers=bearer(key))).is_success

        await until(lambda: is_known(new))
        assert not await is_known(KEY)

    async def test_the_api_says_that_it_wants_a_bearer(
        self, with_keys: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        described = (await with_keys.get("/openapi.json")).json()
        assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        for path, operations in described["paths"].items():
            closed = path not in {"/healthz", "/readyz"}
            assert all(("security" in each) is closed for each in operations.values()), path
        assert "components" not in (await client.get("/openapi.json")).json()


class TestTokens:
    async def test_a_token_makes_its_subject_the_caller(
        self, with_tokens: httpx.AsyncClient, dispatch: Dispatch, issuer: StandIn
    ) -> None:
        headers = bearer(issuer.token(sub="ada@corp.example"))
        assert (await with_tokens.post("/mcp/invoke", json=CALL, headers=headers)).status_code == 200
        assert dispatch.actors == ["ada@corp.example"]

    async def test_a_forged_token_is_nowhere_repeated(
        self, with_tokens: httpx.AsyncClient, dispatch: Dispatch, issuer: StandIn, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        forged = issuer.token(OTHER_RSA)
        response = await with_tokens.post("/mcp/invoke", json=CALL, headers=bearer(forged))
        assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert forged.split(".")[2] not in response.text + caplog.text
        assert not dispatch.calls

    async def test_a_token_over_eight_kibibytes_is_not_looked_at(
        self, with_tokens: httpx.AsyncClient, issuer: StandIn
    ) -> None:
        response = await with_tokens.get("/actions", headers=bearer(issuer.token(more="x" * 8000)))
        assert response.status_code == 401
        assert "8192 bytes" in response.json()["error"]["message"]


async def test_while_the_issuer_is_away_nobody_is_known_and_the_adapter_is_not_ready(
    mesh: Running, tmp_path: Path, issuer: StandIn, dispatch: Dispatch
) -> None:
    issuer.answers.clear()
    oidc = {"auth": "oidc", "oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
    async with adapter(mesh.address, mesh.tls_dir, tmp_path, **oidc) as client:
        response = await client.get("/actions", headers=bearer(issuer.token()))
        assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert 1 <= int(response.headers["retry-after"]) <= 30
        assert "www-authenticate" not in response.headers
        ready = await client.get("/readyz")
        assert (ready.status_code, "issuer" in ready.json()["waiting_for"]) == (503, True)
        assert (await client.get("/healthz")).status_code == 200
    assert not dispatch.calls
