"""The table of shared places in docs/rates.md: every row is filled, with as many as it says, and what comes of it."""

import asyncio
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest

from envoy import clusters, rate_limits
from envoy.topology import Topology
from mcp_adapter.http import concurrency, probes
from mcp_adapter.http.concurrency import Room
from mcp_adapter.http.connection import Connection
from mcp_adapter.http.connections import Connections
from mcp_adapter.http.limits import Limits as HttpLimits
from services.base.actions import Rate
from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.base.redis.link import RedisLink
from services.base.shares import ANSWER_BYTES, ANSWER_SHARE, CALLS, SHARE, UNVERIFIED_READ, Shares
from services.dispatch import memory_pressure
from services.dispatch.admission import epoch
from services.dispatch.admission.clients import Client
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import Bucket, State
from services.dispatch.admission.verification import Caller
from services.dispatch.answers import idempotency
from services.dispatch.answers.idempotency import Idempotency, KeyedCall
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.settings import DispatchSettings
from services.dispatch.uploads.ownership import Ownership, Quota
from services.pdf.processes.fair_queue import FairQueue
from services.pdf.processes.kept import KeptWorkers
from services.pdf.processes.limits import Limits
from services.pdf.processes.subject import Holder
from tests.envoy.backend import hang
from tests.envoy.harness import INVOKE, running_mesh
from tests.mcp_adapter.http.test_connection import request
from tests.mcp_adapter.http.test_connection import serving as serving_http
from tests.support.clients import REPORTS_ID, REPORTS_KEY
from tests.support.redis_server import RedisServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rates.md"
_NUMBER = re.compile(r"([0-9,]+)")

FEW = 4
"""Of Envoy's places: the mechanism is its own, and opening thousands proves no more."""

OWN = {
    # Counts of one certificate, one client or one connection: nobody else has a part in them.
    *("requests in line on a connection", "calls being read", "documents of a client", "idempotency keys"),
    "calls of a client at a service",
    # A newcomer takes the place of who has had it longest, or of whoever has the most.
    *("connections for probes", "places at work", "workers kept", "answers that people do not take"),
    # Envoy counts nothing that is held by certificate (docs/envoy.md), and the state's memory is counted by client.
    *("edge connections", "calls in flight", "clients with buckets", "memory of the state"),
}

ACTION = (("x-action", "PDF_METADATA"),)
ADA, BOB = Flow("company", "ada"), Flow("company", "bob")


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    shared: str
    places: int
    share: str
    when_full: str

    @property
    def of_one(self) -> int:
        """The share of one, where it is a number."""
        found = _NUMBER.match(self.share)
        assert found, self
        return int(found[1].replace(",", ""))


def rows() -> dict[str, Row]:
    """The table's rows by what they are about."""
    section = PAGE.read_text(encoding="utf-8").partition("## Shared places\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")][1:]
    found = {}
    for line in table:
        shared, _, number, _, _, share, when_full = (cell.strip() for cell in line.strip("| ").split(" | "))
        count = _NUMBER.match(number)
        assert count, line
        found[shared] = Row(shared, int(count[1].replace(",", "")), share, when_full)
    return found


TABLE = rows()


def code_of(attempt: Callable[[], object]) -> Code:
    with pytest.raises(PapermeshError) as caught:
        attempt()
    return caught.value.code


async def code_of_async(attempt: Awaitable[object]) -> Code:
    with pytest.raises(PapermeshError) as caught:
        await attempt
    return caught.value.code


class Idler:
    """A connection without a request."""

    def __init__(self, held: Connections) -> None:
        self._held = held
        self.open = True

    def untaken_bytes(self) -> int:
        return 1

    def make_room(self) -> None:
        self.open = False
        self._held.leave(self)


def connections_of(limits: HttpLimits, row: Row) -> None:
    assert (limits.connections, limits.peer_connections) == (row.places, row.of_one)
    held = Connections(limits)
    idle = [Idler(held) for _ in range(row.places)]
    for each in idle:
        held.admit(each, "")
    held.admit(Idler(held), "")
    assert [each.open for each in idle] == [False] + [True] * (row.places - 1), "the one idle longest goes"


async def fill_connections(row: Row) -> None:
    limits = Connection.limits
    connections_of(limits, row)
    held = Connections(limits)
    for number in range(row.places):
        busy = Idler(held)
        held.admit(busy, f"10.0.0.{number // row.of_one}")
        held.work(busy)
        if number == row.of_one - 1:
            assert code_of(lambda: held.admit(Idler(held), "10.0.0.0")) is Code.RATE_LIMIT
    assert code_of(lambda: held.admit(Idler(held), "10.0.1.1")) is Code.UNAVAILABLE


async def fill_probes(row: Row) -> None:
    connections_of(probes.LIMITS, row)


def room(one: Room) -> Callable[[Row], Awaitable[None]]:
    """Fills a room of the adapter's."""

    async def fill(row: Row) -> None:
        assert (one.total, one.of_actor) == (row.places, row.of_one)
        held = concurrency.Places(one)
        with ExitStack() as stack:
            for number in range(row.places):
                stack.enter_context(held.take(f"actor-{number // row.of_one}"))
                if number == row.of_one - 1:
                    assert code_of(lambda: held.take("actor-0").__enter__()) is Code.RATE_LIMIT
            assert code_of(lambda: held.take("somebody").__enter__()) is Code.UNAVAILABLE
        with held.take("actor-0"):
            pass

    return fill


async def fill_answers_people_do_not_take(row: Row) -> None:
    held = Connections(Connection.limits)
    slow = [Idler(held) for _ in range(9)]
    for each in slow:
        held.admit(each, "")
        held.take(each, row.places * 1024 * 1024 // 8)
    assert [each.open for each in slow] == [False] + [True] * 8, "the oldest goes"


async def fill_requests_in_line(row: Row) -> None:
    assert Connection.limits.pipelined == row.places == row.of_one
    async with serving_http(Connection.limits) as served:
        served.reads.clear()
        answers = asyncio.create_task(served.say(request(body=b"x") * (row.places + 3)))
        await until(lambda: any(len(each.pipeline) == row.places for each in served.connections))
        served.reads.set()
        said = await answers
    assert said.count(b"HTTP/1.1 200") == row.places + 1, "those in line, and the one that they wait for"
    assert said.lower().count(b"connection: close") == 1


async def fill_edge_connections(row: Row) -> None:
    assert {each.name: each.default for each in fields(Topology)}["connection_limit"] == 2 * row.places
    with short_folder() as folder, running_mesh(folder, connection_limit=2 * FEW) as mesh, ExitStack() as held:
        edge = mesh.envoy.topology.edge
        for _ in range(FEW):
            held.enter_context(socket.create_connection((edge.host, edge.port), timeout=20))
        await until(lambda: mesh.envoy.counter("listener.edge.downstream_cx_active") == FEW)
        with socket.create_connection((edge.host, edge.port), timeout=20) as one_more:
            assert one_more.recv(1) == b""


async def fill_calls_in_flight(row: Row) -> None:
    assert row.places == clusters.MAX_REQUESTS
    with pytest.MonkeyPatch.context() as patch, short_folder() as folder:
        patch.setattr(clusters, "MAX_REQUESTS", FEW)
        with running_mesh(folder, dispatch=hang) as mesh, mesh.channel(mesh.envoy.topology.edge) as channel:
            call = channel.unary_unary(INVOKE)
            held = [call.future(b"", timeout=60, metadata=ACTION) for _ in range(FEW)]
            await until(lambda: len(mesh.dispatch.calls) == FEW)
            assert mesh.refused(INVOKE, metadata=ACTION).code() is grpc.StatusCode.UNAVAILABLE
            for each in held:
                each.cancel()


async def fill_clients_with_buckets(row: Row) -> None:
    assert row.places == rate_limits.MAX_CLIENTS
    with pytest.MonkeyPatch.context() as patch, short_folder() as folder:
        patch.setattr(rate_limits, "MAX_CLIENTS", 1)
        with running_mesh(folder, rate_scale=0.1) as mesh:  # so that a bucket takes longer to fill than the test takes
            for _ in range(rate_limits.UNKNOWN.burst // 10):
                mesh.call(INVOKE)
            assert mesh.refused(INVOKE).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            mesh.call(INVOKE, by="client/reports")
            mesh.call(INVOKE)


async def fill_calls_at_dispatch(row: Row) -> None:
    assert (row.places, row.of_one) == (CALLS, SHARE)
    shares = Shares()
    held = [shares.enter(f"certificate-{number // SHARE}") for number in range(CALLS)]
    assert code_of(lambda: shares.enter("certificate-0")) is Code.RATE_LIMIT
    assert code_of(lambda: shares.enter("somebody")) is Code.UNAVAILABLE
    held.pop().leave()
    shares.enter("somebody")


async def fill_answers_not_taken(row: Row) -> None:
    mib = 1024 * 1024
    assert (row.places * mib, row.of_one * mib) == (ANSWER_BYTES, ANSWER_SHARE)
    shares = Shares()
    for number in range(4):
        shares.enter(f"certificate-{number}").hold(ANSWER_SHARE)
    assert code_of(lambda: shares.enter("certificate-0").hold(mib)) is Code.RATE_LIMIT
    one_more = shares.enter("somebody")
    assert code_of(lambda: one_more.hold(mib)) is Code.UNAVAILABLE
    one_more.leave()


async def fill_calls_being_read(row: Row) -> None:
    assert UNVERIFIED_READ == row.places == row.of_one
    shares = Shares()
    read = [shares.enter("one") for _ in range(row.places)]
    for each in read:
        await each.may_be_read()
    waiting = asyncio.create_task(shares.enter("one").may_be_read())
    await asyncio.sleep(0)
    await shares.enter("another").may_be_read()
    assert not waiting.done()
    read[0].leave()
    await waiting


async def fill_calls_of_a_client(row: Row) -> None:
    assert DispatchSettings.model_fields["client_calls_at_once"].default == row.places
    assert DispatchSettings.model_fields["calls_at_once"].default == row.of_one
    limit = ConcurrencyLimit(row.of_one, row.places)
    for number in range(row.places):
        limit.acquire(caller(f"actor-{number // row.of_one}"), "service")
        if number == row.of_one - 1:
            assert code_of(lambda: limit.acquire(caller("actor-0"), "service")) is Code.RATE_LIMIT
    assert code_of(lambda: limit.acquire(caller("somebody"), "service")) is Code.RATE_LIMIT
    limit.acquire(caller("actor-0"), "another service")


async def fill_places_at_work(row: Row) -> None:
    at_work = FairQueue(row.places, limit=10)
    for _ in range(row.places):
        await at_work.take(ADA, in_seconds(60))
    next_one = asyncio.create_task(at_work.take(BOB, in_seconds(60)))
    await until(lambda: at_work.waiting)
    at_work.give(ADA)
    await next_one


async def fill_calls_that_wait(row: Row) -> None:
    assert Limits().waiting == row.places == 4 * row.of_one
    assert DispatchSettings.model_fields["client_calls_at_once"].default == row.of_one
    at_work = FairQueue(0, limit=row.places)
    waiting = [asyncio.create_task(at_work.take(ADA, in_seconds(60))) for _ in range(row.places)]
    await until(lambda: at_work.waiting == row.places)
    assert await code_of_async(at_work.take(ADA, in_seconds(60))) is Code.RATE_LIMIT
    newcomer = asyncio.create_task(at_work.take(BOB, in_seconds(60)))
    assert await code_of_async(waiting[-1]) is Code.RATE_LIMIT, "the longest line gives way"
    for each in (newcomer, *waiting):
        each.cancel()


async def fill_workers_kept(row: Row) -> None:
    assert Limits().kept == row.places
    ended: list[Any] = []
    kept = KeptWorkers(row.places, 60, ended.append)
    workers = [object() for _ in range(row.places + 1)]
    for number, worker in enumerate(workers):
        kept.put(worker, Holder(ADA if number else BOB, str(number)))  # type: ignore[arg-type]  # it is only held
    assert ended == [workers[1]], "the oldest of whoever has the most"
    kept.clear()


async def fill_documents(row: Row) -> None:
    quota = DispatchSettings.model_fields["quota_documents"].default
    assert quota == row.places == row.of_one
    with state_redis() as redis, redis.admin() as admin, short_folder() as folder:
        async with link_to(redis) as link:
            ownership = Ownership(link, BlobStore(f"file://{folder}/blobs"), Quota(10**12, quota))
            admin.set("documents:reports", quota - 1)  # as many uploads leave
            file = folder / "document"
            file.write_bytes(b"%PDF-")
            await ownership.store(caller("kim"), "a" * 64, 5, file)
            assert await code_of_async(ownership.store(caller("kim"), "b" * 64, 5, file)) is Code.TOO_LARGE
            await ownership.release(caller("kim"), "a" * 64)
            await ownership.store(caller("kim"), "b" * 64, 5, file)


async def fill_idempotency_keys(row: Row) -> None:
    record = idempotency.RECORD_BYTES
    assert row.places * record == idempotency.CLIENT_BUDGET_BYTES
    assert row.of_one * record == idempotency.OWNER_BUDGET_BYTES
    with state_redis() as redis, redis.admin() as admin, short_folder() as folder:
        async with link_to(redis) as link:
            keys = Idempotency(link, ReplayLog(), StoredAnswers(BlobStore(f"file://{folder}/blobs"), folder))

            async def effect() -> str:
                return "{}"

            async def once(key: str, actor: str) -> object:
                asked = KeyedCall("reports", f"reports\x1f{actor}", "GUIDE", key, b"{}", repeatable=False)
                return await keys.once(asked, effect)

            # As many keys leave; `once` adds one.
            admin.set("idempotency-budget:reports\x1fkim", (row.of_one - 1) * record, ex=60)
            admin.set("idempotency-budget:reports", (row.places - 2) * record, ex=60)
            await once("first", "kim")
            assert await code_of_async(once("second", "kim")) is Code.RATE_LIMIT
            await once("first", "lee")
            assert await code_of_async(once("first", "park")) is Code.RATE_LIMIT


async def fill_memory_of_the_state(row: Row) -> None:
    assert int(memory_pressure.SOFT_LIMIT * 100) == row.places
    with state_redis() as redis, redis.admin() as admin, short_folder() as folder:
        async with link_to(redis) as link:
            ownership = Ownership(link, BlobStore(f"file://{folder}/blobs"), Quota(10**12, 1000))
            file = folder / "document"
            file.write_bytes(b"%PDF-")
            await ownership.store(caller("kim"), "a" * 64, 5, file)
            admin.config_set("maxmemory", admin.info("memory")["used_memory"])
            assert await code_of_async(ownership.store(caller("kim"), "b" * 64, 5, file)) is Code.UNAVAILABLE
            held = await State(link, ReplayLog(), 1).admit(caller("kim"), [Bucket("b", Rate(60, 30))], ["a" * 64])
            assert held == [True], "calls go on"
            await ownership.release(caller("kim"), "a" * 64)


FILL: dict[str, Callable[[Row], Awaitable[None]]] = {
    "connections": fill_connections,
    "connections for probes": fill_probes,
    "requests through proxies": room(concurrency.REQUESTS),
    "calls": room(concurrency.CALLS),
    "uploads": room(concurrency.UPLOADS),
    "downloads": room(concurrency.DOWNLOADS),
    "answers that people do not take": fill_answers_people_do_not_take,
    "requests in line on a connection": fill_requests_in_line,
    "edge connections": fill_edge_connections,
    "calls in flight": fill_calls_in_flight,
    "clients with buckets": fill_clients_with_buckets,
    "calls at dispatch": fill_calls_at_dispatch,
    "answers that are not taken": fill_answers_not_taken,
    "calls being read": fill_calls_being_read,
    "calls of a client at a service": fill_calls_of_a_client,
    "places at work": fill_places_at_work,
    "calls that wait": fill_calls_that_wait,
    "workers kept": fill_workers_kept,
    "documents of a client": fill_documents,
    "idempotency keys": fill_idempotency_keys,
    "memory of the state": fill_memory_of_the_state,
}


@pytest.mark.parametrize("shared", TABLE.keys() | FILL.keys())
async def test_what_is_shared_is_filled_as_the_page_says(shared: str) -> None:
    await FILL[shared](TABLE[shared])


@pytest.mark.parametrize("shared", TABLE.keys() - OWN)
def test_one_has_a_quarter_at_most(shared: str) -> None:
    assert 4 * TABLE[shared].of_one <= TABLE[shared].places


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def caller(actor: str) -> Caller:
    entry = {"id": "reports", "keys": [{"id": "k", "secret": REPORTS_KEY.secret.hex()[:43]}], "certificate": REPORTS_ID}
    return Caller(Client.model_validate(entry), actor, secrets.token_hex(16), int(time.time()))


@contextmanager
def short_folder() -> Iterator[Path]:
    """A Unix socket's path is short."""
    with TemporaryDirectory(prefix="pm") as folder:
        yield Path(folder)


@contextmanager
def state_redis() -> Iterator[RedisServer]:
    """A Redis in its state role, which has lost nothing."""
    with short_folder() as folder:
        server = RedisServer(folder)
        server.start()
        try:
            with server.admin() as admin:
                admin.set(epoch.KEY, 0)
            yield server
        finally:
            server.stop()


@asynccontextmanager
async def link_to(redis: RedisServer) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis.url)
    try:
        yield link
    finally:
        await link.close()
