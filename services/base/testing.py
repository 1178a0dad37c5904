"""The test kit: a servicer in this process, called for real.

    async def test_it_greets(tmp_path):
        hosted = Hosted(greeter_pb2.DESCRIPTOR.services_by_name["GreeterService"], GreeterServicer())
        table = actions.load(Path("greeter.binpb"))
        async with serving(hosted, table=table, directory=tmp_path) as channel:
            stub = greeter_pb2_grpc.GreeterServiceStub(channel)
            answer = await stub.Greet(greeter_pb2.GreetRequest(name="Ada"), metadata=envoy_metadata())

Everything on the way is what runs in production: `services.base.server.Server` on a free port, mutual TLS with
certificates of a CA of its own, the guard, the limits and the translation of errors. Only Envoy is missing; the channel
presents its certificate, and `envoy_metadata` writes what it would. A failed call raises `grpc.aio.AioRpcError`, which
`services.base.status.decode` turns into the `PapermeshError` that callers of the mesh get.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from services.base import actions
from services.base.actions import ActionTable
from services.base.call import OnEnd
from services.base.channel import open_channel
from services.base.identity import workload_id
from services.base.server import Hosted, Server, ServerSettings
from trust.certificates import ensure

__all__ = ["envoy_metadata", "serving"]

NAMESPACE = "default"
REQUEST_ID = "11111111-2222-4333-8444-555555555555"

_DRAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is up, and where its callers find what they need."""

    server: Server
    address: str
    """"localhost:port"; Envoy's certificate is good for that name."""

    certificates: Path
    """Root of the certificates, as `trust.certificates` lays it out."""

    @property
    def tls_dir(self) -> Path:
        """Envoy's certificate, the only one that the server lets in."""
        return self.certificates / "envoy"


@asynccontextmanager
async def running(
    *hosted: Hosted,
    directory: Path,
    table: ActionTable | None = None,
    behind_mesh: bool = True,
    engine: str = "",
    on_end: Sequence[OnEnd] = (),
    drain_s: float = _DRAIN_S,
) -> AsyncIterator[Running]:
    """Runs a server for as long as the block lasts; `serving` is what most tests want.

    Args:
        hosted: The services with their servicers.
        directory: A folder for the certificates, pytest's `tmp_path`; those that it holds already are used again.
        table: The action table, with the descriptor sets of in-house services; the built-in one by default.
        behind_mesh: Whether it stands behind Envoy's mesh listener, as every service but dispatch does.
        engine: The version of the engine that makes the results.
        on_end: Who is told of every call's end.
        drain_s: Seconds that running calls get to finish at the end.
    """
    certificates = directory / "certificates"
    ensure(certificates, NAMESPACE, ["envoy"])
    # The server shows Envoy's certificate too: without Envoy in between, it is the server that needs a host name.
    settings = ServerSettings.read(
        tls_dir=certificates / "envoy", namespace=NAMESPACE, bind_host="127.0.0.1", drain_s=drain_s
    )
    server = Server(
        settings, 0, hosted, table=table or actions.load(), behind_mesh=behind_mesh, engine=engine, on_end=on_end
    )
    await server.start()
    try:
        yield Running(server, f"localhost:{server.port}", certificates)
    finally:
        await server.stop()


@asynccontextmanager
async def serving(
    *hosted: Hosted, directory: Path, table: ActionTable | None = None, behind_mesh: bool = True
) -> AsyncIterator[grpc.aio.Channel]:
    """Runs a server as `running` does, and gives a channel to it that presents Envoy's certificate."""
    async with (
        running(*hosted, directory=directory, table=table, behind_mesh=behind_mesh) as up,
        open_channel(up.address, up.tls_dir) as channel,
    ):
        yield channel


def envoy_metadata(caller: str | None = None, *, request_id: str = REQUEST_ID) -> tuple[tuple[str, str], ...]:
    """What Envoy adds to the metadata of a call; `caller` is the SPIFFE id that it saw, the adapter's by default."""
    uri = caller or workload_id(NAMESPACE, "adapter")
    return (("x-request-id", request_id), ("x-forwarded-client-cert", f"Hash={'0' * 64};URI={uri}"))
