"""A real Envoy between real gRPC clients and small backends, on free ports of the loopback."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import grpc

from envoy import admin, binary
from envoy.render import write
from envoy.topology import Address, Service, Topology
from services.base import actions
from tests.envoy.backend import STOP_LIMIT_S, Backend, Behaviour, echo, tls_files
from tests.support.ports import free_port
from trust.certificates import ensure

START_LIMIT_S = 20

INVOKE = "/papermesh.dispatch.v1.DispatchService/Invoke"
LIST_ACTIONS = "/papermesh.dispatch.v1.DispatchService/ListActions"
GET_DOCUMENT = "/papermesh.dispatch.v1.DispatchService/GetDocument"
GET_METADATA = "/papermesh.pdf.v1.PdfService/GetMetadata"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


class RunningEnvoy:
    """An Envoy process; talks to its admin interface."""

    def __init__(self, topology: Topology, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.topology = topology
        self.process = process
        self.log = log

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Asks the admin interface; the status and the text of its answer."""
        return admin.ask(Path(self.topology.admin_socket), path, method)

    def counter(self, name: str) -> int:
        """The value of one counter or gauge; 0 for one that Envoy has not made yet."""
        _, text = self.get("/stats?" + urlencode({"format": "json", "filter": f"^{name}$"}))
        stats: list[dict[str, Any]] = json.loads(text)["stats"]
        return sum(int(stat["value"]) for stat in stats if stat.get("name") == name)

    def access_log(self) -> list[dict[str, Any]]:
        """The lines written so far."""
        assert self.topology.access_log is not None
        lines = Path(self.topology.access_log).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def is_ready(self) -> bool:
        try:
            return self.get("/ready")[1].strip() == "LIVE"
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_LIMIT_S)


@contextmanager
def running_envoy(topology: Topology, table: actions.ActionTable) -> Iterator[RunningEnvoy]:
    """Renders, starts, waits until it is live, and ends it by its process."""
    folder = Path(topology.config_dir)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "envoy.log"
    command = binary.command(binary.find(), write(topology, table, folder), concurrency=topology.concurrency)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        envoy = RunningEnvoy(topology, process, log)
        try:
            eventually(lambda: envoy.is_ready() or process.poll() is not None, START_LIMIT_S)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield envoy
        finally:
            envoy.stop()


WORKLOADS = ("adapter", "dispatch", "envoy", "gitlab", "operator", "pdf", "worker")
"""Who has a certificate in these tests."""


@dataclass
class Mesh:
    """Envoy with a dispatch and a pdf behind it, and a folder of certificates."""

    envoy: RunningEnvoy
    certs: Path
    dispatch: Backend
    pdf: Backend

    def call(
        self,
        path: str,
        *,
        by: str = "adapter",
        certs: Path | None = None,
        request: bytes = b"",
        metadata: tuple[tuple[str, str | bytes], ...] = (),
        timeout: float | None = 10,
    ) -> bytes:
        """Calls `path` as `by`, at the listener that has its route, over a connection of its own."""
        with self.channel(self._listener(path), by=by, certs=certs) as channel:
            answer: bytes = channel.unary_unary(path)(request, metadata=metadata, timeout=timeout)
            return answer

    def refused(self, path: str, **how: Any) -> grpc.RpcError:
        """Calls `path` and returns the error that it must end with."""
        try:
            self.call(path, **how)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{path} was answered")

    def channel(self, listener: Address, *, by: str = "adapter", certs: Path | None = None) -> grpc.Channel:
        key, chain, roots = tls_files((certs or self.certs) / by)
        # A caller with certificates of elsewhere still trusts the mesh's CA, so that it is Envoy who refuses.
        roots = (self.certs / "ca" / "ca.crt").read_bytes()
        return grpc.secure_channel(
            f"{listener.host}:{listener.port}",
            grpc.ssl_channel_credentials(roots, key, chain),
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.enable_retries", 0),
                ("grpc.max_receive_message_length", -1),
            ],
        )

    def _listener(self, path: str) -> Address:
        topology = self.envoy.topology
        on_mesh = any(path.startswith(f"/{name}/") for service in topology.services for name in service.serves)
        return topology.mesh if on_mesh else topology.edge


@contextmanager
def running_mesh(
    folder: Path,
    *,
    table: actions.ActionTable | None = None,
    dispatch: Behaviour = echo,
    pdf: Behaviour = echo,
    pdf_identity: str = "pdf",
    host: str = "127.0.0.1",
    **topology: Any,
) -> Iterator[Mesh]:
    """A mesh in `folder`.

    Args:
        folder: For everything; short, since a Unix socket's path is.
        table: The action table, if not the built-in one.
        dispatch: What dispatch does.
        pdf: What pdf does.
        pdf_identity: Whose certificate pdf shows.
        host: By which name Envoy knows the backends.
        topology: Fields of the topology that are other than here.
    """
    certs = folder / "certs"
    ensure(certs, "default", WORKLOADS, clients=["reports"])
    with ExitStack() as stack:
        front = stack.enter_context(Backend(certs / "dispatch", dispatch).running())
        engine = stack.enter_context(Backend(certs / pdf_identity, pdf).running())
        described = Topology(
            config_dir=str(folder / "envoy"),
            tls_dir=str(certs / "envoy"),
            admin_socket=str(folder / "admin.sock"),
            access_log=str(folder / "access.jsonl"),
            edge=Address("127.0.0.1", free_port()),
            mesh=Address("127.0.0.1", free_port()),
            dispatch=(Address(host, front.port),),
            rate_scale=1000,  # their own tests lower it
            services=(Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address(host, engine.port),)),),
        )
        envoy = stack.enter_context(running_envoy(replace(described, **topology), table or actions.load()))
        yield Mesh(envoy, certs, front, engine)


@contextmanager
def backend_process(tls_dir: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A backend in a process of its own, to be killed or stopped; its port and the process."""
    command = [sys.executable, "-m", "tests.envoy.backend", str(tls_dir)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


def with_timeout(table: actions.ActionTable, path: str, timeout: timedelta) -> actions.ActionTable:
    """The table, with another timeout for one method."""
    methods: Mapping[str, actions.Method] = {**table.methods, path: replace(table.methods[path], timeout=timeout)}
    return replace(table, methods=MappingProxyType(dict(methods)))


def eventually(condition: Callable[[], bool], limit_s: float = 10) -> None:
    """Waits for the condition, and fails when the limit passes first."""
    end = time.monotonic() + limit_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        pause.wait(0.02)
