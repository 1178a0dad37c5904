"""Waiting for what must happen: a condition, and a bound on how long it may take."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_POLL_S = 0.02


def eventually(condition: Callable[[], object], limit_s: float = 10, what: str = "it") -> float:
    """Waits until the condition holds, and fails when the limit passes first.

    Returns:
        The seconds that it took.
    """
    began = time.monotonic()
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < began + limit_s, f"{what} did not happen within {limit_s:g} seconds"
        pause.wait(_POLL_S)
    return time.monotonic() - began


def at_work(call: Future[Any], sign: Callable[[], object], what: str) -> None:
    """Waits for the sign that a call has begun its work, and fails with its answer when it ended without one."""

    def has_begun() -> bool:
        ended = call.done()  # before the sign is looked for, which it may give and end
        if sign():
            return True
        assert not ended, f"the call ended before {what}: {call.exception() or call.result()}"
        return False

    eventually(has_begun, what=what)
