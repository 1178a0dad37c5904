"""Log lines that anybody can cause at will, and of which a few say as much as all."""

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0
"""Seconds between two lines of one kind."""


class SparseLog:
    """Writes one line of each kind a minute; the next one says how many were left out."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._since: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warning(self, message: str) -> None:
        """Writes or counts a line, which is one of our own few sentences, without anything that a caller sent."""
        now = self._clock()
        if now - self._since.get(message, -EVERY_S) < EVERY_S:
            self._left_out[message] = self._left_out.get(message, 0) + 1
            return
        self._since[message] = now
        self._log.warning(message, extra={"fields": {"left_out": self._left_out.pop(message, 0)}})
