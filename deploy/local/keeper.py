"""Restarts parts that die: a crash of one part should not end an afternoon's work."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deploy.local.part import Part, PartError

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0
"""After running this long a part was healthy, and its next death counts as its first."""


@dataclass
class _Watch:
    part: Part
    pause_s: float = _FIRST_PAUSE_S
    due_at: float | None = None
    """When to restart it; None while it runs."""


class Keeper:
    """Watches parts. Nothing happens between calls of `tend`: there is no thread."""

    def __init__(self, parts: Iterable[Part], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is for tests."""
        self._watches = [_Watch(part) for part in parts]
        self._clock = clock

    def tend(self) -> Iterator[str]:
        """Restarts parts that have died, once their pause is over.

        Yields:
            A sentence for each event, for the person at the terminal.
        """
        for watch in self._watches:
            if not watch.part.wanted:
                watch.due_at = None
            elif watch.due_at is not None:
                if self._clock() >= watch.due_at:
                    yield from self._start(watch)
            elif not watch.part.running:
                yield from self._plan(watch)

    def _plan(self, watch: _Watch) -> Iterator[str]:
        now = self._clock()
        if now - watch.part.started_at > _STEADY_S:
            watch.pause_s = _FIRST_PAUSE_S
        watch.due_at = now + watch.pause_s
        yield f"{watch.part.failure()}\n  Starting it again in {watch.pause_s:g} s."
        watch.pause_s = min(watch.pause_s * 2, _LONGEST_PAUSE_S)

    def _start(self, watch: _Watch) -> Iterator[str]:
        watch.due_at = None
        try:
            watch.part.start()
            yield f"{watch.part.name} is running again."
        except PartError as error:
            yield str(error)
