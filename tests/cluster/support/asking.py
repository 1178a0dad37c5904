"""Asking the adapter over HTTP from a pod that may."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.support.kubectl import execute
from tests.cluster.support.pods import restricted, running
from tests.cluster.support.release import Release
from tests.e2e.support.waiting import eventually

_POD = "asking"
_REACHED_WITHIN_S = 30
_ASK = """
import sys, httpx
url, key = sys.argv[1:]
content = sys.stdin.buffer.read()
try:
    http = httpx.Client(headers={"Authorization": "Bearer " + key}, timeout=30, trust_env=False)
    print((http.post(url, content=content) if content else http.get(url)).text)
except httpx.ConnectError:
    print()
"""


@dataclass(frozen=True)
class Asker:
    """Somebody with the release's first API key."""

    release: Release
    key: str

    def get(self, path: str) -> dict[str, Any]:
        """What the adapter answers."""
        return self._ask(path, b"")

    def invoke(self, action: str, args: dict[str, Any]) -> dict[str, Any]:
        """What an action answers."""
        return self._ask("/mcp/invoke", json.dumps({"action": action, "args": args}).encode())

    def upload(self, content: bytes) -> dict[str, Any]:
        """The reference to a document."""
        reference: dict[str, Any] = self._ask("/documents", content)["data"]["doc_ref"]
        return reference

    def _ask(self, path: str, content: bytes) -> dict[str, Any]:
        said = ""

        def answered() -> bool:  # a new pod's ways through the network open a moment after it has started
            nonlocal said
            command = ("python", "-c", _ASK, f"{self.release.url}{path}", self.key)
            said = execute(self.release.namespace, _POD, *command, given=content).strip()
            return bool(said)

        eventually(answered, _REACHED_WITHIN_S, f"an answer to {path}")
        answer: dict[str, Any] = json.loads(said)
        return answer


@contextmanager
def asking(release: Release) -> Iterator[Asker]:
    """Somebody who asks for as long as the block lasts, through whatever becomes of the release."""
    key = release.secret("api-key", "api-key").decode().strip()
    with running(release.namespace, restricted(_POD, release.image, labels={"test-role": "adapter-client"})):
        yield Asker(release, key)
