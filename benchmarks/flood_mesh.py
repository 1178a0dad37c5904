"""The mesh that is flooded, with rates as they are, and its two clients: one that floods, one that calls in peace."""

import asyncio
import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.free_ports import free_ports
from deploy import workloads
from deploy.local import keys
from deploy.local.parts import AUDIENCE, NAMESPACE
from deploy.local.stack import Stack
from mcp_adapter.dispatch_client import DispatchClient
from services.base import signature
from services.base.channel import open_channel
from services.base.identity import client_id
from services.base.signed_client import Person
from services.base.telemetry import continue_trace
from trust import certificates, clients_file
from trust.clients_file import Entry

VICTIM, FLOODER = "victim", "flooder"

FLOODER_PER_SECOND = 10
"""What the flooder's entry allows it in all. Fifty times the default of 100 would take more than one core to send."""

_RIGHTS: dict[str, Entry] = {
    # Fast enough for a median of a few seconds; all its other limits are everybody's.
    VICTIM: {"actions": ["PDF_*"], "rates": {"PDF_METADATA": {"requests_per_minute": 2_400, "burst": 60}}},
    FLOODER: {
        "actions": ["PDF_*"],
        "acts_for": True,
        "rate": {"requests_per_minute": 60 * FLOODER_PER_SECOND, "burst": 60},
    },
}


def stack(folder: Path, settings: Mapping[str, str] | None = None) -> Stack:
    """The mesh, not started, with its state under a folder, both clients in its list, and more settings."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stack = Stack(folder, free_ports(), settings={"PAPERMESH_LOG_LEVEL": "WARNING", **(settings or {})})
    stack.folders.make()
    certificates.ensure(stack.folders.certs, NAMESPACE, workloads.names(), clients=tuple(_RIGHTS))
    keys.ensure_clients(stack.folders.secrets, NAMESPACE)
    with clients_file.changing(stack.folders.secrets / "clients.json") as entries:
        entries[:] = [entry for entry in entries if entry["id"] not in _RIGHTS]
        for name, rights in _RIGHTS.items():
            key = clients_file.new_key()
            clients_file.write_key_file(stack.key_file(name), name, key)
            entries.append({"id": name, "keys": [key], "certificate": client_id(NAMESPACE, name), **rights})
    return stack


def tls_dir(running: Stack, client: str) -> Path:
    """The folder with a client's certificate."""
    return running.tls_dir(f"client/{client}")


def person(actor: str = "") -> Person:
    """Somebody who calls; "" is the client itself."""
    return Person(actor, continue_trace(""))


async def upload(running: Stack, client: str, content: bytes, actors: Iterable[str] = ("",)) -> str:
    """Stores a document for a client, or for some of its actors, and returns its digest.

    Raises:
        PapermeshError: what the mesh answered.
    """
    digest = hashlib.sha256(content).hexdigest()
    key = signature.read_key_file(running.key_file(client))
    async with open_channel(running.edge_address, tls_dir(running, client)) as channel:
        dispatch = DispatchClient(channel, lambda: key, AUDIENCE)
        for actor in actors:
            await dispatch.put_document(io.BytesIO(content), digest, len(content), person(actor))
            await asyncio.sleep(1 / FLOODER_PER_SECOND)
    return digest
