"""URLs that a browser opens by itself."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from mcp_adapter.people import tickets
from mcp_adapter.people.api_keys import digest, new_api_key
from mcp_adapter.people.api_keys_file import ApiKey, listing
from services.base.server import Hosted
from services.base.signature import KeyFileError, new_secret
from services.base.testing import running
from tests.mcp_adapter.conftest import SERVICE, Dispatch, adapter

IMAGE = "/images/img_x"
KIM, LEE = new_api_key(), new_api_key()


@pytest.fixture
async def two(dispatch: Dispatch, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two adapters of a deployment, which ask who calls."""
    dispatch.images["img_x"] = b"picture"
    people = [ApiKey("k-1", "kim", digest(KIM), None), ApiKey("k-2", "lee", digest(LEE), None)]
    files = {"api-keys.json": listing(people), "tickets.json": tickets.new_key_file()}
    for name, content in files.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)
    how = {
        "auth": "api-keys",
        "api_keys_file": tmp_path / "api-keys.json",
        "ticket_key_file": tmp_path / "tickets.json",
    }
    async with (
        running(Hosted(SERVICE, dispatch), directory=tmp_path) as up,
        adapter(up.address, up.tls_dir, tmp_path, **how) as one,
        adapter(up.address, up.tls_dir, tmp_path, **how) as other,
    ):
        yield [one, other]


async def ticket(client: httpx.AsyncClient, path: object = IMAGE, key: str = KIM) -> httpx.Response:
    return await client.post("/tickets", json={"path": path}, headers={"Authorization": f"Bearer {key}"})


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_ticket_opens_its_path_as_who_asked_for_it(two: list[httpx.AsyncClient], dispatch: Dispatch) -> None:
    made = await ticket(two[0])
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert made.json()["data"]["expires_in_s"] == 60
    opened = await two[0].get(made.json()["data"]["url"])
    assert (opened.status_code, opened.content) == (200, b"picture")
    assert dispatch.actors == ["kim"]


async def test_a_ticket_is_good_once_over_all_adapters(two: list[httpx.AsyncClient]) -> None:
    url = (await ticket(two[0])).json()["data"]["url"]
    assert (await two[1].get(url)).status_code == 200
    for each in two:
        again = await each.get(url)
        assert code(again) == (401, "UNAUTHENTICATED")
        assert "POST /tickets gives another" in again.json()["error"]["message"]


async def test_a_ticket_opens_nothing_else(two: list[httpx.AsyncClient], dispatch: Dispatch) -> None:
    dispatch.images["img_y"] = b"another"
    query = (await ticket(two[0])).json()["data"]["url"].partition("?")[2]
    for path in ("/images/img_y", "/documents", "/actions", "/images/img_x/"):
        assert code(await two[0].get(f"{path}?{query}")) == (401, "UNAUTHENTICATED")
    assert (await two[0].head(f"{IMAGE}?{query}")).status_code == 401, "a HEAD would use it up"
    assert (await two[0].request("DELETE", f"/documents/{'0' * 64}?{query}")).status_code == 401
    assert dispatch.calls == []


async def test_a_ticket_wins_over_a_credential(two: list[httpx.AsyncClient], dispatch: Dispatch) -> None:
    url = (await ticket(two[0])).json()["data"]["url"]
    assert (await two[0].get(url, headers={"Authorization": f"Bearer {LEE}"})).status_code == 200
    assert dispatch.actors == ["kim"]


async def test_a_ticket_ends_after_a_minute(two: list[httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch) -> None:
    url = (await ticket(two[0])).json()["data"]["url"]
    monkeypatch.setattr(tickets, "LIFETIME_S", -1)
    assert code(await two[0].get(url)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("sent", ["", "x", "gAAAAA", "a" * 5000, "%00", "\u00e4", "=" * 9])
async def test_what_is_no_ticket_opens_nothing(two: list[httpx.AsyncClient], sent: str) -> None:
    response = await two[0].get(IMAGE, params={"ticket": sent})
    assert code(response) == (401, "UNAUTHENTICATED")
    assert sent not in response.text or len(sent) < 2


async def test_nobody_gets_a_ticket_without_a_credential(two: list[httpx.AsyncClient]) -> None:
    assert code(await two[0].post("/tickets", json={"path": IMAGE})) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/actions",
        "/documents",
        "/images/",
        "/images/a/b",
        "/images/a?x=1",
        "//images/a",
        "images/a",
        "/jobs/1",
    ],
)
async def test_a_path_that_takes_no_ticket_is_refused(two: list[httpx.AsyncClient], path: str) -> None:
    response = await ticket(two[0], path)
    assert code(response) == (400, "BAD_ARG")
    assert response.json()["error"]["details"]["fields"][0]["field"] == "path"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"path": 1}', b'{"path": "/images/a", "x": 1}'])
async def test_another_body_is_refused(two: list[httpx.AsyncClient], body: bytes) -> None:
    response = await two[0].post("/tickets", content=body, headers={"Authorization": f"Bearer {KIM}"})
    assert code(response) == (400, "BAD_ARG")


async def test_a_large_body_is_refused(two: list[httpx.AsyncClient]) -> None:
    response = await two[0].post("/tickets", content=b" " * 5000, headers={"Authorization": f"Bearer {KIM}"})
    assert code(response) == (413, "TOO_LARGE")


async def test_tickets_work_without_a_key_of_their_own(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.images["img_x"] = b"picture"
    url = (await client.post("/tickets", json={"path": IMAGE})).json()["data"]["url"]
    assert [(await client.get(url)).status_code for _ in range(2)] == [200, 401]
    assert (await client.get(IMAGE)).status_code == 200, "nobody is asked here anyway"


def test_a_key_is_replaced_without_a_lost_ticket(tmp_path: Path) -> None:
    file, old, new = tmp_path / "tickets.json", new_secret(), new_secret()
    file.touch(mode=0o600)

    def keys(*secrets: str) -> tickets.TicketKeys:
        file.write_text(json.dumps({"secrets": secrets}))
        return tickets.read_key_file(file)

    before, between, after = keys(old), keys(old, new), keys(new, old)
    for sealing, opening in ((before, between), (between, before), (between, after), (after, between)):
        assert tickets.unseal(opening, tickets.seal(sealing, IMAGE, "kim"), IMAGE).actor == "kim"


def test_the_longest_actor_gets_a_ticket() -> None:
    keys = tickets.key_of_this_process()
    actor = "\U00020000" * 256
    sealed = tickets.seal(keys, IMAGE, actor)
    assert tickets.unseal(keys, sealed, IMAGE).actor == actor
    assert actor not in sealed


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"secrets": []}', '{"secrets": "x"}', '{"secrets": ["short"]}'])
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tickets.json"
    file.touch(mode=0o600)
    file.write_text(content)
    with pytest.raises(KeyFileError, match=r"tickets\.json"):
        tickets.read_key_file(file)


def test_keys_that_stay_the_same_are_equal_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "tickets.json"
    file.touch(mode=0o600)
    file.write_bytes(tickets.new_key_file())
    assert tickets.read_key_file(file) == tickets.read_key_file(file)
    assert "TicketKeys()" in repr(tickets.read_key_file(file))
