"""The connection to Redis, with a real one that is killed, stopped and filled."""

import asyncio
import contextlib
import random
import signal
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import uvloop

from services.base.redis.link import RedisAway, RedisLink, RedisRefused, Script, Send
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from trust.certificates.issuing import issue_ca, issue_leaf

PASSWORD = "p@ss/wörd:?#%"  # noqa: S105 - of a Redis that lives as long as these tests
SHORT_S = 0.3


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        server = RedisServer(Path(folder), options=("--port", str(free_port()), "--bind", "127.0.0.1"))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def redis_server(module_redis: RedisServer) -> RedisServer:
    if module_redis.process is None:
        module_redis.start()
    with module_redis.admin() as admin:
        admin.flushall()
    return module_redis


@pytest.fixture
async def link(redis_server: RedisServer) -> AsyncIterator[RedisLink]:
    link = RedisLink(redis_server.url)
    yield link
    await link.close()


@pytest.fixture(scope="module")
def locked_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="pm") as folder:
        server = RedisServer(Path(folder), password=PASSWORD)
        server.start()
        yield server
        server.stop()


@contextlib.contextmanager
def stopped(server: RedisServer) -> Iterator[None]:
    process = server.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def failure(call: Awaitable[object]) -> str:
    with pytest.raises(RedisAway) as caught:
        await call
    return str(caught.value)


async def until_it_answers(link: RedisLink) -> None:
    while True:
        with contextlib.suppress(RedisAway):
            await link.call("PING")
            return


class TestReplies:
    async def test_are_bytes_numbers_nothing_and_lists(self, link: RedisLink) -> None:
        assert await link.call("SET", "k", "김") == b"OK"
        assert await link.call("GET", b"k") == "김".encode()
        assert await link.call("GET", "none") is None
        assert await link.call("INCRBY", "n", 7) == 7
        assert await link.call("INCRBYFLOAT", "f", 0.5) == b"0.5"
        assert await link.call("MGET", "k", "none") == ["김".encode(), None]

    async def test_of_ten_thousand_interleaved_calls_reach_their_callers(self, link: RedisLink) -> None:
        dice = random.Random(1)  # noqa: S311 - test data, the same in each run

        async def ask(number: int) -> bool:
            text = f"{number}:" + "x" * dice.choice([0, 10, 20_000])
            kind = number % 3
            if kind == 0:
                return bool(await link.call("ECHO", text) == text.encode())
            if kind == 1:
                return bool(await link.call("EVAL", "return {ARGV[1], 1}", 0, text) == [text.encode(), 1])
            with pytest.raises(RedisRefused) as caught:
                await link.call("EVAL", "return redis.error_reply(ARGV[1])", 0, f"ERR {number}")
            return caught.value.message == f"ERR {number}"

        async def worker(first: int) -> bool:
            return all([await ask(number) for number in range(first, 10_000, 50)])

        assert all(await asyncio.gather(*map(worker, range(50))))

    async def test_keep_their_order_when_callers_leave(self, link: RedisLink) -> None:
        dice = random.Random(2)  # noqa: S311 - test data, the same in each run
        for _ in range(50):
            calls = {number: asyncio.create_task(link.call("ECHO", number)) for number in range(40)}
            await asyncio.sleep(0)
            left = dice.sample(sorted(calls), 15)
            for number in left:
                calls[number].cancel()
            answers = await asyncio.gather(*calls.values(), return_exceptions=True)
            for number, answer in enumerate(answers):
                assert answer == str(number).encode() or (number in left and isinstance(answer, asyncio.CancelledError))

    async def test_may_be_large(self, link: RedisLink) -> None:
        value = random.Random(3).randbytes(16 * 1024 * 1024)  # noqa: S311 - test data, the same in each run
        small = asyncio.create_task(link.call("ECHO", "before"))
        await link.call("SET", "large", value)
        large, after = await asyncio.gather(link.call("GET", "large"), link.call("ECHO", "after"))
        assert (large == value, await small, after) == (True, b"before", b"after")

    async def test_that_are_errors_are_told_in_redis_own_words(self, link: RedisLink) -> None:
        await link.call("SET", "text", "x")
        for command, says in ((("INCR", "text"), "ERR value is not an integer"), (("LPUSH", "text", 1), "WRONGTYPE")):
            with pytest.raises(RedisRefused) as caught:
                await link.call(*command)
            assert caught.value.message.startswith(says)
        assert await link.call("GET", "text") == b"x"

    async def test_that_are_errors_inside_a_list_stand_in_it(self, link: RedisLink) -> None:
        await link.call("SET", "text", "x")
        await link.call("MULTI")
        await asyncio.gather(link.call("INCR", "text"), link.call("INCR", "number"))
        refused, number = await link.call("EXEC")
        assert isinstance(refused, RedisRefused)
        assert number == 1


class TestTheConnection:
    async def test_is_made_once_by_callers_that_come_together(self, link: RedisLink, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            before = admin.info("stats")["total_connections_received"]
            await asyncio.gather(*(link.call("PING") for _ in range(100)))
            assert admin.info("stats")["total_connections_received"] - before == 1

    async def test_is_made_even_when_the_first_caller_leaves(self, link: RedisLink) -> None:
        first = asyncio.create_task(link.call("PING"))
        second = asyncio.create_task(link.call("ECHO", "second"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == b"second"

    def test_carries_the_commands_of_one_turn_of_the_loop_in_one_write(self, redis_server: RedisServer) -> None:
        async def reads() -> int:
            link = RedisLink(redis_server.url)
            before = await _reads(link)
            await asyncio.gather(*(link.call("PING") for _ in range(100)))
            after = await _reads(link)
            await link.close()
            return after - before

        assert uvloop.run(reads()) <= 3  # one of them asks for the number

    async def test_that_is_lost_fails_what_waits_and_is_made_again_at_once(
        self, link: RedisLink, redis_server: RedisServer
    ) -> None:
        number = await link.call("CLIENT", "ID")
        waiting = [asyncio.create_task(link.call("BLPOP", "nothing", 0))]
        waiting += [asyncio.create_task(link.call("INCR", "n")) for _ in range(10)]
        with redis_server.admin() as admin:
            async with asyncio.timeout(10):
                while not _is_blocked(admin, number):  # noqa: ASYNC110 - Redis tells no event
                    await asyncio.sleep(0)
            admin.client_kill_filter(_id=number)
        for each in waiting:
            assert "lost" in await failure(each)
        assert await link.call("INCR", "n") == 1  # nothing was sent a second time

    async def test_returns_with_a_redis_that_was_killed(self, link: RedisLink, redis_server: RedisServer) -> None:
        waiting = asyncio.create_task(link.call("BLPOP", "nothing", 0))
        await asyncio.sleep(0)
        redis_server.kill()
        await failure(waiting)
        for _ in range(100):
            assert "no connection" in await failure(link.call("PING"))
        redis_server.start()
        assert await link.call("PING") == b"PONG"

    async def test_to_a_redis_that_hangs_is_given_up_and_made_again(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url, SHORT_S)
        await link.call("PING")
        loop = asyncio.get_running_loop()
        with stopped(redis_server):
            began = loop.time()
            answers = await asyncio.gather(*(link.call("INCR", "n") for _ in range(200)), return_exceptions=True)
            assert SHORT_S * 0.9 <= loop.time() - began < SHORT_S * 5
            assert {type(answer) for answer in answers} == {RedisAway}
            await failure(link.call("PING"))  # on a new connection, which the stopped Redis's kernel takes
        async with asyncio.timeout(2):
            await until_it_answers(link)
        await link.close()

    async def test_to_a_redis_that_hangs_keeps_nobody_waiting_but_those_who_met_it_first(
        self, redis_server: RedisServer
    ) -> None:
        link = RedisLink(redis_server.url, SHORT_S)
        await link.call("PING")
        loop = asyncio.get_running_loop()
        with redis_server.admin() as admin:
            connections = admin.info("stats")["total_connections_received"]
            with stopped(redis_server):
                await failure(link.call("PING"))
                began = loop.time()
                for _ in range(1000):
                    assert "asking again" in await failure(link.call("INCR", "n"))
                assert loop.time() - began < SHORT_S
            async with asyncio.timeout(2):
                await until_it_answers(link)
            assert await link.call("GET", "n") is None  # what failed at once was never sent
            # This one's look, and an attempt or two to see whether it is back; not one for each call.
            assert admin.info("stats")["total_connections_received"] - connections < 10
        await link.close()

    async def test_to_a_redis_that_hung_and_was_killed_is_made_again(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url, SHORT_S)
        await link.call("PING")
        with stopped(redis_server):
            await failure(link.call("PING"))
            redis_server.kill()
        async with asyncio.timeout(2):
            while "no connection" not in await failure(link.call("PING")):
                pass
        redis_server.start()
        assert await link.call("PING") == b"PONG"
        await link.close()

    async def test_has_no_more_than_4096_commands_waiting(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url, SHORT_S)
        await link.call("PING")
        with stopped(redis_server):
            answers = await asyncio.gather(*(link.call("PING") for _ in range(5000)), return_exceptions=True)
        told = [str(answer) for answer in answers]
        assert told.count("4096 commands wait for their replies") == 5000 - 4096
        await link.close()

    async def test_has_no_more_than_4096_callers_waiting_for_it(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url)
        answers = await asyncio.gather(*(link.call("PING") for _ in range(5000)), return_exceptions=True)
        told = [str(answer) for answer in answers]
        assert told.count("4096 calls wait for a connection") == 5000 - 4096
        assert answers.count(b"PONG") == 4096
        await link.close()

    async def test_outlives_a_pause_of_this_process(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url, SHORT_S)
        await link.call("PING")
        waiting = asyncio.create_task(link.call("PING"))
        await asyncio.sleep(0)
        threading.Event().wait(SHORT_S * 2)  # blocks the loop
        assert await waiting == b"PONG"
        await link.close()

    async def test_that_is_closed_stays_closed(self, redis_server: RedisServer) -> None:
        link = RedisLink(redis_server.url)
        waiting = asyncio.create_task(link.call("BLPOP", "nothing", 0))
        await asyncio.sleep(0)
        await link.close()
        await failure(waiting)
        assert await failure(link.call("PING")) == "the link was closed"
        await link.close()

    async def test_that_was_never_used_is_closed(self, redis_server: RedisServer) -> None:
        await RedisLink(redis_server.url).close()

    async def test_to_what_is_no_redis_is_dropped(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            link = RedisLink(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            assert await failure(link.call("PING")) == "what answers is not Redis"
            await link.close()


class TestWhatSpeaksFirst:
    async def test_over_each_connection_is_heard_before_any_call(self, redis_server: RedisServer) -> None:
        async def greet(send: Send) -> None:
            await asyncio.sleep(0)
            await asyncio.gather(*(send("RPUSH", "said", f"greeting {number}") for number in range(3)))

        link = RedisLink(redis_server.url, on_connect=greet)
        said = ["greeting 0", "greeting 1", "greeting 2"]
        for _ in range(2):
            await asyncio.gather(*(link.call("RPUSH", "said", "call") for _ in range(2)))
            found = await link.call("LRANGE", "said", 0, -1)
            assert found == [text.encode() for text in (*said, "call", "call")]
            await link.call("DEL", "said")
            with redis_server.admin() as admin:
                admin.client_kill_filter(_type="normal", skipme=True)
            await failure(link.call("PING"))
        await link.close()

    @pytest.mark.parametrize("command", ["NO-SUCH-COMMAND", "SHUTDOWN"])
    async def test_must_succeed_or_the_connection_is_not_used(self, redis_server: RedisServer, command: str) -> None:
        said = [(command,), ("PING",)]

        async def greet(send: Send) -> None:
            await send(*said.pop(0))

        link = RedisLink(redis_server.url, on_connect=greet)
        calls = [asyncio.create_task(failure(link.call("INCR", "n"))) for _ in range(3)]
        await asyncio.gather(*calls)
        if command == "SHUTDOWN":
            redis_server.stop()
            redis_server.start()
        assert await link.call("INCR", "n") == 1
        assert not said
        await link.close()

    async def test_may_take_longer_than_an_answer(self, redis_server: RedisServer) -> None:
        async def greet(send: Send) -> None:
            await asyncio.sleep(2 * SHORT_S)
            await send("SET", "greeted", "")

        link = RedisLink(redis_server.url, SHORT_S, on_connect=greet)
        assert await link.call("EXISTS", "greeted") == 1
        await link.close()


class TestARedisThatCannotServe:
    async def test_since_it_is_full_is_away(self, link: RedisLink, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            admin.config_set("maxmemory", "1")
            try:
                assert "OOM" in await failure(link.call("SET", "k", "v"))
                script = Script(link, "return redis.call('SET', KEYS[1], 'v')")
                assert "OOM" in await failure(script.run(["k"], []))
            finally:
                admin.config_set("maxmemory", "0")
        assert await link.call("SET", "k", "v") == b"OK"

    async def test_since_it_is_a_replica_is_away_and_connected_to_anew(
        self, link: RedisLink, redis_server: RedisServer
    ) -> None:
        number = await link.call("CLIENT", "ID")
        with redis_server.admin() as admin:
            admin.replicaof("127.0.0.1", free_port())
            try:
                behind = asyncio.gather(*(link.call("SET", "k", "v") for _ in range(10)), return_exceptions=True)
                assert {type(each) for each in await behind} == {RedisAway}
                assert "READONLY" in await failure(link.call("SET", "k", "v"))
            finally:
                admin.replicaof("NO", "ONE")
        assert await link.call("CLIENT", "ID") > number

    async def test_since_it_has_too_many_clients_is_away(self, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            most = admin.config_get("maxclients")["maxclients"]
            admin.config_set("maxclients", "1")
            link = RedisLink(redis_server.url)
            try:
                await failure(link.call("PING"))
            finally:
                admin.config_set("maxclients", most)
            assert await link.call("PING") == b"PONG"
            await link.close()


class TestScripts:
    async def test_run_with_keys_and_arguments(self, link: RedisLink) -> None:
        script = Script(link, "return {KEYS[1], KEYS[2], ARGV[1], ARGV[2] * 2}")
        assert await script.run(["one", "two"], ["김", 1.5]) == [b"one", b"two", "김".encode(), 3]

    async def test_run_once_when_redis_does_not_know_them(self, link: RedisLink, redis_server: RedisServer) -> None:
        script = Script(link, "return redis.call('INCR', KEYS[1])")
        assert await script.run(["n"], []) == 1
        with redis_server.admin() as admin:
            admin.script_flush()
        assert await script.run(["n"], []) == 2
        assert await script.run(["n"], []) == 3

    async def test_that_fail_are_told_so(self, link: RedisLink) -> None:
        with pytest.raises(RedisRefused, match="my own words"):
            await Script(link, "return redis.error_reply('ERR my own words')").run([], [])


class TestUrls:
    async def test_may_hold_a_password(self, locked_redis: RedisServer) -> None:
        link = RedisLink(locked_redis.url)
        assert await link.call("PING") == b"PONG"
        await link.close()

    async def test_with_a_wrong_password_or_none_never_show_it(self, locked_redis: RedisServer) -> None:
        socket_path = f"{locked_redis.folder}/r.sock"
        for url in (f"unix://:wrong-secret@{socket_path}", f"unix://user:wrong-secret@{socket_path}"):
            link = RedisLink(url)
            told = await failure(link.call("PING"))
            assert "WRONGPASS" in told
            assert "wrong-secret" not in told + repr(link)
            await link.close()
        without = RedisLink(f"unix://{socket_path}")
        assert "NOAUTH" in await failure(without.call("PING"))
        await without.close()

    async def test_may_name_a_port_and_a_database(self, redis_server: RedisServer) -> None:
        with redis_server.admin() as admin:
            port = admin.config_get("port")["port"]
        first, second = RedisLink(f"redis://127.0.0.1:{port}"), RedisLink(f"redis://127.0.0.1:{port}/2")
        await first.call("SET", "k", "first")
        await second.call("SET", "k", "second")
        assert await first.call("GET", "k") == b"first"
        await first.close()
        await second.close()

    @pytest.mark.parametrize(
        "url",
        ["http://:secret@host", "redis://:secret@host:port", "redis://:secret@host?secret=1", "unix://?db=secret"],
    )
    def test_that_cannot_be_used_are_refused_and_not_shown(self, url: str) -> None:
        with pytest.raises(ValueError, match="Redis URL has a part") as caught:
            RedisLink(url)
        assert "secret" not in str(caught.value)
        assert caught.value.__suppress_context__


class TestTls:
    async def test_is_checked_against_the_ca_that_the_url_names(
        self, tls_port: Callable[..., Any], tmp_path: Path
    ) -> None:
        async with tls_port("127.0.0.1") as port:
            link = RedisLink(f"rediss://127.0.0.1:{port}?ssl_ca_certs={tmp_path}/ca.crt")
            assert await asyncio.gather(*(link.call("ECHO", number) for number in range(100))) == [
                str(number).encode() for number in range(100)
            ]
            value = random.Random(4).randbytes(16 * 1024 * 1024)  # noqa: S311 - test data, the same in each run
            await link.call("SET", "large", value)
            assert await link.call("GET", "large") == value
            await link.close()

    async def test_of_an_unknown_ca_is_refused(self, tls_port: Callable[..., Any]) -> None:
        async with tls_port("127.0.0.1") as port:
            link = RedisLink(f"rediss://127.0.0.1:{port}")
            assert "certificate verify failed" in await failure(link.call("PING"))
            await link.close()

    async def test_of_another_host_is_refused(self, tls_port: Callable[..., Any], tmp_path: Path) -> None:
        async with tls_port("other.example") as port:
            link = RedisLink(f"rediss://127.0.0.1:{port}?ssl_ca_certs={tmp_path}/ca.crt")
            assert "certificate verify failed" in await failure(link.call("PING"))
            await link.close()


@pytest.fixture
def tls_port(redis_server: RedisServer, tmp_path: Path) -> Callable[..., Any]:
    """TLS before the Redis, which may be built without."""
    ca = issue_ca("test", datetime.now(UTC))
    (tmp_path / "ca.crt").write_bytes(ca.certificate_pem)

    @contextlib.asynccontextmanager
    async def serve(host: str) -> AsyncIterator[int]:
        leaf = issue_leaf(ca, "spiffe://papermesh/ns/test/sa/redis", [host], datetime.now(UTC))
        (tmp_path / "tls.crt").write_bytes(leaf.certificate_pem)
        (tmp_path / "tls.key").write_bytes(leaf.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
        async with await asyncio.start_server(pipe, "127.0.0.1", 0, ssl=context) as server:
            yield server.sockets[0].getsockname()[1]

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(f"{redis_server.folder}/r.sock")
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        target.close()

    return serve


async def _reads(link: RedisLink) -> int:
    """How often Redis has read from a socket."""
    told = (await link.call("INFO", "stats")).decode()
    return int(told.split("total_reads_processed:")[1].split()[0])


def _is_blocked(admin: redis.Redis, client_id: int) -> bool:
    return "b" in admin.client_list(client_id=[client_id])[0]["flags"]
