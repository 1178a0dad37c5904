"""One gRPC server, the same for every service: mutual TLS, health, reflection, limits, keepalive, graceful stop."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from pydantic import Field

from papermesh.engine.v1 import engine_service_pb2
from services.base import actions, identity
from services.base.call import OnEnd
from services.base.channel import MAX_RESPONSE_BYTES
from services.base.engine import EngineServicer
from services.base.guard import Guard
from services.base.handlers import generic_handler
from services.base.names import MAX_ENGINE
from services.base.probes import Probes
from services.base.readiness import IsReady, watch
from services.base.served import MAX_REQUEST_BYTES, Serving
from services.base.settings import WorkloadSettings
from services.base.shares import Shares
from services.base.starting import taken
from services.base.tls_files import TlsFiles

__all__ = ["Hosted", "Server", "ServerSettings"]

_log = logging.getLogger(__name__)

_CANCELLED_S = 5.0
"""What calls that were cancelled get to leave what they did in order."""

_ENGINE_SERVICE = engine_service_pb2.DESCRIPTOR.services_by_name["EngineService"]

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
    probe_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description=(
            'Port for a kubelet\'s probes: gRPC health without TLS, where the service "" is readiness and '
            '"liveness" is liveness. 0 for none.'
        ),
    )
    drain_notice_s: float = Field(
        3,
        ge=0,
        le=60,
        description=(
            "Seconds after SIGTERM in which new calls are still served. Envoy's health checks take up to 2.2 s to see "
            "that this process is leaving, and its DNS refresh 2 s."
        ),
    )
    drain_s: float = Field(20, ge=0, le=600, description="Seconds that running calls get to finish afterwards.")


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
        table: actions.ActionTable,
        behind_mesh: bool,
        engine: str = "",
        on_end: Sequence[OnEnd] = (),
    ) -> None:
        """Takes its port, and listens when it is started.

        Args:
            settings: Where to listen and with which certificate.
            port: Port to listen on; 0 picks a free one.
            hosted: The services.
            table: Where the methods' timeouts come from.
            behind_mesh: Whether callers come through Envoy's mesh listener (see `status.status_code`).
            engine: Version of what makes the results of a service behind the mesh listener, at most `MAX_ENGINE`
                characters; it must change whenever they may. A result is kept in the cache only where there is one.
            on_end: Who is told of every call's end.

        Raises:
            StartError: when the port cannot be had.
            ValueError: for a longer `engine`.
        """
        if len(engine) > MAX_ENGINE:  # dispatch would not believe it, and cache nothing, without a word to anybody
            raise ValueError(f"an engine's version has at most {MAX_ENGINE} characters: {engine}")
        self._settings = settings
        self._health = health.aio.HealthServicer()
        self._names = [each.descriptor.full_name for each in hosted]
        guard = Guard(identity.workload_id(settings.namespace, "envoy").encode())
        self._server = grpc.aio.server(interceptors=[guard], options=_OPTIONS)
        serving = Serving(
            timeouts_s={path: method.timeout.total_seconds() for path, method in table.methods.items()},
            behind_mesh=behind_mesh,
            engine=engine,
            on_end=on_end,
            shares=None if behind_mesh else Shares(),
        )
        self._under_way = serving.under_way
        if engine:
            hosted = (*hosted, Hosted(_ENGINE_SERVICE, EngineServicer(engine, self._names)))
        for each in hosted:
            self._server.add_generic_rpc_handlers([generic_handler(each.descriptor, each.servicer, serving)])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
            reflection.aio.ReflectionServicer(names), self._server
        )
        credentials = _credentials(settings.tls_dir)
        try:
            self.port = self._server.add_secure_port(f"{settings.bind_host}:{port}", credentials)
        except RuntimeError:  # all that grpc says is that it failed
            raise taken(settings.bind_host, port) from None
        self._probes = Probes(settings.bind_host, settings.probe_port) if settings.probe_port else None

    async def start(self, *, serving: bool = True) -> None:
        """Starts to listen, and to answer SERVING or NOT_SERVING."""
        await self.set_serving(serving=serving)
        await self._server.start()
        if self._probes:
            await self._probes.start(serving=serving)
        _log.info("listening", extra={"fields": {"port": self.port, "services": self._names}})

    async def set_serving(self, *, serving: bool) -> None:
        """Tells Envoy's health checks, and the kubelet's, whether to send calls here."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, state)
        if self._probes:
            await self._probes.set_serving(serving=serving)

    async def stop(self) -> None:
        """Takes no more calls, lets those under way finish within the drain time, and ends.

        Whoever wants to know of every call's end has been told of all of them then.
        """
        await self._take_leave()
        # Clients get a GOAWAY, and with it which of their calls are still served.
        await self._server.stop(self._settings.drain_s)
        # grpc cancels the rest, and does not wait for what they do about it.
        if not await self._under_way.all_ended(_CANCELLED_S):
            _log.error("%d calls were cancelled and did not end", self._under_way.calls)
        if self._probes:
            await self._probes.stop()

    async def serve(self, is_ready: IsReady | None = None) -> None:
        """Runs until it is asked to leave, then stops without losing a call.

        SIGTERM: says NOT_SERVING, serves for the notice time whoever has not heard that yet, and stops. SIGINT is for a
        deployment that goes as a whole, callers first: stops without notice, also when the notice time runs already.

        Args:
            is_ready: Asked all the time whether calls may be sent here; they may whenever it runs when left out.
        """
        leave, at_once = asyncio.Event(), asyncio.Event()

        def leave_at_once() -> None:
            at_once.set()
            leave.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, leave.set)
        loop.add_signal_handler(signal.SIGINT, leave_at_once)
        await self.start(serving=is_ready is None)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch(is_ready, self.set_serving)) if is_ready else None
            await leave.wait()
            if watching:
                watching.cancel()
        _log.info("draining")
        await self._take_leave()
        with suppress(TimeoutError):  # which is how the notice time usually ends
            await asyncio.wait_for(at_once.wait(), self._settings.drain_notice_s)
        await self.stop()

    async def _take_leave(self) -> None:
        """Tells all health checks, for good, to send no more calls here."""
        await self.set_serving(serving=False)
        await self._health.enter_graceful_shutdown()


def _credentials(tls_dir: Path) -> grpc.ServerCredentials:
    """Server credentials that demand a certificate of the mesh CA and take up renewed files by themselves.

    grpc asks for the configuration at every handshake; files that cannot be used leave the last good ones in place.

    Raises:
        OSError: naming the file that cannot be used.
    """
    seen = TlsFiles.read(tls_dir)
    seen.check(tls_dir)
    reported = ""

    def configuration() -> grpc.ServerCertificateConfiguration | None:
        nonlocal seen, reported
        try:
            files = TlsFiles.read(tls_dir)
            if files == seen:
                return None  # "unchanged", in grpc's terms
            files.check(tls_dir)
        except OSError as error:
            said = f"{error.filename}: {error.strerror}"
            if said != reported:  # once, not at every handshake
                _log.error("The certificate cannot be used; the last good one stays in use: %s", said)
            reported = said
            return None
        seen, reported = files, ""
        return _configuration(files)

    fetch = cast(
        "Callable[[], grpc.ServerCertificateConfiguration]", configuration
    )  # the stubs forget that it may be None
    return grpc.dynamic_ssl_server_credentials(_configuration(seen), fetch, require_client_authentication=True)


def _configuration(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(files.key, files.chain)], root_certificates=files.roots)
