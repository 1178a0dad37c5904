"""A whole mesh on this machine, started as `make up` starts it, with a few more clients."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.free_ports import free_ports
from deploy import workloads
from deploy.local import keys
from deploy.local.parts import AUDIENCE, NAMESPACE
from deploy.local.stack import Stack
from deploy.workloads import SERVICES, Workload
from services.base.identity import client_id
from tests.e2e.support.adapter import Adapter, Answer
from tests.e2e.support.caller import Caller, Channel, Signature, read_secret
from tests.e2e.support.waiting import eventually
from trust import certificates

CLIENTS: Mapping[str, dict[str, Any]] = {
    "reports": {"actions": ["PDF_*"]},
    "narrow": {"actions": ["PDF_METADATA"]},
    "crowd": {"actions": ["PDF_*"], "acts_for": True},
    "rude": {"actions": ["PDF_*"]},
}
"""Clients of the company's own, of which only "crowd" acts for others; nobody but floods calls as "rude"."""


RATES_OUT_OF_THE_WAY = {"PAPERMESH_RATE_SCALE": "100000"}
"""Settings with which no test meets a rate."""

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a name that nobody else can guess is made in it
"""Where Linux keeps files in memory."""

ROOM_BYTES = 2 * 1024**3
"""What a mesh and the documents of its tests may need there."""

SMALL_LIMIT = 300_000
"""Bytes of a document in the mesh with modest limits."""


@dataclass
class Deployment:
    """A running mesh and the ways to talk to it."""

    stack: Stack
    adapter: Adapter
    good_document: Path
    channels: dict[str, Channel] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)
    """How much of each part's log has been looked through."""

    def tls_dir(self, workload: str) -> Path:
        """The certificate of a workload, "pdf", or of a client, "client/reports"."""
        return self.stack.folders.certs / workload

    def caller(self, name: str, certificate: str | None = None) -> Caller:
        """A client that signs its own calls, over a connection that is kept.

        Args:
            name: "operator", "adapter", or one of `CLIENTS`.
            certificate: Whose certificate to show; its own by default.
        """
        shown = certificate or (f"client/{name}" if name in CLIENTS else name)
        if shown not in self.channels:
            self.channels[shown] = Channel(self.stack.edge_address, self.tls_dir(shown))
        return Caller(self.channels[shown], Signature(name, read_secret(self.stack.key_file(name)), AUDIENCE))

    def works(self) -> bool:
        """Whether a good call gets a good answer, to which every part has to do something."""
        try:
            return self._ask().ok
        except (httpx.TransportError, AssertionError):
            return False

    def must_still_work(self) -> None:
        """Fails unless a good call gets a good answer, whatever happened before."""
        assert self._ask().data["pages"] == 3

    def _ask(self) -> Answer:
        reference = self.adapter.reference(self.good_document)
        return self.adapter.invoke("PDF_METADATA", {"doc_ref": reference}, Cache_Control="no-cache")

    def must_have_told(self, part: str, words: str) -> None:
        """Fails unless a part logs an error with these words, once, and no other; it is no bug, then."""

        def told() -> list[str]:
            new = self.log(part)[self._read.get(part, 0) :]
            return [line for line in new.splitlines() if '"level": "ERROR"' in line]

        eventually(lambda: bool(told()), what="an error in the log")
        (line,) = told()
        assert words in line
        self._read[part] = len(self.log(part))

    def must_have_met_no_bug(self) -> None:
        """Fails when a part has logged an error since the last time: what a caller can do is no error of ours."""
        for part in set(self.stack.parts) - {"envoy", "redis-state", "redis-cache"}:
            log = self.log(part)
            new = log[self._read.get(part, 0) :]
            self._read[part] = len(log)
            assert '"level": "ERROR"' not in new, new
            assert "Traceback" not in new, new

    def told_faults(self, part: str) -> list[str]:
        """The faults of our side that a part has told since the last time; they are no bugs of it."""
        log = self.log(part)
        lines = [json.loads(line) for line in log[self._read.get(part, 0) :].splitlines() if '"fault": ' in line]
        self._read[part] = len(log)
        return [line["fault"] for line in lines]

    def envoy(self, path: str, **params: str) -> httpx.Response:
        """What Envoy's admin interface says."""
        transport = httpx.HTTPTransport(uds=str(self.stack.folders.sockets / "envoy-admin.sock"))
        with httpx.Client(transport=transport, base_url="http://admin", timeout=5) as admin:
            return admin.get(path, params=params)

    def counter(self, name: str) -> int:
        """One of Envoy's counters; 0 for one that it has not made yet."""
        stats = self.envoy("/stats", format="json", filter=f"^{name}$").json()["stats"]
        return sum(int(stat["value"]) for stat in stats if stat.get("name") == name)

    def logged(self, request_id: str, listener: str) -> list[dict[str, Any]]:
        """Envoy's access log of one call at one listener, once it is written."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            lines = (self.stack.folders.log / "envoy-access.jsonl").read_text(encoding="utf-8").splitlines()
            entries = [json.loads(line) for line in lines if request_id in line]
            found[:] = [entry for entry in entries if entry["listener"] == listener]
            return bool(found)

        eventually(look, what=f"the line of {request_id} at {listener}")
        return found

    def log(self, part: str) -> str:
        """A part's own log."""
        return (self.stack.folders.log / f"{part}.log").read_text(encoding="utf-8")

    def last_words(self, lines: int = 12) -> str:
        """The ends of all logs, for whoever wants to know why a test failed; none when the mesh has been removed."""
        logs = sorted(path for path in self.stack.folders.log.glob("*") if path.suffix in (".log", ".jsonl"))
        ends = {log.name: log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:] for log in logs}
        return "\n".join(f"--- {name}\n" + "\n".join(end) for name, end in ends.items() if end)


@contextmanager
def deployed(
    good_document: Path,
    *,
    services: tuple[Workload, ...] = SERVICES,
    replicas: Mapping[str, int] | None = None,
    **settings: str,
) -> Iterator[Deployment]:
    """A mesh for as long as the block lasts.

    Args:
        good_document: A document of three pages with which nothing is wrong.
        services: The services behind the mesh; those that `make up` starts by default.
        replicas: How many of a part run, {"pdf": 2}; one of each by default.
        settings: PAPERMESH_ variables of every part.
    """
    with ExitStack() as exits:
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="papermesh-e2e-", dir=_quick_folder())))
        stack = Stack(folder, free_ports(services), services, replicas=replicas, settings=settings)
        stack.folders.make()
        _add_clients(stack)
        exits.enter_context(stack)
        adapter = Adapter(stack.url)
        exits.callback(adapter.close)
        deployment = Deployment(stack, adapter, good_document)
        exits.callback(lambda: [channel.close() for channel in deployment.channels.values()])
        yield deployment


def _quick_folder() -> Path | None:
    """Memory, where there is room: a disk that is busy with something else holds up Redis, and fails what is tested."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else None


def _add_clients(stack: Stack) -> None:
    """Certificates and keys of more clients, before anything has started; the stack keeps what it finds."""
    certificates.ensure(stack.folders.certs, NAMESPACE, workloads.names(), clients=CLIENTS)
    keys.ensure_clients(stack.folders.secrets, NAMESPACE)
    listing = stack.folders.secrets / "clients.json"
    content = json.loads(listing.read_text())
    (operator,) = (client for client in content["clients"] if client["id"] == "operator")
    operator["acts_for"] = True  # so that the tests see what actors may, without the adapter in between
    for name, rights in CLIENTS.items():
        secret = secrets.token_urlsafe(32)
        entry = {"id": name, "keys": [{"id": "k1", "secret": secret}], "certificate": client_id(NAMESPACE, name)}
        content["clients"].append({**entry, **rights})
        key = {"client": name, "key_id": "k1", "secret": secret}
        stack.key_file(name).write_text(json.dumps(key))
        stack.key_file(name).chmod(0o600)
    listing.write_text(json.dumps(content))
