"""Runs in a pod: 4 callers who sign as the operator at Envoy's edge, and then try to have each call accepted again.

    python signers_in_a_pod.py EDGE AUDIENCE

The operator's certificate is in /tls, its key /key/operator.json, and /tmp/document.pdf a document. They call until
/tmp/stop is there, and send what was accepted again at once, the newest first, each call twice, until it is decided.
Prints three JSON lines: {} when the first 500 calls were accepted, {"accepted": …} when no new calls are made, and
{"again": {…}}, how the second tries ended.
"""

import asyncio
import hashlib
import io
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc

from mcp_adapter.dispatch_client import DispatchClient
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import canonical, signature, telemetry
from services.base.channel import MeshChannel, open_channel
from services.base.signed_client import Person

SIGNERS = 4
ENOUGH = 500
TIMES = 2
DECIDED_WITHIN_S = 150.0
PAUSE_S = 0.2
METHOD, ACTION = "/papermesh.dispatch.v1.DispatchService/Invoke", "PDF_METADATA"
STOP = Path("/tmp/stop")  # noqa: S108 - of the pod
DOCUMENT = Path("/tmp/document.pdf")  # noqa: S108 - of the pod

Metadata = tuple[tuple[str, str], ...]


class Signers:
    """Those who sign."""

    def __init__(self, channel: MeshChannel, key: signature.Key, audience: str) -> None:
        self._send: Any = channel.unary_unary(METHOD)
        self._key, self._audience = key, audience
        self._message = self._text = b""
        self.accepted: list[Metadata] = []

    async def prepare(self, channel: MeshChannel) -> None:
        """Uploads the document that all calls are about."""
        content = DOCUMENT.read_bytes()
        client = DispatchClient(channel, lambda: self._key, self._audience)
        operator = Person("", telemetry.continue_trace(None))
        stored = await client.put_document(
            io.BytesIO(content), hashlib.sha256(content).hexdigest(), len(content), operator
        )
        request = pb.InvokeRequest(action=ACTION)
        reference = {"type": stored.doc_ref.type, "sha256": stored.doc_ref.sha256}
        canonical.json_to_struct({"doc_ref": reference}, request.args)
        self._message, self._text = request.SerializeToString(), canonical.canonical_json(request)

    async def sign(self) -> None:
        """One of them: calls until told to stop, and keeps what was accepted."""
        while not STOP.exists():
            signed = signature.sign(
                client=self._key.client,
                secret=self._key.secret,
                audience=self._audience,
                method=METHOD,
                request=self._text,
                action=ACTION,
            )
            if await self.send(signed) == "OK":
                self.accepted.append(signed)
                if len(self.accepted) == ENOUGH:
                    say({})
            else:
                await asyncio.sleep(PAUSE_S)

    async def send_again(self, waiting: list[Metadata], ends: "Counter[str]") -> None:
        """One of them: sends calls again."""
        deadline = time.monotonic() + DECIDED_WITHIN_S
        while waiting:
            signed = waiting.pop()
            end = await self.send(signed)
            if end.startswith("UNAVAILABLE") and time.monotonic() < deadline:  # not decided
                waiting.append(signed)
                await asyncio.sleep(PAUSE_S)
            else:
                ends[end] += 1

    async def send(self, signed: Metadata) -> str:
        """How a call ended: OK, or its code and words."""
        try:
            await self._send(self._message, metadata=signed, timeout=30)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return "OK"


async def main() -> None:
    edge, audience = sys.argv[1:]
    STOP.unlink(missing_ok=True)
    key = signature.read_key_file(Path("/key/operator.json"))
    async with open_channel(edge, Path("/tls")) as channel:
        signers = Signers(channel, key, audience)
        await signers.prepare(channel)
        await asyncio.gather(*(signers.sign() for _ in range(SIGNERS)))
        say({"accepted": len(signers.accepted)})
        waiting = [signed for signed in signers.accepted for _ in range(TIMES)]
        ends: Counter[str] = Counter()
        await asyncio.gather(*(signers.send_again(waiting, ends) for _ in range(SIGNERS)))
        say({"again": ends})


def say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
