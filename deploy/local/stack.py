"""Everything together: writes what the parts need, starts them in order and waits for each, stops them in reverse."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy.local import client_keys, redis_server
from deploy.local.folders import Folders, keep_previous
from deploy.local.guardian import Guardian, end_leftovers
from deploy.local.hold import Hold
from deploy.local.part import Part
from deploy.local.parts import NAMESPACE, Plan
from deploy.local.ports import Ports
from deploy.local.services import SERVICES, Service
from envoy import render
from services.base import actions, certificates

_LEFTOVER_GRACE_S = 5.0

_PYTHON_CLIENTS = ("dispatch", "adapter")
"""The parts that call others themselves."""


class Stack:
    """A whole deployment on this machine, its state under one folder.

    Parts are started and stopped one by one through `part`; nothing is restarted unless a `Keeper` tends `parts`.
    """

    def __init__(
        self,
        root: Path,
        ports: Ports | None = None,
        services: Sequence[Service] = SERVICES,
        *,
        settings: Mapping[str, str] | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        """Writes and starts nothing.

        Args:
            root: The folder of its state.
            ports: Where the parts listen; the default ports when left out.
            services: What stands behind dispatch.
            settings: More PAPERMESH_ variables for every part; what the deployment sets itself wins.
            stopping: When set, `start` gives up waiting.
        """
        self.folders = Folders(root.resolve())
        self.ports = ports or Ports()
        self.services = tuple(services)
        self.parts: dict[str, Part] = {}
        """By name, in the order in which they are started: redis-state, dispatch, the services, envoy, adapter."""
        self._plan = Plan(self.folders, self.ports, self.services, settings or {})
        self._stopping = stopping
        self._hold = Hold(self.folders.run)
        self._guardian: Guardian | None = None

    @property
    def url(self) -> str:
        """Where the adapter answers."""
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def edge_address(self) -> str:
        """Envoy's listener for callers of dispatch."""
        return f"localhost:{self.ports.edge}"

    @property
    def mesh_address(self) -> str:
        """Envoy's listener for callers of services."""
        return f"localhost:{self.ports.mesh}"

    def part(self, name: str) -> Part:
        """One part, to start, stop, kill or restart alone."""
        return self.parts[name]

    def tls_dir(self, workload: str) -> Path:
        """The folder with a workload's certificate."""
        return self.folders.certs / workload

    def key_file(self, client: str) -> Path:
        """The file with a client's key."""
        return self.folders.secrets / f"{client}.json"

    def prepare(self) -> None:
        """Takes the folder and writes certificates, keys and configurations into it.

        Raises:
            HeldError: when another supervisor holds the folder.
            FolderError, PortError, RedisMissingError, EnvoyNotFoundError, CertificateError, ClientKeysError: see there.
        """
        self.folders.make()
        self._hold.take()
        end_leftovers(self.folders.run, _LEFTOVER_GRACE_S)
        self.ports.check(self.services)
        self.renew_certificates()
        client_keys.ensure(self.folders.secrets, NAMESPACE)
        self._plan.redis_configuration.write_text(
            redis_server.configuration(self._plan.redis_socket, self.folders.redis_state), encoding="utf-8"
        )
        bootstrap = render.write(self._plan.topology(), actions.load(*self._plan.descriptors), self.folders.envoy)
        keep_previous(self._plan.access_log)
        commands = [
            self._plan.redis(),
            self._plan.dispatch(),
            *(self._plan.service(service) for service in self.services),
            self._plan.envoy(bootstrap),
            self._plan.adapter(),
        ]
        self.parts = {command.name: Part(command, self.folders.run, self.folders.log) for command in commands}

    def renew_certificates(self) -> tuple[str, ...]:
        """Issues certificates that are missing or grow old, those of the company's own callers too.

        Returns:
            The parts that go on with the old one until `restart` is called for them: Envoy and the servers take up
            their files by themselves, a Python client reads them once.
        """
        known = certificates.callers(self.folders.certs)
        outcomes = certificates.ensure(self.folders.certs, NAMESPACE, self._plan.workloads, clients=known)
        new = {outcome.name for outcome in outcomes if outcome.done is not certificates.Done.KEPT}
        return tuple(name for name in _PYTHON_CLIENTS if name in new)

    def restart(self, name: str, timeout_s: float = 60) -> None:
        """Restarts a part and waits until it answers.

        Raises:
            PartError: when it does not.
            StoppedError: when `stopping` was set meanwhile.
        """
        self.parts[name].restart()
        self.parts[name].wait_until_ready(timeout_s, self._stopping)

    def start(self, timeout_s: float = 60) -> None:
        """Prepares, starts every part and waits until all answer; when one does not, stops them again.

        Raises:
            PartError: naming the part, with the end of its log.
            StoppedError: when `stopping` was set meanwhile.
        """
        try:
            self.prepare()
            self._guardian = Guardian(self.folders.run)
            # Python takes its time to start, so what can starts together. Redis is first, since dispatch begins with
            # it; Envoy comes when its hosts answer, since it begins with a health check of each.
            for stage in (["redis-state"], ["dispatch", *(each.name for each in self.services)], ["envoy", "adapter"]):
                for name in stage:
                    self.parts[name].start()
                for name in stage:
                    self.parts[name].wait_until_ready(timeout_s, self._stopping)
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        """Waits until every part answers again, after some were killed or restarted."""
        for part in self.parts.values():
            part.wait_until_ready(timeout_s, self._stopping)

    def stop(self, grace_s: float = 10) -> None:
        """Stops every part, the last started first, and leaves the folder to the next supervisor."""
        for part in reversed(self.parts.values()):
            part.stop(grace_s)
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
