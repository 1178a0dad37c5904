"""Signed calls that bypass the adapter for Envoy's edge; makes a call's documents readable for its signer.

A digest is not a key. Only the client that uploaded a document can read it. What went through the adapter is the
adapter's, so another client must upload the bytes itself.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import arguments
from cli.adapter import Adapter
from cli.failures import CallError
from cli.terminal import note
from mcp_adapter.dispatch_client import DispatchClient
from services.base import telemetry
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError, bad_arg
from services.base.signature import Key
from services.base.signed_client import Person


@dataclass(frozen=True, slots=True)
class Mesh:
    """The deployment to call, and as whom."""

    edge: str
    tls_dir: Path
    key: Key
    audience: str


class Direct:
    """Makes calls in a client's own name."""

    def __init__(self, client: DispatchClient, name: str) -> None:
        """Calls through `client`, whose key is that of the client `name`."""
        self._client = client
        self._name = name
        self._self = Person("", telemetry.continue_trace(None))

    async def args_schema(self, action: str) -> dict[str, Any]:
        """The schema of an action's arguments.

        Raises:
            PapermeshError: BAD_ARG when this client cannot invoke such an action.
        """
        listed = await self._client.list_actions(self._self)
        for entry in listed.actions:
            if entry.name == action:
                schema: dict[str, Any] = json.loads(entry.args_schema)
                return schema
        raise bad_arg(f"There is no action {action} that {self._name} may invoke. `papermesh actions` lists them.")

    async def put(self, file: Path) -> dict[str, str]:
        """Stores a file and returns its reference."""
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            size = opened.tell()
            opened.seek(0)
            stored = await self._client.put_document(opened, sha256, size, self._self)
        return {"type": stored.doc_ref.type, "sha256": stored.doc_ref.sha256}

    async def may_read(self, sha256: str) -> bool:
        """Whether a reference to this digest resolves for the client."""
        call = self._client.get_document(sha256, self._self)
        async with aclosing(call) as messages:  # the first message is enough
            try:
                await anext(messages)
            except PapermeshError as error:
                if error.code is Code.NOT_FOUND:
                    return False
                raise
            return True

    async def bring(self, sha256: str, adapter_url: str) -> None:
        """Makes a digest readable for the client, if necessary with the adapter's bytes."""
        if await self.may_read(sha256):
            return
        with tempfile.TemporaryDirectory(prefix="papermesh-") as folder:
            file = Path(folder, sha256)
            await asyncio.to_thread(_fetch, sha256, adapter_url, file)
            stored = await self.put(file)
        if stored["sha256"] != sha256:
            raise PapermeshError(Code.INTERNAL, f"The document that the adapter sent is not {sha256}.")
        note(f"{sha256[:16]}…, uploaded through the adapter, is now stored for {self._name} as well.")


async def prepare(mesh: Mesh, action: str, words: list[str], given: dict[str, Any], adapter_url: str) -> dict[str, Any]:
    """The arguments of a call, with all their documents stored for the client that signs it.

    A digest that cannot be checked or stored only causes a note: the call itself will say what is wrong with it.
    """
    async with open_channel(mesh.edge, mesh.tls_dir) as channel:
        direct = Direct(DispatchClient(channel, lambda: mesh.key, mesh.audience), mesh.key.client)
        args = given
        if words:
            with _reachable(mesh.edge):
                args = arguments.read(words, given, await direct.args_schema(action))
                references = {file: await direct.put(file) for file in arguments.files(args)}
                for file in references:
                    note(f"{file.name} is stored for {mesh.key.client}.")
            args = arguments.with_references(args, references)
        for sha256 in arguments.digests(args):
            try:
                with _reachable(mesh.edge):
                    await direct.bring(sha256, adapter_url)
            except (PapermeshError, CallError) as error:
                note(f"{sha256[:16]}… may be out of {mesh.key.client}'s reach. {error}")
    return args


def _fetch(sha256: str, adapter_url: str, into: Path) -> None:
    with Adapter(adapter_url) as adapter, into.open("wb") as opened:
        adapter.fetch(f"/documents/{sha256}", opened)


@contextmanager
def _reachable(edge: str) -> Iterator[None]:
    """Adds the address that did not answer to an error that cannot know it."""
    try:
        yield
    except PapermeshError as error:
        if error.code is Code.UNAVAILABLE and not error.request_id:
            message = f"{error.message} (Envoy's edge at {edge}; `papermesh up` starts it, --edge names another.)"
            raise PapermeshError(error.code, message, retry_after_ms=error.retry_after_ms) from None
        raise
