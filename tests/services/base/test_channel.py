"""Channels to a real server that demands client certificates, while the files behind them change."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from services.base import actions
from services.base import channel as module
from services.base.channel import MeshChannel, open_channel
from tests.support.ports import free_port
from trust.certificates import Step, ensure, rotate_leaves, take
from trust.certificates.folder import publish

pytestmark = pytest.mark.measures_time

WHO = "/test.Server/Who"
WAIT = "/test.Server/Wait"
COUNT = "/test.Server/Count"
SUM = "/test.Server/Sum"


class Server:
    """Tells its callers which certificate they show; takes up its own files at every handshake, as ours do."""

    def __init__(self, tls_dir: Path) -> None:
        self.tls_dir = tls_dir
        self.waiting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.port = 0

    async def who(self, _: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        (pem,) = context.auth_context()["x509_pem_cert"]
        return b"%x" % x509.load_pem_x509_certificate(pem).serial_number

    async def wait(self, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        self.waiting.set()
        await self.go_on.wait()
        return await self.who(request, context)

    async def count(self, _: bytes, __: "grpc.aio.ServicerContext[bytes, bytes]") -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d" % number
            self.waiting.set()
            await self.go_on.wait()

    async def sum(self, numbers: AsyncIterator[bytes], _: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        total = 0
        async for number in numbers:
            total += int(number)
            self.waiting.set()
            await self.go_on.wait()
        return b"%d" % total

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        chain, key, roots = ((self.tls_dir / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt"))
        return grpc.ssl_server_certificate_configuration([(key, chain)], root_certificates=roots)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = grpc.aio.server()
        handlers = {
            "Who": grpc.unary_unary_rpc_method_handler(self.who),
            "Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Server", handlers),))
        credentials = grpc.dynamic_ssl_server_credentials(
            self.configuration(), self.configuration, require_client_authentication=True
        )
        self.port = server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        await server.start()
        try:
            yield
        finally:
            await server.stop(None)

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(module, "_PROVE_S", 1.0)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    ensure(tmp_path / "certs", "default", ["envoy", "adapter"])
    return tmp_path / "certs"


@pytest.fixture
async def server(certs: Path) -> AsyncIterator[Server]:
    server = Server(certs / "envoy")
    async with server.running():
        yield server


@pytest.fixture
async def channel(server: Server, certs: Path) -> AsyncIterator[MeshChannel]:
    async with open_channel(server.address, certs / "adapter") as channel:
        yield channel


def serial(certs: Path, name: str = "adapter") -> bytes:
    return b"%x" % x509.load_pem_x509_certificate((certs / name / "tls.crt").read_bytes()).serial_number


async def eventually(condition: Callable[[], Awaitable[bool]], limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.01)


def shows(who: Callable[..., Awaitable[bytes]], wanted: bytes) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await who(b"", timeout=10) == wanted

    return look


async def test_a_renewed_certificate_is_shown_by_calls_that_were_bound_before(
    channel: MeshChannel, certs: Path
) -> None:
    who = channel.unary_unary(WHO)
    assert await who(b"", timeout=10) == serial(certs)

    rotate_leaves(certs, ["adapter"])

    await eventually(shows(who, serial(certs)))
    assert await channel.unary_unary(WHO)(b"", timeout=10) == serial(certs), "and by those that are bound after"


async def test_no_call_is_lost_while_leaves_and_the_ca_are_rotated_again_and_again(
    channel: MeshChannel, certs: Path
) -> None:
    who = channel.unary_unary(WHO)
    done, answers = asyncio.Event(), set()

    async def caller() -> int:
        calls = 0
        while not done.is_set():
            answers.add(await who(b"", timeout=10))  # raises when a call is lost
            calls += 1
        return calls

    async with asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(caller()) for _ in range(8)]
        for _ in range(4):
            rotate_leaves(certs)
            await eventually(shows(who, serial(certs)))
        for step in Step:
            take(certs, step, "default")
            await eventually(shows(who, serial(certs)))
        done.set()

    assert sum(caller.result() for caller in callers) > 50
    assert len(answers) == 6, "the first, four rotated, and that of the new CA"


async def test_calls_under_way_end_on_the_connection_that_they_began_on(
    channel: MeshChannel, server: Server, certs: Path
) -> None:
    before = serial(certs)
    waiting = asyncio.ensure_future(channel.unary_unary(WAIT)(b"", timeout=30))
    await server.waiting.wait()

    rotate_leaves(certs, ["adapter"])
    await eventually(shows(channel.unary_unary(WHO), serial(certs)))
    server.go_on.set()

    assert await waiting == before


async def test_streams_under_way_end_on_the_connection_that_they_began_on(
    channel: MeshChannel, server: Server, certs: Path
) -> None:
    async def numbers() -> AsyncIterator[bytes]:
        for number in (1, 2, 3):
            yield b"%d" % number
            await server.go_on.wait()

    summing = asyncio.ensure_future(channel.stream_unary(SUM)(numbers(), timeout=30))
    await server.waiting.wait()
    server.waiting.clear()
    counted = channel.unary_stream(COUNT)(b"", timeout=30)
    assert await anext(aiter(counted)) == b"0"

    rotate_leaves(certs, ["adapter"])
    await eventually(shows(channel.unary_unary(WHO), serial(certs)))
    server.go_on.set()

    assert [number async for number in counted] == [b"1", b"2"]
    assert await summing == b"6"


async def test_the_connection_that_was_replaced_is_closed_when_its_last_call_has_ended(
    channel: MeshChannel, server: Server, certs: Path
) -> None:
    await channel.unary_unary(WHO)(b"", timeout=10)
    old = channel._channel
    waiting = asyncio.ensure_future(channel.unary_unary(WAIT)(b"", timeout=30))
    await server.waiting.wait()
    rotate_leaves(certs, ["adapter"])
    await eventually(shows(channel.unary_unary(WHO), serial(certs)))
    assert old.get_state() is grpc.ChannelConnectivity.READY

    server.go_on.set()
    await waiting

    async def closed() -> bool:
        return old.get_state() is grpc.ChannelConnectivity.SHUTDOWN

    await eventually(closed)


def other_ca(folder: Path, into: Path) -> None:
    """A leaf of a CA that nobody trusts, beside the right bundle."""
    ensure(folder, "default", ["adapter"])
    files = {name: (folder / "adapter" / name).read_bytes() for name in ("tls.crt", "tls.key")}
    publish(into, {**files, "ca.crt": (into / "ca.crt").read_bytes()})


def key_of_another(_: Path, into: Path) -> None:
    files = {name: (into / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt")}
    publish(into, {**files, "tls.key": (into.parent / "envoy" / "tls.key").read_bytes()})


def half_a_certificate(_: Path, into: Path) -> None:
    files = {name: (into / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt")}
    publish(into, {**files, "tls.crt": files["tls.crt"][:200]})


def no_bundle(_: Path, into: Path) -> None:
    files = {name: (into / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt")}
    publish(into, {**files, "ca.crt": b""})


def no_files(_: Path, into: Path) -> None:
    shutil.rmtree(into)


def open_to_all(_: Path, into: Path) -> None:
    (into / "tls.key").chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (other_ca, "accepted no connection"),
        (key_of_another, "tls.key: it does not belong to tls.crt"),
        (half_a_certificate, "tls.crt: it holds no certificate"),
        (no_bundle, "ca.crt: it holds no certificate"),
        (no_files, "tls.crt: No such file"),
        (open_to_all, "everybody on this machine can read it"),
    ],
)
async def test_what_cannot_be_used_is_logged_once_and_the_last_good_one_stays(  # noqa: PLR0917 - fixtures
    channel: MeshChannel,
    certs: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path, Path], None],
    says: str,
) -> None:
    who, before = channel.unary_unary(WHO), serial(certs)
    assert await who(b"", timeout=10) == before

    spoil(tmp_path / "other", certs / "adapter")

    async def complained() -> bool:
        assert await who(b"", timeout=10) == before
        return "the last good one stays in use" in caplog.text

    await eventually(complained)
    assert says in caplog.text
    assert "PRIVATE KEY" not in caplog.text
    ensure(certs, "default", ["adapter"])  # which mends it
    await eventually(shows(who, serial(certs)))
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1


async def test_a_new_certificate_waits_for_an_envoy_that_is_away(server: Server, certs: Path) -> None:
    async with open_channel(server.address, certs / "adapter") as channel:
        who = channel.unary_unary(WHO)
        await who(b"", timeout=10)
    again = Server(certs / "envoy")
    async with again.running():
        address = again.address
    again.port = int(address.rpartition(":")[2])
    async with open_channel(address, certs / "adapter") as channel:
        who = channel.unary_unary(WHO)
        with pytest.raises(grpc.aio.AioRpcError):
            await who(b"", timeout=5)
        rotate_leaves(certs, ["adapter"])
        async with again.running():

            async def shown() -> bool:
                try:
                    return bool(await who(b"", timeout=5) == serial(certs))
                except grpc.aio.AioRpcError:
                    return False

            await eventually(shown)


async def test_a_server_with_two_cas_takes_leaves_of_both_and_of_one_alone_after_the_other_was_dropped(
    server: Server, certs: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(certs / "adapter", old)
    take(certs, Step.TRUST, "default")
    take(certs, Step.ISSUE, "default")
    bundle = (certs / "adapter" / "ca.crt").read_bytes()
    (old / "ca.crt").write_bytes(bundle)
    assert bundle.count(b"BEGIN CERTIFICATE") == 2
    for folder in (old, certs / "adapter"):
        async with open_channel(server.address, folder) as channel:
            await channel.unary_unary(WHO)(b"", timeout=10)

    take(certs, Step.DROP, "default")

    async with open_channel(server.address, old) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await channel.unary_unary(WHO)(b"", timeout=10)
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    async with open_channel(server.address, certs / "adapter") as channel:
        await channel.unary_unary(WHO)(b"", timeout=10)


@pytest.mark.parametrize("spoil", [key_of_another, half_a_certificate, no_files, open_to_all])
async def test_a_channel_does_not_begin_with_what_cannot_be_used(
    certs: Path, tmp_path: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(tmp_path / "other", certs / "adapter")
    with pytest.raises(OSError, match="tls") as error:
        open_channel("localhost:1", certs / "adapter")
    assert error.value.filename
    assert error.value.strerror


async def test_bound_methods_are_not_kept_for_a_channel_s_life(channel: MeshChannel) -> None:
    for _ in range(100):
        await channel.unary_unary(WHO)(b"", timeout=10)
    assert len(channel._callables) == 0


def test_a_connection_that_was_replaced_waits_for_the_longest_call_that_there_is() -> None:
    assert all(method.timeout.total_seconds() <= module._LONGEST_CALL_S for method in actions.load().methods.values())


@asynccontextmanager
async def slow_way(server: Server, port: int, delay_s: float) -> AsyncIterator[None]:
    """A way to the server on which the first bytes take a while, as on a machine that has too much to do."""

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(64 * 1024):
            writer.write(piece)
        writer.close()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.get_running_loop().create_future()
        connections.append(ended)
        try:
            await asyncio.sleep(delay_s)
            to, back = await asyncio.open_connection("127.0.0.1", server.port)
            with suppress(ConnectionError):
                await asyncio.gather(passed_on(reader, back), passed_on(to, writer))
        finally:
            ended.set_result(None)

    connections: list[asyncio.Future[None]] = []
    async with await asyncio.start_server(accepted, "127.0.0.1", port):
        yield
        await asyncio.gather(*connections)


async def test_a_handshake_that_takes_half_a_second_costs_no_call(server: Server, certs: Path) -> None:
    port = free_port()
    async with slow_way(server, port, 0.5), open_channel(f"localhost:{port}", certs / "adapter") as channel:
        assert await channel.unary_unary(WHO)(b"", timeout=10) == serial(certs)


async def test_a_call_can_wait_for_a_connection_that_is_being_made_again(certs: Path) -> None:
    server = Server(certs / "envoy")
    server.port = free_port()
    async with open_channel(server.address, certs / "adapter") as channel:
        who = channel.unary_unary(WHO)
        with pytest.raises(grpc.aio.AioRpcError):  # nobody is there
            await who(b"", timeout=10)
        async with server.running():
            await channel.back()
            assert await who(b"", timeout=10) == serial(certs)


async def test_it_does_not_wait_for_long(certs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACK_S", 0.2)
    async with open_channel(f"localhost:{free_port()}", certs / "adapter") as channel:
        who = channel.unary_unary(WHO)
        for _ in range(2):
            async with asyncio.timeout(5):
                await channel.back()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await who(b"", timeout=10)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
