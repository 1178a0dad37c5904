"""Whom a connection or a forwarded request is counted for."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from mcp_adapter.http.concurrency import REQUESTS
from mcp_adapter.http.error_handler import ErrorHandler
from mcp_adapter.http.peers import ForwardedShare, Peers

PROXIES = ("10.0.0.0/8", "fd00::/8", "127.0.0.1")


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::5", "20010db800010002"),
        ("2001:db8:1:2:ffff::", "20010db800010002"),
        ("2001:db8:1:3::5", "20010db800010003"),
        ("10.9.9.9", ""),
        ("fd00::1", ""),
        ("127.0.0.1", ""),
        ("127.5.5.5", ""),
        ("::1", ""),
        ("somebody", "?"),
    ],
)
def test_a_peer_is_an_address_or_the_network_that_somebody_is_given(address: str, peer: str) -> None:
    assert Peers(PROXIES).of(address) == peer


@pytest.mark.parametrize(
    ("said", "peer"),
    [
        ([], ""),
        ([b""], ""),
        ([b"192.0.2.7"], "192.0.2.7"),
        ([b"198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ([b"192.0.2.7", b"10.0.0.1"], "192.0.2.7"),
        ([b"198.51.100.1", b"192.0.2.7, 10.0.0.1 ,10.0.0.2"], "192.0.2.7"),
        ([b"192.0.2.7:5123"], "192.0.2.7"),
        ([b"[2001:db8:1:2::5]:5123"], "20010db800010002"),
        ([b"2001:db8:1:2::5"], "20010db800010002"),
        ([b"192.0.2.7, unknown"], "?"),
        ([b"192.0.2.7, \xff"], "?"),
        ([b"10.0.0.1"], ""),
        ([b"192.0.2.7, ::1"], ""),
        ([b"192.0.2.7, 127.0.0.1, ::1, 10.0.0.1"], ""),
    ],
)
def test_the_last_one_that_is_no_proxy_is_believed(said: list[bytes], peer: str) -> None:
    assert Peers(PROXIES).forwarded([(b"host", b"x"), *((b"x-forwarded-for", each) for each in said)]) == peer


@pytest.mark.parametrize("address", ["192.0.2.7", "127.0.0.2", "?"])
def test_nobody_else_is_a_proxy(address: str) -> None:
    assert Peers(PROXIES).is_proxy("10.0.0.1")
    assert not Peers(PROXIES).is_proxy(address)
    assert not Peers().is_proxy("127.0.0.1")


def test_so_many_peers_are_remembered_however_many_come() -> None:
    peers = Peers(PROXIES)
    for number in range(3_000):
        peers.forwarded([(b"x-forwarded-for", f"2001:db8:{number:x}::1".encode())])
    assert peers.of.cache_info().currsize == peers.is_proxy.cache_info().currsize == 1_024


async def test_requests_that_a_proxy_passes_on_for_one_peer_are_no_more_than_its_share() -> None:
    go_on, under_way = asyncio.Event(), []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        under_way.append(scope)
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    shared = ErrorHandler(ForwardedShare(app, Peers(["127.0.0.1"])))
    transport = httpx.ASGITransport(shared, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as proxy, asyncio.TaskGroup() as tasks:

        async def ask(peer: str) -> tuple[int, str | None]:
            answer = await proxy.get("/", headers={"X-Forwarded-For": f"198.51.100.{len(under_way)}, {peer}"})
            return answer.status_code, answer.headers.get("retry-after")

        asked = [tasks.create_task(ask("192.0.2.7")) for _ in range(REQUESTS.of_actor)]
        async with asyncio.timeout(20):
            while len(under_way) < REQUESTS.of_actor:  # noqa: ASYNC110 - nothing tells that a request has begun
                await asyncio.sleep(0.005)
        assert await ask("192.0.2.7") == (429, "1")
        other = tasks.create_task(ask("192.0.2.8"))
        go_on.set()
    assert {task.result() for task in (*asked, other)} == {(200, None)}
    assert 4 * REQUESTS.of_actor <= REQUESTS.total


async def test_what_a_stranger_says_of_whom_its_requests_are_from_takes_nobodys_place() -> None:
    under_way: list[Scope] = []
    all_came, many = asyncio.Event(), REQUESTS.of_actor + 1

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        under_way.append(scope)
        if len(under_way) == many:
            all_came.set()
        await all_came.wait()

    async def unused(*_: object) -> Any:
        raise AssertionError

    shared = ForwardedShare(app, Peers(["127.0.0.1"]))
    scope = {"type": "http", "client": ("198.51.100.9", 1), "headers": [(b"x-forwarded-for", b"192.0.2.7")]}
    async with asyncio.timeout(20):
        await asyncio.gather(*(shared(scope, unused, unused) for _ in range(many)))
