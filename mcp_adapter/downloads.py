"""The downloads under way: so many at a time, and so many for one actor.

Each holds a stream of the one connection that all callers share, for as long as its reader takes. That connection has
room for a hundred, so without a bound a few slow readers would keep everybody else waiting.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from services.base.errors import Code, PapermeshError

MAX_DOWNLOADS = 32
"""Downloads at a time; a third of the connection's streams."""

MAX_OF_AN_ACTOR = 8
"""Those of one actor; a browser makes six connections to one place."""


class Downloads:
    """Who downloads how much at the moment."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def begin(self, actor: str) -> Iterator[None]:
        """A place for one download, for as long as the block lasts.

        Raises:
            PapermeshError: RATE_LIMIT when the actor has all of its own; UNAVAILABLE when all are taken.
        """
        if self._under_way[actor] >= MAX_OF_AN_ACTOR:
            message = f"You have {MAX_OF_AN_ACTOR} downloads under way. Let one end first."
            raise PapermeshError(Code.RATE_LIMIT, message, retry_after_ms=1000)
        if self._under_way.total() >= MAX_DOWNLOADS:
            raise PapermeshError(Code.UNAVAILABLE, "Too many downloads are under way. Try again.", retry_after_ms=1000)
        self._under_way[actor] += 1
        try:
            yield
        finally:
            self._under_way[actor] -= 1
            self._under_way += Counter()  # forgets those who have none
