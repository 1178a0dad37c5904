"""Limits on calls, uploads, downloads and requests under way, in all and for each actor.

A call lasts as long as the work behind it; the others last as long as the person at the other end takes. An upload
holds a file in the spool folder, and each holds a stream of a connection that all callers share, which has room for a
hundred: calls on one, uploads and downloads on another. Without a limit, a few slow people would keep everybody else
waiting; without a limit for each actor, one actor could take every place.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.base.errors import RETRY_AFTER_MS, Code, PapermeshError, all_under_way


@dataclass(frozen=True, slots=True)
class Room:
    """How many of one kind may be under way."""

    kind: str
    """Their name in an answer, "uploads"."""

    total: int
    """All actors together."""

    of_actor: int
    """One actor's."""


UPLOADS = Room("uploads", total=24, of_actor=6)
"""Each may fill a file of a document's size. A browser opens six connections to one host, and nobody has more than a
quarter of what everybody shares."""

DOWNLOADS = Room("downloads", total=32, of_actor=8)
"""A third of the streams of the connection that uploads and downloads have, and a quarter of them for one actor."""

CALLS = Room("calls", total=128, of_actor=32)
"""As many of one actor as dispatch computes at once by default. Equal ones, which take no place there, take a stream of
the connection all the same."""

REQUESTS = Room("requests from your address", total=512, of_actor=128)
"""Those that proxies pass on: as many as there may be connections. Here an actor is an address."""


class Places:
    """Who holds how many places right now."""

    def __init__(self, room: Room) -> None:
        """Starts with all of them free."""
        self._room = room
        self._taken: Counter[str] = Counter()
        self._all = 0

    @contextmanager
    def take(self, actor: str) -> Iterator[None]:
        """Holds a place for as long as the block lasts.

        Raises:
            PapermeshError: RATE_LIMIT when the actor has taken all of its places; UNAVAILABLE when all are taken.
        """
        room = self._room
        if self._taken[actor] >= room.of_actor:
            raise all_under_way(f"You have {room.of_actor} {room.kind} under way", reason="in_flight")
        if self._all >= room.total:
            message = f"Too many {room.kind} are under way. Try again."
            raise PapermeshError(Code.UNAVAILABLE, message, retry_after_ms=RETRY_AFTER_MS)
        self._taken[actor] += 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._taken[actor] -= 1
            if not self._taken[actor]:
                del self._taken[actor]
