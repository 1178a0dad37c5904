"""Ends calls into the mesh at their time by a clock of this process, whatever hangs behind it.

Each call tells grpc its deadline too, which the mesh heeds; but a caller must not wait for somebody else to notice.
"""

import asyncio
from types import TracebackType
from typing import Any

import grpc

from services.base import status
from services.base.errors import timed_out

_TICK_S = 0.1
"""Between two looks at the calls under way: so much later than its time one may end. A timer for each call would cost
the hot route about 10 µs."""


class Deadlines:
    """The calls under way. All are made in one event loop."""

    def __init__(self) -> None:
        """None are."""
        self._calls: set[Bound] = set()
        self._ticks = False

    def bound(self, call: Any, limit_s: float) -> "Bound":
        """Lets a call be waited for in a block, for `limit_s` seconds at most.

        The block raises PapermeshError: TIMEOUT at the end of that time, and what the call failed with before.
        """
        loop = asyncio.get_running_loop()
        if not self._ticks:
            self._ticks = True
            loop.call_later(_TICK_S, self._look, loop)
        return Bound(self._calls, call, loop.time() + limit_s)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the calls whose time is over, and comes again while there are others."""
        now = loop.time()
        for each in self._calls:
            each.end_by(now)
        self._ticks = bool(self._calls)
        if self._ticks:
            loop.call_later(_TICK_S, self._look, loop)


class Bound:
    """One call under way, as a context manager; see `Deadlines.bound`."""

    __slots__ = ("_call", "_calls", "_ended", "_ends_at")

    def __init__(self, calls: "set[Bound]", call: Any, ends_at: float) -> None:
        """Is among `calls` while the block lasts, and may end `call` from `ends_at` on, in the loop's time."""
        self._calls = calls
        self._call = call
        self._ends_at = ends_at
        self._ended = False

    def end_by(self, now: float) -> None:
        """Ends the call when its time is over."""
        if self._ends_at <= now:
            self._ended = True
            self._call.cancel()

    def __enter__(self) -> None:
        self._calls.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.discard(self)
        if isinstance(error, grpc.aio.AioRpcError):
            raise status.decode(error) from error
        if self._ended and isinstance(error, asyncio.CancelledError):
            raise timed_out() from None
