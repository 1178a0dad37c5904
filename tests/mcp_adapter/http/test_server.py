"""How the HTTP server comes and goes: real signals, raw bytes."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from mcp_adapter.http.connection import Connection
from mcp_adapter.http.limits import Limits
from mcp_adapter.http.probes import Probes
from mcp_adapter.http.server import HttpServer
from services.base.starting import listen

pytestmark = pytest.mark.measures_time

LONG = 60.0
GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"connection: close"


class Application:
    """Answers with the path; some paths wait until they are let go on."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ready = False

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        path = scope["path"].encode()
        status = 503 if path == b"/readyz" and not self.ready else 200
        self.asked.set()
        if path == b"/slow":
            await self.go_on.wait()
        head = (b"content-length", str(len(path)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [head]})
        if path == b"/begun":
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": path})


class Peer:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def ask(self, path: bytes) -> None:
        self.writer.write(GET % path)

    async def answer(self, path: bytes) -> bytes:
        """The head of the answer, lower-case."""
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            assert await self.reader.readexactly(len(path) + 1) == b"/" + path
        return head.lower()

    async def ended(self) -> bool:
        """Waits for the end of the connection, before which nothing more may come."""
        async with asyncio.timeout(20):
            return await self.reader.read() == b""


@dataclass
class Up:
    """A server that runs."""

    server: HttpServer
    app: Application
    port: int
    task: "asyncio.Task[None]"
    peers: list[Peer] = field(default_factory=list)

    async def peer(self) -> Peer:
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.peers[-1]

    async def kept(self) -> Peer:
        """A connection that has had an answer and waits for its next request."""
        peer = await self.peer()
        peer.ask(b"first")
        assert LAST not in await peer.answer(b"first")
        return peer

    async def signal(self, number: signal.Signals) -> None:
        """Sends a signal and waits until the server has begun to leave."""
        os.kill(os.getpid(), number)
        await until(lambda: self.server.server_state.draining)

    async def gone(self) -> None:
        async with asyncio.timeout(20):
            await self.task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nothing tells that a connection of uvicorn's has begun
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(
    *,
    notice_s: float = 0,
    drain_s: float = LONG,
    on: socket.socket | None = None,
    probes: Probes | None = None,
) -> AsyncIterator[Up]:
    app = Application()
    config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None, timeout_keep_alive=LONG)  # type: ignore[arg-type]
    server = HttpServer(config, notice_s=notice_s, drain_s=drain_s, probes=probes)
    listener = on or listen("127.0.0.1", 0)
    up = Up(server, app, listener.getsockname()[1], asyncio.create_task(server.serve(sockets=[listener])))
    try:
        await until(lambda: server.started)
        yield up
    finally:
        for peer in up.peers:
            peer.writer.close()
            with suppress(ConnectionError):
                await peer.writer.wait_closed()
        app.go_on.set()
        server.should_exit = server.force_exit = True
        await up.gone()


class TestAfterSigterm:
    async def test_a_request_under_way_is_answered_and_its_answer_is_the_last(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            peer.ask(b"slow")
            await up.app.asked.wait()
            await up.signal(signal.SIGTERM)
            up.app.go_on.set()
            assert LAST in await peer.answer(b"slow")
            assert await peer.ended()
            await up.gone()

    async def test_a_kept_connection_has_one_more_answer(self) -> None:
        async with serving() as up:
            peer = await up.kept()
            await up.signal(signal.SIGTERM)
            peer.ask(b"more")
            assert LAST in await peer.answer(b"more")
            assert await peer.ended()
            await up.gone()

    async def test_a_connection_that_has_not_asked_yet_has_an_answer(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            await until(lambda: up.server.server_state.connections)
            await up.signal(signal.SIGTERM)
            peer.ask(b"late")
            assert LAST in await peer.answer(b"late")
            await up.gone()

    async def test_an_answer_that_has_begun_is_followed_by_one_more(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            peer.ask(b"begun")
            await up.app.asked.wait()
            await up.signal(signal.SIGTERM)
            up.app.go_on.set()
            assert LAST not in await peer.answer(b"begun"), "it was written before"
            peer.ask(b"more")
            assert LAST in await peer.answer(b"more")
            await up.gone()

    async def test_requests_that_were_sent_at_once_are_all_answered(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            for path in (b"slow", b"second", b"third"):
                peer.ask(path)
            await up.app.asked.wait()
            await until(lambda: all(len(each.pipeline) == 2 for each in up.server._connections))
            await up.signal(signal.SIGTERM)
            up.app.go_on.set()
            heads = [await peer.answer(path) for path in (b"slow", b"second", b"third")]
            assert [LAST in head for head in heads] == [False, False, True]
            await up.gone()

    async def test_a_connection_that_asks_nothing_is_closed_when_the_drain_time_ends(self) -> None:
        async with serving(drain_s=0.2) as up:
            peer = await up.kept()
            await up.signal(signal.SIGTERM)
            assert await peer.ended()
            await up.gone()

    async def test_a_request_that_outlasts_the_drain_time_is_broken_off(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serving(drain_s=0.2) as up:
            peer = await up.peer()
            peer.ask(b"slow")
            await up.app.asked.wait()
            await up.signal(signal.SIGTERM)
            await up.gone()
        assert "stopped before all requests had ended" in caplog.text

    async def test_a_second_one_changes_nothing(self) -> None:
        async with serving() as up:
            peer = await up.kept()
            await up.signal(signal.SIGTERM)
            await up.signal(signal.SIGTERM)
            peer.ask(b"more")
            assert LAST in await peer.answer(b"more")
            await up.gone()

    async def test_a_server_with_a_notice_time_goes_on_accepting(self) -> None:
        async with serving(notice_s=LONG) as up:
            await up.signal(signal.SIGTERM)
            peer = await up.peer()
            peer.ask(b"late")
            assert LAST in await peer.answer(b"late")
            assert await peer.ended()

    async def test_without_one_connections_go_to_whoever_else_has_the_socket(self) -> None:
        with closing(listen("127.0.0.1", 0)) as shared:
            async with serving(on=shared.dup()) as up:
                await up.kept()
                await up.signal(signal.SIGTERM)
                await until(lambda: not up.server.servers[0].sockets)
                waiting = await up.peer()
                waiting.ask(b"others")
                async with serving(on=shared.dup()):
                    assert LAST not in await waiting.answer(b"others")


class TestAfterSigint:
    async def test_a_kept_connection_is_closed_at_once_and_the_notice_time_is_left_out(self) -> None:
        async with serving(notice_s=LONG) as up:
            peer = await up.kept()
            await up.signal(signal.SIGINT)
            assert await peer.ended()
            await up.gone()

    async def test_a_request_under_way_is_answered(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            peer.ask(b"slow")
            await up.app.asked.wait()
            await up.signal(signal.SIGINT)
            up.app.go_on.set()
            assert LAST in await peer.answer(b"slow")
            await up.gone()

    async def test_a_second_one_waits_for_nothing(self) -> None:
        async with serving() as up:
            peer = await up.peer()
            peer.ask(b"slow")
            await up.app.asked.wait()
            await up.signal(signal.SIGINT)
            await up.signal(signal.SIGINT)
            await up.gone()

    async def test_it_ends_a_leaving_that_takes_its_time(self) -> None:
        async with serving() as up:
            peer = await up.kept()
            await up.signal(signal.SIGTERM)
            await up.signal(signal.SIGINT)
            assert await peer.ended()
            await up.gone()


class TestThePortForProbes:
    @pytest.fixture
    async def probed(self) -> AsyncIterator[tuple[Up, int]]:
        """A server, and the port that its probes are answered at."""
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        async with serving(probes=Probes(listener)) as up:
            up.app.ready = True
            yield up, port

    @staticmethod
    async def answer(port: int, *lines: bytes) -> bytes:
        """Everything that is answered until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"\r\n".join((*lines, b"Connection: close", b"", b"")))
            async with asyncio.timeout(20):
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def test_answers_a_kubelet_which_knows_the_pods_address_alone(self, probed: tuple[Up, int]) -> None:
        up, port = probed
        ask = (b"GET /readyz HTTP/1.1", b"Host: 10.0.0.7:9090")
        assert (await self.answer(port, *ask)).startswith(b"HTTP/1.1 200 ")
        up.app.ready = False
        assert (await self.answer(port, *ask)).startswith(b"HTTP/1.1 503 ")
        assert (await self.answer(port, b"GET /healthz HTTP/1.1", b"Host: x")).startswith(b"HTTP/1.1 200 ")

    async def test_answers_nothing_else(self, probed: tuple[Up, int]) -> None:
        up, port = probed
        refused = await self.answer(port, b"POST /mcp/invoke HTTP/1.1", b"Host: localhost", b"Content-Length: 0")
        assert refused.startswith(b"HTTP/1.1 404 ")
        assert b'"NOT_FOUND"' in refused
        assert refused.count(b"\r\nx-request-id: ") == 1
        assert not up.app.asked.is_set()

    async def test_answers_while_there_are_as_many_requests_as_may_be(self, probed: tuple[Up, int]) -> None:
        up, port = probed
        for _ in range(Limits().connections):
            (await up.peer()).ask(b"slow")
        await until(lambda: len(up.server.server_state.tasks) == Limits().connections)
        get = (b"GET /healthz HTTP/1.1", b"Host: localhost")
        assert (await self.answer(up.port, *get)).startswith(b"HTTP/1.1 503 ")
        assert (await self.answer(port, *get)).startswith(b"HTTP/1.1 200 ")

    async def test_answers_while_a_crowd_idles_at_it(self, probed: tuple[Up, int]) -> None:
        up, port = probed
        for _ in range(200):
            up.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", port)))
        assert (await self.answer(port, b"GET /healthz HTTP/1.1", b"Host: localhost")).startswith(b"HTTP/1.1 200 ")

    async def test_answers_until_all_requests_have_ended(self, probed: tuple[Up, int]) -> None:
        up, port = probed
        peer = await up.peer()
        peer.ask(b"slow")
        await up.app.asked.wait()
        await up.signal(signal.SIGTERM)
        assert (await self.answer(port, b"GET /healthz HTTP/1.1", b"Host: localhost")).startswith(b"HTTP/1.1 200 ")
        up.app.go_on.set()
        await peer.answer(b"slow")
        await up.gone()
        with pytest.raises(ConnectionError):
            await self.answer(port, b"GET /healthz HTTP/1.1", b"Host: localhost")


async def test_it_says_that_it_is_ready_once_its_own_readyz_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as asked:
        asked.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with serving() as up:
            await up.app.asked.wait()
            with pytest.raises(BlockingIOError):
                asked.recv(100)
            up.app.ready = True
            async with asyncio.timeout(20):
                assert await asyncio.get_running_loop().sock_recv(asked, 100) == b"READY=1"
