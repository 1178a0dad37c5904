"""What one connection may send, and how long it may take: raw bytes before the adapter's protocol."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from mcp_adapter.http.connection import Connection
from mcp_adapter.http.connections import Shared
from mcp_adapter.http.limits import Limits
from mcp_adapter.http.peers import Peers
from services.base.telemetry import trace_id

pytestmark = pytest.mark.measures_time

GENEROUS = Limits()
QUICK = replace(GENEROUS, head_s=0.1, piece_s=0.1)
KIB = 1024
LARGE = 5_000_000


@dataclass
class Served:
    """A listening socket, and what the application behind it met."""

    port: int
    state: Shared
    bodies: list[bytes]
    broken_off: int = 0
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the application reads."""

    @property
    def connections(self) -> list[Connection]:
        """Those that are open."""
        return [each for each in self.state.connections if isinstance(each, Connection)]

    async def say(self, *words: bytes) -> bytes:
        """Everything that is answered to these bytes until the connection ends."""
        return await asyncio.to_thread(self._say, words)

    def _say(self, words: tuple[bytes, ...]) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            received = b""
            with suppress(ConnectionError):  # it was refused before all was sent
                for each in words:
                    connection.sendall(each)
            with suppress(ConnectionError):
                while piece := connection.recv(65536):
                    received += piece
            return received

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            received += piece
    return received


@asynccontextmanager
async def serving(limits: Limits, peers: Peers | None = None) -> AsyncIterator[Served]:
    """The protocol with these limits, before an application that reads a body and says how long it was."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"x"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await served.reads.wait()
        try:
            body = b"" if scope["path"] == "/early" else await Request(scope, receive).body()
        except ClientDisconnect:
            served.broken_off += 1
            return
        served.bodies.append(body)
        if scope["path"] == "/endless":
            await StreamingResponse(endless())(scope, receive, send)
            return
        size = LARGE if scope["path"] == "/large" else 0
        await PlainTextResponse(str(len(body)) + " " * size)(scope, receive, send)

    class Limited(Connection):
        pass

    Limited.limits = limits
    config = uvicorn.Config(app, http=Limited, ws="none", lifespan="off", log_config=None, timeout_keep_alive=30)
    config.load()
    state = Shared(peers, limits)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Limited(config=config, server_state=state, app_state={}), host="127.0.0.1", port=0
    )
    served = Served(server.sockets[0].getsockname()[1], state, [])
    served.reads.set()
    try:
        yield served
    finally:
        server.close()
        for each in list(state.connections):
            each.transport.abort()
        await until(lambda: not state.connections and not state.tasks)
        await server.wait_closed()


async def until(condition: Callable[[], object]) -> None:
    """Waits for what must happen."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells that a connection of uvicorn's has ended
            await asyncio.sleep(0.005)


@asynccontextmanager
async def reading(served: Served, path: bytes) -> AsyncIterator[Callable[[int], Awaitable[int]]]:
    """Asks for something, and reads so many bytes of the answer at a time; 0 are read once it was broken off."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0)
        await loop.sock_connect(connection, ("127.0.0.1", served.port))
        await loop.sock_sendall(connection, request(path=path))

        async def read(size: int) -> int:
            with suppress(ConnectionError):
                return len(await loop.sock_recv(connection, size))
            return 0

        yield read


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(GENEROUS) as server:
        yield server


@pytest.fixture
async def quick() -> AsyncIterator[Served]:
    """With limits of time that pass at once."""
    async with serving(QUICK) as server:
        yield server


def request(*headers: bytes, body: bytes = b"", path: bytes = b"/") -> bytes:
    lines = (b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body), *headers, b"", body)
    return b"\r\n".join(lines)


def refusal(received: bytes, status: int, code: str) -> dict[str, Any]:
    """The error in this answer, which must be whole, and the last one of its connection."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), received[:500]
    assert b"\r\ncontent-type: application/json" in head
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-length: %d" % len(body) in head
    envelope = json.loads(body)
    assert envelope["error"]["code"] == code
    assert len(envelope["meta"]["request_id"]) == 36
    assert head.count(b"\r\nx-request-id: " + envelope["meta"]["request_id"].encode()) == 1
    assert len(envelope["meta"]["trace_id"]) == 32
    error: dict[str, Any] = envelope["error"]
    return error


class TestTheHead:
    @pytest.mark.parametrize("size", [65 * KIB, 300 * KIB, 60_000_000])
    async def test_over_its_bytes_is_refused(self, served: Served, size: int) -> None:
        received = await served.say(b"GET / HTTP/1.1\r\nX: ", b"x" * size, b"\r\n\r\n")
        assert refusal(received, 431, "TOO_LARGE")["details"] == {"limit_bytes": "65536", "limit_headers": "200"}
        assert not served.bodies

    async def test_of_many_headers_is_refused(self, served: Served) -> None:
        refusal(await served.say(request(*[b"A: 1"] * 200)), 431, "TOO_LARGE")

    async def test_with_a_long_path_is_refused(self, served: Served) -> None:
        refusal(await served.say(request(path=b"/" + b"x" * 70 * KIB)), 431, "TOO_LARGE")

    async def test_may_use_what_it_has(self, served: Served) -> None:
        headers = [*[b"A: 1"] * 196, b"Connection: close", b"X: " + b"x" * 60 * KIB]
        assert (await served.say(request(*headers, body=b"abc"))).endswith(b"\r\n\r\n3")

    async def test_counts_for_each_request_anew(self, served: Served) -> None:
        first, last = request(b"X: " + b"x" * 40 * KIB), request(b"X: " + b"x" * 40 * KIB, b"Connection: close")
        assert (await served.say(first, first, last)).count(b"HTTP/1.1 200") == 3

    async def test_is_followed_by_a_body_of_any_size(self, served: Served) -> None:
        body = bytes(3_000_000)
        assert (await served.say(request(b"Connection: close", body=body))).endswith(b"3000000")

    async def test_has_trailers_that_count(self, served: Served) -> None:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        refusal(await served.say(head, b"X: " + b"x" * 5_000_000), 431, "TOO_LARGE")

    @pytest.mark.parametrize("words", [b"\x16\x03\x01\x02\x00", b"BREW / HTTP/1.1\r\n\r\n", b"\x00" * 5000])
    async def test_that_is_not_http_is_a_bad_argument(self, served: Served, words: bytes) -> None:
        refusal(await served.say(words), 400, "BAD_ARG")


def test_what_is_logged_of_refused_bytes_bears_no_trace_of_those_before(caplog: pytest.LogCaptureFixture) -> None:
    traces: list[str] = []

    def note(_: logging.LogRecord) -> bool:
        traces.append(trace_id.get())
        return True

    async def be_refused() -> None:
        trace_id.set("")  # another test may have left one
        async with serving(GENEROUS) as served:
            for words in (b"neither\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
                refusal(await served.say(words), 400, "BAD_ARG")

    caplog.handler.addFilter(note)
    uvloop.run(be_refused())  # the adapter's loop, whose connections share a context; asyncio's have one each

    assert traces == ["", ""]


async def test_an_answer_is_one_packet(served: Served) -> None:
    async with served.connection() as (reader, writer):
        writer.write(request())
        head, _, body = (await reader.read(65536)).partition(b"\r\n\r\n")
        assert (head[:15], body) == (b"HTTP/1.1 200 OK", b"0")


class TestTime:
    async def test_ends_a_connection_that_says_nothing(self, quick: Served) -> None:
        assert await quick.say() == b""

    async def test_ends_a_head_that_is_not_finished(self, quick: Served) -> None:
        assert refusal(await quick.say(b"GET / HTTP/1.1\r\nHost: lo"), 408, "TIMEOUT")["is_transient"]

    async def test_ends_empty_lines_that_never_become_a_request(self, quick: Served) -> None:
        refusal(await quick.say(b"\r\n"), 408, "TIMEOUT")

    async def test_ends_a_second_head_that_is_not_finished(self, quick: Served) -> None:
        async with quick.connection() as (reader, writer):
            writer.write(request())
            assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
            writer.write(b"GET / HT")
            refusal(await _rest(reader), 408, "TIMEOUT")

    async def test_ends_a_body_that_stalls(self, quick: Served) -> None:
        received = await quick.say(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
        refusal(received, 408, "TIMEOUT")
        await until(lambda: quick.broken_off == 1)
        assert not quick.bodies

    async def test_ends_a_body_that_stalls_after_its_answer(self, quick: Served) -> None:
        head = b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
        assert (await quick.say(head)).count(b"HTTP/1.1") == 1

    async def test_ends_a_connection_that_is_kept_after_an_early_answer(self, quick: Served) -> None:
        async with quick.connection() as (reader, writer):
            writer.write(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345")
            await reader.readuntil(b"\r\n\r\n0")
            writer.write(b"67890")
            assert await _rest(reader) == b""

    async def test_ends_a_body_that_only_trickles(self, quick: Served) -> None:
        async with quick.connection() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
            ended = asyncio.create_task(_rest(reader))
            while not ended.done():
                writer.write(b"x")
                await asyncio.wait([ended], timeout=QUICK.piece_s / 4)  # as slow as may be: this is what is tested
            assert "4096 bytes a second" in refusal(ended.result(), 408, "TIMEOUT")["message"]
        await until(lambda: quick.broken_off == 1)

    async def test_ends_a_body_that_trickles_after_it_has_come_quickly(self, quick: Served) -> None:
        async with quick.connection() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + bytes(900_000))
            ended = asyncio.create_task(_rest(reader))
            while not ended.done():
                writer.write(b"x")
                await asyncio.wait([ended], timeout=QUICK.piece_s / 4)  # the same
            refusal(ended.result(), 408, "TIMEOUT")

    async def test_is_no_matter_while_a_body_keeps_the_pace(self, quick: Served) -> None:
        async with quick.connection() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n")
            for _ in range(20):
                await asyncio.sleep(QUICK.piece_s / 4)  # as slow as may be: this is what is tested
                writer.write(bytes(1000))
            assert (await _rest(reader)).endswith(b"20000")

    async def test_ends_a_body_that_keeps_the_pace_for_ever(self) -> None:
        async with (
            serving(replace(QUICK, whole_s=QUICK.piece_s * 5)) as served,
            served.connection() as (reader, writer),
        ):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
            ended = asyncio.create_task(_rest(reader))
            while not ended.done():
                writer.write(bytes(1000))
                await asyncio.wait([ended], timeout=QUICK.piece_s / 4)  # as slow as may be: this is what is tested
            assert "at most 0.5 seconds in all" in refusal(ended.result(), 408, "TIMEOUT")["message"]

    async def test_ends_an_answer_that_is_taken_at_the_pace_for_ever(self) -> None:
        limits = replace(QUICK, bytes_per_s=1000, whole_s=QUICK.piece_s * 5)
        async with serving(limits) as served, reading(served, b"/large") as read:
            ended = asyncio.create_task(until(lambda: served.bodies and not served.state.connections))
            while not ended.done():
                await read(10_000)
                await asyncio.wait([ended], timeout=QUICK.piece_s / 4)  # as slow as may be: this is what is tested
            await ended

    async def test_in_which_we_do_not_read_is_not_the_senders(self, quick: Served) -> None:
        quick.reads.clear()
        async with quick.connection() as (reader, writer):
            writer.write(request(b"Connection: close", body=bytes(5_000_000)))
            await until(lambda: any(each.flow.read_paused for each in quick.connections))
            await asyncio.sleep(QUICK.piece_s * 3)  # this is what is tested
            quick.reads.set()
            assert (await _rest(reader)).endswith(b"5000000")

    async def test_ends_an_answer_that_nobody_reads(self, quick: Served) -> None:
        async with quick.connection() as (_, writer):
            writer.write(request(path=b"/large"))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: quick.bodies and not quick.state.connections)

    async def test_ends_an_answer_that_is_read_too_slowly(self) -> None:
        async with serving(replace(QUICK, bytes_per_s=4_000_000)) as served, reading(served, b"/large") as read:
            ended = asyncio.create_task(until(lambda: served.bodies and not served.state.connections))
            while not ended.done():
                await read(10_000)
                await asyncio.wait([ended], timeout=QUICK.piece_s / 10)  # a quarter of the pace: this is what is tested
            await ended

    async def test_is_no_matter_while_an_answer_is_taken_at_the_pace(self) -> None:
        async with serving(replace(QUICK, bytes_per_s=1000)) as served, reading(served, b"/large") as read:
            received = 0
            for _ in range(20):  # five times as long as a reader may stand still: this is what is tested
                await asyncio.sleep(QUICK.piece_s / 4)
                received += await read(10_000)
            while received < 5_000_000:
                received += (size := await read(1_000_000))
                assert size, received


class TestConnectionsBeyondThoseThatThereMayBe:
    async def test_take_the_place_of_the_one_that_has_idled_longest(self) -> None:
        async with (
            serving(replace(GENEROUS, connections=2)) as served,
            served.connection() as (first, first_writer),
            served.connection() as (second, second_writer),
        ):
            for reader, writer in ((second, second_writer), (first, first_writer)):  # so the second has for longest
                writer.write(request())
                await reader.readuntil(b"\r\n\r\n0")
            assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")
            assert await _rest(second) == b""
            first_writer.write(request())
            assert (await first.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")

    async def test_take_the_place_of_one_that_asks_for_something_all_the_time(self) -> None:
        async with serving(replace(GENEROUS, connections=8)) as served, AsyncExitStack() as held:
            crowd = [await held.enter_async_context(served.connection()) for _ in range(8)]
            for _ in range(5):
                for reader, writer in crowd:
                    if not reader.at_eof():
                        writer.write(request())
                        with suppress(asyncio.IncompleteReadError, ConnectionError):
                            await reader.readuntil(b"\r\n\r\n0")
                assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")

    async def test_take_the_place_of_one_that_has_not_taken_its_answer(self) -> None:
        async with serving(replace(GENEROUS, connections=1)) as served, served.connection() as (_, writer):
            writer.write(request(path=b"/large"))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: served.bodies and all(each.cycle.response_complete for each in served.connections))
            assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")

    async def test_take_the_place_of_one_whose_head_comes_slowly(self) -> None:
        async with serving(replace(GENEROUS, connections=1)) as served, served.connection() as (_, writer):
            writer.write(b"GET / HT")
            await until(lambda: any(not each._silent for each in served.connections))
            assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")

    async def test_are_told_so_when_a_request_is_under_way_on_every_one_of_them(self) -> None:
        async with serving(replace(GENEROUS, connections=2)) as served:
            served.reads.clear()
            async with served.connection() as (reader, writer), served.connection() as (_, other):
                for each in (writer, other):
                    each.write(request())
                await until(lambda: len(served.state.tasks) == 2)
                received = await served.say(request())
                assert refusal(received, 503, "UNAVAILABLE")["retry_after_ms"] == 1000
                assert b"\r\nretry-after: 1\r\n" in received
                served.reads.set()
                assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200"), "nobody ended it"
                assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")

    async def test_of_one_peer_are_told_so_before_all_are_taken(self) -> None:
        async with serving(replace(GENEROUS, peer_connections=1), Peers(unbound=())) as served:
            served.reads.clear()
            async with served.connection() as (reader, writer):
                writer.write(request())
                await until(lambda: served.state.tasks)
                assert refusal(await served.say(request()), 429, "RATE_LIMIT")["retry_after_ms"] == 1000
                served.reads.set()
                await reader.readuntil(b"\r\n\r\n0")
                assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200"), (
                    "the idle one went"
                )

    async def test_cut_off_no_answer_that_is_being_taken_while_another_idles(self) -> None:
        async with (
            serving(replace(GENEROUS, connections=2)) as served,
            reading(served, b"/large") as read,
            served.connection() as (idle, writer),
        ):
            taken = await read(1000)
            writer.write(request())
            await idle.readuntil(b"\r\n\r\n0")
            assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")
            while taken <= LARGE and (more := await read(65_536)):
                taken += more
            assert taken > LARGE, "all of it, and its head"
            assert await _rest(idle) == b""

    async def test_leave_no_trace_once_they_have_ended(self) -> None:
        async with serving(replace(GENEROUS, connections=3)) as served:
            for _ in range(10):
                assert (await served.say(request(b"Connection: close"))).startswith(b"HTTP/1.1 200")
            await until(lambda: not served.state.connections)
            assert not served.state.held._peer_of


class TestRequestsBeforeTheAnswer:
    async def test_so_many_wait_and_the_last_answer_says_that_the_rest_must_be_sent_again(self, served: Served) -> None:
        most = 1 + GENEROUS.pipelined
        sent = [request(body=b"x" * number) for number in range(1, 3_000)]
        async with served.connection() as (reader, writer):
            writer.write(b"".join(sent))
            answers = (await _rest(reader)).split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == [b"%d" % n for n in range(1, most + 1)]
        assert [b"connection: close" in answer for answer in answers] == [False] * (most - 1) + [True]
        assert served.bodies == [b"x" * number for number in range(1, most + 1)]

    async def test_what_nobody_reads_the_answers_of_is_set_up_no_further(self, served: Served) -> None:
        async with served.connection() as (_, writer):
            writer.write(b"".join([request(path=b"/large")] * 10_000))
            await until(lambda: served.bodies and all(each.flow.write_paused for each in served.connections))
            assert max(len(each.pipeline) for each in served.connections) <= GENEROUS.pipelined

    async def test_are_answered_when_rubbish_comes_after_them(self, served: Served) -> None:
        received = await served.say(request(path=b"/large") + request(body=b"ab") + b"rubbish\r\n\r\n")
        assert (received.count(b"HTTP/1.1 200"), received.count(b"HTTP/1.1"), received[-5:]) == (2, 2, b"\r\n\r\n2")

    async def test_are_served_when_a_head_without_an_end_comes_after_them(self, served: Served) -> None:
        await served.say(request(path=b"/large") + request(body=b"ab"), b"GET / HTTP/1.1\r\nX: " + b"x" * 300 * KIB)
        assert served.bodies == [b"", b"ab"]

    async def test_do_not_hide_that_the_caller_has_gone(self, served: Served) -> None:
        async with served.connection() as (reader, writer):
            writer.write(request(path=b"/endless") + request())
            await reader.readuntil(b"\r\n\r\n")
            await until(lambda: all(each.pipeline for each in served.connections))
        await until(lambda: not served.state.tasks)
