"""Somebody who goes on calling while others misbehave."""

import threading
import time
from collections.abc import Callable
from statistics import median
from types import TracebackType
from typing import Self

from tests.e2e.support.waiting import eventually

_PAUSE_S = 0.02


class Bystander:
    """Makes one call after the other, in a thread, for as long as the block lasts."""

    def __init__(self, call: Callable[[], object], *, pause_s: float = _PAUSE_S) -> None:
        """Calls nobody yet.

        Args:
            call: Makes a call and raises when it fails.
            pause_s: Seconds from an answer to the next call.
        """
        self._call = call
        self._pause_s = pause_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.latencies_s: list[float] = []
        self.failures: list[Exception] = []

    @property
    def calls(self) -> int:
        """How many were answered."""
        return len(self.latencies_s)

    def median_of(self, number: int) -> float:
        """The median latency in seconds of so many further calls."""
        before = self.calls
        eventually(lambda: self.calls >= before + number or self.failures, limit_s=60, what="the bystander's calls")
        return median(self.latencies_s[before:])

    def goes_on_for(self, seconds: float) -> None:
        """Waits while it goes on calling for so long."""
        end = time.monotonic() + seconds
        eventually(lambda: time.monotonic() > end or self.failures, limit_s=seconds + 10, what="the bystander's calls")

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self.calls or self.failures, what="the bystander's first call")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            try:
                self._call()
            except Exception as error:  # noqa: BLE001 - the test asks for them
                self.failures.append(error)
            else:
                self.latencies_s.append(time.perf_counter() - began)
            self._over.wait(self._pause_s)
