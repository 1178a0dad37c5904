"""Waiting for what must happen: a condition, and a bound on how long it may take."""

import threading
import time
from collections.abc import Callable

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
