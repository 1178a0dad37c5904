"""Ends what takes too long, by one coarse timer for all of it: a timer for each call would cost more than the call."""

import asyncio
from typing import Protocol

_TICK_S = 0.1
"""Between two looks: so much later than its time a thing may end."""


class Timed(Protocol):
    """What may take only so long."""

    def time_is_over(self) -> None:
        """Ends it."""


class Clock:
    """What is under way, and until when. All of it is in one event loop."""

    def __init__(self) -> None:
        """Nothing is."""
        self._ends_at: dict[Timed, float] = {}
        self._ticks = False

    def start(self, timed: Timed, limit_s: float) -> None:
        """Tells `timed` in `limit_s` seconds that its time is over, unless `stop` is called before."""
        loop = asyncio.get_running_loop()
        self._ends_at[timed] = loop.time() + limit_s
        if not self._ticks:
            self._ticks = True
            loop.call_later(_TICK_S, self._look, loop)

    def stop(self, timed: Timed) -> None:
        """Says that it has ended."""
        self._ends_at.pop(timed, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for timed in [each for each, ends_at in self._ends_at.items() if ends_at <= now]:
            self.stop(timed)
            timed.time_is_over()
        self._ticks = bool(self._ends_at)
        if self._ticks:
            loop.call_later(_TICK_S, self._look, loop)
