"""People who call all the time: every call is counted, and one that fails is made again, as a good client would."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import httpx

from tests.e2e.support.adapter import TRANSIENT
from tests.e2e.support.deployment import Deployment

CALLERS = 20
PAUSE_S = 0.05
"""Between an answer and the next call of its caller: load on the mesh, and not a machine at its end."""

_TIMEOUT_S = 30
_RETRY_WITHIN_S = 20.0
_RETRY_PAUSE_S = 0.1
_DOCUMENTS = 8


@dataclass(frozen=True)
class Failure:
    """A call whose first answer was not a good one."""

    at_s: float
    """Seconds after the load began."""

    what: str
    """The code of a typed answer, or the kind of exception that broke the connection."""

    answered: bool
    transient: bool
    tries: int
    """How many more it took until it was answered well; 0 when none of them was."""

    def __str__(self) -> str:
        return f"{self.what} at {self.at_s:.1f} s, {self.tries} more tries"


@dataclass
class Load:
    """What the callers have met so far."""

    failures: list[Failure] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls have been made, each counted once however often it was tried."""
        return len(self.latencies_s) + len(self.failures)

    def figures(self) -> str:
        """One line for whoever looks on."""
        slow = quantiles(self.latencies_s, n=100)[98] if len(self.latencies_s) > 1 else 0
        codes = dict(Counter(failure.what for failure in self.failures))
        tries = max((failure.tries for failure in self.failures), default=0)
        return (
            f"{self.calls} calls by {CALLERS} callers, {len(self.failures)} without a good first answer {codes}, "
            f"{sum(not failure.tries for failure in self.failures)} without any, {tries} more tries at most; "
            f"median {median(self.latencies_s or [0]) * 1000:.0f} ms, p99 {slow * 1000:.0f} ms"
        )


@contextmanager
def load(mesh: Deployment) -> Iterator[Load]:
    """Calls through /mcp/invoke for as long as the block lasts, over connections that are kept.

    Every second call asks for no cached answer, so that dispatch and the engine both have work.
    """
    content = mesh.good_document.read_bytes()
    references = [mesh.adapter.reference(content + b"%" + secrets.token_hex(8).encode()) for _ in range(_DOCUMENTS)]
    met, leave = Load(), threading.Event()
    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_call, mesh.stack.url, references, met, began, leave) for _ in range(CALLERS)]
        try:
            yield met
        finally:
            leave.set()
        for caller in callers:
            caller.result()


def _call(url: str, references: Sequence[dict[str, str]], met: Load, began: float, leave: threading.Event) -> None:
    """One caller. Lists are appended to by all, which Python does whole."""
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as http:
        number = 0
        while not leave.wait(PAUSE_S):
            number += 1
            body = {"action": "PDF_METADATA", "args": {"doc_ref": references[number % len(references)]}}
            headers = {"Cache-Control": "no-cache"} if number % 2 else {}
            sent = time.monotonic()
            failed = _try(http, body, headers)
            if failed is None:
                met.latencies_s.append(time.monotonic() - sent)
            else:
                tries = _retry(http, body, headers)
                met.failures.append(Failure(sent - began, *failed, tries))


def _retry(http: httpx.Client, body: dict[str, Any], headers: dict[str, str]) -> int:
    """Makes a call again until it is answered well; how many tries that took, 0 when it never was."""
    pause, end, tries = threading.Event(), time.monotonic() + _RETRY_WITHIN_S, 0
    while time.monotonic() < end:
        tries += 1
        if _try(http, body, headers) is None:
            return tries
        pause.wait(_RETRY_PAUSE_S)
    return 0


def _try(http: httpx.Client, body: dict[str, Any], headers: dict[str, str]) -> tuple[str, bool, bool] | None:
    """Makes a call. None when it is answered well; else with what, whether that is an answer, and may be retried."""
    try:
        answer = http.post("/mcp/invoke", json=body, headers=headers).json()
    except httpx.TransportError as error:
        return type(error).__name__, False, True
    if answer["ok"]:
        assert answer["data"]["pages"] == 3
        return None
    code = answer["error"]["code"]
    assert answer["error"]["is_transient"] == (code in TRANSIENT), answer
    return code, True, answer["error"]["is_transient"]
