"""One gRPC server, the same for every service: mutual TLS, health, reflection, limits, keepalive, graceful stop."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from pydantic import Field

from services.base import actions, identity
from services.base.channel import MAX_RESPONSE_BYTES
from services.base.guard import GuardedServer
from services.base.handlers import MAX_REQUEST_BYTES, generic_handler
from services.base.readiness import IsReady, watch
from services.base.settings import WorkloadSettings
from services.base.starting import taken

_log = logging.getLogger(__name__)

_OPTIONS = (
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    # Above our own limit, so that what is somewhat too large gets our typed answer and not grpc's RESOURCE_EXHAUSTED;
    # what is much larger Envoy answers itself. (Pieces of a stream pass Envoy; one over this is grpc's to refuse.)
    ("grpc.max_receive_message_length", 2 * MAX_REQUEST_BYTES),
    ("grpc.max_concurrent_streams", 1000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Envoy pings too; grpc's default would call that abuse and close the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Two servers on one port would share calls by chance and nobody would notice.
    ("grpc.so_reuseport", 0),
)


class ServerSettings(WorkloadSettings):
    """What every gRPC server reads from its environment."""

    bind_host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a pod, loopback on a laptop.")
    drain_s: float = Field(20, ge=0, le=600, description="Seconds that running calls get to finish after SIGTERM.")


@dataclass(frozen=True, slots=True)
class Hosted:
    """A service and the object that serves it."""

    descriptor: ServiceDescriptor
    servicer: object


class Server:
    """A server of the mesh; accepts Envoy and nobody else."""

    def __init__(
        self,
        settings: ServerSettings,
        port: int,
        hosted: Sequence[Hosted],
        *,
        behind_mesh: bool,
        table: actions.ActionTable,
    ) -> None:
        """Takes its port, and listens when it is started.

        Args:
            settings: Where to listen and with which certificate.
            port: Port to listen on; 0 picks a free one.
            hosted: The services.
            behind_mesh: Whether callers come through Envoy's mesh listener (see `status.status_code`).
            table: Where the methods' timeouts come from.

        Raises:
            StartError: when the port cannot be had.
        """
        self._settings = settings
        self._health = health.aio.HealthServicer()
        self._names = [each.descriptor.full_name for each in hosted]
        self._server = grpc.aio.server(options=_OPTIONS)
        timeouts = {path: method.timeout.total_seconds() for path, method in table.methods.items()}
        guarded = GuardedServer(self._server, identity.workload_id(settings.namespace, "envoy").encode())
        guarded.add_generic_rpc_handlers(
            [generic_handler(each.descriptor, each.servicer, timeouts, behind_mesh=behind_mesh) for each in hosted]
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, guarded)
        names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), guarded)
        credentials = _credentials(settings.tls_dir)
        try:
            self.port = self._server.add_secure_port(f"{settings.bind_host}:{port}", credentials)
        except RuntimeError:  # all that grpc says is that it failed
            raise taken(settings.bind_host, port) from None

    async def start(self, *, serving: bool = True) -> None:
        """Starts to listen, and to answer SERVING or NOT_SERVING."""
        await self.set_serving(serving=serving)
        await self._server.start()
        _log.info("listening", extra={"fields": {"port": self.port, "services": self._names}})

    async def set_serving(self, *, serving: bool) -> None:
        """Tells Envoy's health checks whether to send calls here."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, state)

    async def stop(self) -> None:
        """Stops taking calls, lets those under way finish within the drain time, and ends."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._settings.drain_s)

    async def serve(self, is_ready: IsReady | None = None) -> None:
        """Runs until SIGTERM or SIGINT, then stops gracefully.

        Args:
            is_ready: Asked all the time whether calls may be sent here; they may whenever it runs when left out.
        """
        leave = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave.set)
        await self.start(serving=is_ready is None)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch(is_ready, self.set_serving)) if is_ready else None
            await leave.wait()
            if watching:
                watching.cancel()
        _log.info("draining")
        await self.stop()


def _credentials(tls_dir: Path) -> grpc.ServerCredentials:
    """Server credentials that demand a certificate of the mesh CA and take up renewed files by themselves.

    grpc asks for the configuration at every handshake; files that cannot be read leave the last good one in place.
    """
    names = ("tls.crt", "tls.key", "ca.crt")
    seen: tuple[bytes, ...] = ()

    def configuration() -> grpc.ServerCertificateConfiguration | None:
        nonlocal seen
        try:
            files = tuple((tls_dir / name).read_bytes() for name in names)
        except OSError:
            _log.exception("The certificate cannot be read; keeping the last good one")
            return None
        if files == seen:
            return None  # "unchanged", in grpc's terms
        seen = files
        chain, key, roots = files
        return grpc.ssl_server_certificate_configuration([(key, chain)], root_certificates=roots)

    first = configuration()
    if first is None:
        raise SystemExit(f"PAPERMESH_TLS_DIR: cannot read {', '.join(names)} in {tls_dir}. Make them: papermesh certs.")
    fetch = cast(
        "Callable[[], grpc.ServerCertificateConfiguration]", configuration
    )  # the stubs forget that it may be None
    return grpc.dynamic_ssl_server_credentials(first, fetch, require_client_authentication=True)
