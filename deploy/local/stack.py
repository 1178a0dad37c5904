"""Everything together: writes what the parts need, starts them in order and waits for each, stops them in reverse."""

import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy import workloads
from deploy.local import keys
from deploy.local import replicas as replica_counts
from deploy.local.folders import Folders, keep_previous
from deploy.local.guardian import Guardian, end_leftovers
from deploy.local.hold import Hold
from deploy.local.part import Part
from deploy.local.parts import NAMESPACE, Plan
from deploy.local.ports import Ports
from deploy.workloads import SERVICES, Workload
from envoy import render
from services.base import actions
from services.base.starting import listen
from trust import certificates

_LEFTOVER_GRACE_S = 5.0

_NEW = frozenset({certificates.Done.ISSUED, certificates.Done.RENEWED})


class Stack:
    """A whole deployment on this machine, its state under one folder.

    Start and stop parts one by one through `part`. Nothing restarts unless a `Keeper` tends `parts`.
    """

    def __init__(
        self,
        root: Path,
        ports: Ports | None = None,
        services: Sequence[Workload] = SERVICES,
        *,
        replicas: Mapping[str, int] | None = None,
        settings: Mapping[str, str] | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        """Writes and starts nothing.

        Args:
            root: The folder of its state.
            ports: Where the parts listen; the default ports if left out.
            services: What stands behind dispatch.
            replicas: How many of dispatch, of a service or of the adapter run, {"pdf": 2}; one if left out. The second
                is the part "pdf-2".
            settings: More PAPERMESH_ variables for every part; those that the deployment sets itself win.
            stopping: When set, `start` gives up waiting.
        """
        self.folders = Folders(root.resolve())
        self.ports = ports or Ports()
        self.edge_address = f"localhost:{self.ports.edge}"
        """Envoy's listener for callers of dispatch."""
        self.mesh_address = f"localhost:{self.ports.mesh}"
        """Envoy's listener for callers of services."""
        self.services = tuple(services)
        self.parts: dict[str, Part] = {}
        """By name, in starting order: Redis, dispatch, the services, envoy, the adapters."""
        self._plan = Plan(self.folders, self.ports, self.services, settings or {}, replicas or {})
        self._stages: tuple[tuple[Part, ...], ...] = ()
        self._listener: socket.socket | None = None
        self._stopping = stopping
        self._hold = Hold(self.folders.run)
        self._guardian: Guardian | None = None

    @property
    def url(self) -> str:
        """Where the adapter answers a caller on this machine."""
        host = self._plan.http_host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what is bound, as a caller reaches it
        return f"http://[{host}]:{self.ports.http}" if ":" in host else f"http://{host}:{self.ports.http}"

    def part(self, name: str) -> Part:
        """One part, to start, stop, kill or restart by itself."""
        return self.parts[name]

    def tls_dir(self, workload: str) -> Path:
        """The folder with a workload's certificate."""
        return self.folders.certs / workload

    def key_file(self, client: str) -> Path:
        """The file with a client's key."""
        return self.folders.secrets / f"{client}.json"

    def prepare(self) -> None:
        """Takes the folder, and writes certificates, keys and configurations into it.

        Raises:
            HeldError: when another supervisor holds the folder.
            FolderError, PortError, ReplicaError, RedisMissingError, EnvoyNotFoundError, CertificateError,
            ClientKeysError, SettingsError: see there.
        """
        replica_counts.check(self._plan.replicas, self.services)
        self.folders.make()
        self._hold.take()
        end_leftovers(self.folders.run, _LEFTOVER_GRACE_S)
        self.ports.check(self.services, self._plan.replicas)
        self.renew_certificates()
        self._plan.check_people()
        # Held to the end: whoever calls while the only adapter restarts waits for a moment instead of being refused.
        self._listener = listen(self._plan.http_host, self.ports.http)
        keys.ensure_clients(self.folders.secrets, NAMESPACE)
        keys.ensure_audit_key(self.folders.secrets)
        keys.ensure_ticket_key(self.folders.secrets)
        for file, content in self._plan.redis_configurations().items():
            file.write_text(content, encoding="utf-8")
        bootstrap = render.write(self._plan.topology(), actions.load(*self._plan.descriptors), self.folders.envoy)
        keep_previous(self._plan.access_log)
        self._stages = tuple(
            tuple(Part(command, self.folders.run, self.folders.log) for command in stage)
            for stage in self._plan.stages(bootstrap, self._listener)
        )
        self.parts = {part.name: part for stage in self._stages for part in stage}

    def renew_certificates(self) -> tuple[str, ...]:
        """Issues missing certificates and renews old ones, also for your own callers.

        Begins a rotation of the CA that is due, and continues one that has begun. Running parts take up the files by
        themselves.

        Returns:
            What was done, as sentences.
        """
        folder = self.folders.certs
        known = certificates.callers(folder)
        outcomes = certificates.ensure(folder, NAMESPACE, workloads.names(self.services), clients=known)
        done = [f"{each.name} has a new certificate." for each in outcomes if each.done in _NEW]
        if step := certificates.carry_on(folder, NAMESPACE):
            done.append(f"The CA is being rotated: {step} is done.")
        return tuple(done)

    def restart(self, name: str, timeout_s: float = 60) -> None:
        """Restarts a part, and waits until it answers and Envoy sends calls to it again.

        Raises:
            PartError: when it does not.
            StoppedError: when `stopping` was set meanwhile.
        """
        self.parts[name].restart()
        for waited_for in (name, "envoy"):
            self.parts[waited_for].wait_until_ready(timeout_s, self._stopping)

    def start(self, timeout_s: float = 60) -> None:
        """Prepares, starts every part and waits until all answer. If one does not, stops them again.

        Raises:
            PartError: naming the part, with the end of its log.
            StoppedError: when `stopping` was set meanwhile.
        """
        try:
            self.prepare()
            self._guardian = Guardian(self.folders.run)
            # Redis is first, since dispatch begins with it; Envoy comes when its hosts answer, since it begins with a
            # health check of each. The adapters need Envoy only to be ready, and Python takes its time to start.
            redis, behind, envoy, adapters = self._stages
            ready: list[Part] = []
            for together in (redis, behind, (*envoy, *adapters)):
                for part in together:
                    part.start()
                for part in together:
                    part.wait_until_ready(timeout_s, self._stopping, needed=ready)
                    ready.append(part)
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        """Waits until every part answers again, after some were killed or restarted."""
        for part in self.parts.values():
            part.wait_until_ready(timeout_s, self._stopping)

    def stop(self, grace_s: float = 10) -> None:
        """Stops every part, callers first, and leaves the folder to the next supervisor."""
        for stage in reversed(self._stages):
            # Without notice: whoever calls this stage has been stopped before it.
            for part in stage:
                part.ask_to_end(grace_s, signal.SIGINT)
            for part in stage:
                part.end(grace_s)
        if self._listener:
            self._listener.close()
            self._listener = None
        if self._guardian:
            self._guardian.dismiss()
            self._guardian = None
        if self._hold.held:
            self.folders.remove_sockets()
            self._hold.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
