"""The open connections of one server, and which of them makes room for a new one.

Nothing is known of a connection but where it comes from, and that is enough to keep it for a while: it costs somebody
nothing to open all that there may be. So a place is nobody's for good: whoever comes gets in as long as another idles.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from services.base.errors import Code, PapermeshError

RETRY_AFTER_MS = 1_000
"""What a refused caller is told to wait."""


class Idler(Protocol):
    """A connection, as far as this is concerned."""

    def make_room(self) -> None:
        """Ends it at once; it is counted no more."""


@dataclass(slots=True)
class _Group:
    """Connections, and those of them that idle, the one that has for longest first."""

    count: int = 0
    idle: "OrderedDict[Idler, None]" = field(default_factory=OrderedDict)


class Connections:
    """Who is connected, and who idles, having no request under way. Each step is as quick with many as with few."""

    def __init__(self, total: int, of_peer: int) -> None:
        """Holds none.

        Args:
            total: How many there may be.
            of_peer: How many of these one peer may have.
        """
        self._total = total
        self._of_peer = of_peer
        self._all = _Group()
        self._peers: dict[str, _Group] = {}
        self._peer_of: dict[Idler, str] = {}

    def admit(self, connection: Idler, peer: str) -> None:
        """Takes a new connection, which idles, and ends the one that has idled longest where there is no place.

        Args:
            connection: The new one.
            peer: What it is counted for, see `Peers`; empty for one that is bound to no share.

        Raises:
            PapermeshError: RATE_LIMIT when the peer has its share, UNAVAILABLE when all places are taken, and a request
                is under way on every one of them. The connection is not taken then.
        """
        own = self._peers.get(peer)
        if own is not None and own.count >= self._of_peer and not _make_room(own):
            message = f"Your address has {self._of_peer} requests under way, and more may not be. Let one end first."
            raise PapermeshError(Code.RATE_LIMIT, message, retry_after_ms=RETRY_AFTER_MS)
        if self._all.count >= self._total and not _make_room(self._all):
            message = "Too many connections are open. Try again."
            raise PapermeshError(Code.UNAVAILABLE, message, retry_after_ms=RETRY_AFTER_MS)
        if peer and peer not in self._peers:  # none yet, or none any more: its last one has made room
            self._peers[peer] = _Group()
        self._peer_of[connection] = peer
        for group in self._groups(peer):
            group.count += 1
            group.idle[connection] = None

    def work(self, connection: Idler) -> None:
        """A request of the connection is under way."""
        for group in self._groups(self._peer_of.get(connection, "")):
            group.idle.pop(connection, None)

    def rest(self, connection: Idler) -> None:
        """None is any more."""
        peer = self._peer_of.get(connection)
        if peer is not None:
            for group in self._groups(peer):
                group.idle[connection] = None

    def leave(self, connection: Idler) -> None:
        """It has ended, or will at once. One that was not taken, or has left, may leave again."""
        peer = self._peer_of.pop(connection, None)
        if peer is None:
            return
        for group in self._groups(peer):
            group.count -= 1
            group.idle.pop(connection, None)
        if peer and not self._peers[peer].count:
            del self._peers[peer]

    def _groups(self, peer: str) -> tuple[_Group, ...]:
        return (self._all, self._peers[peer]) if peer else (self._all,)


def _make_room(group: _Group) -> bool:
    """Ends the connection of a group that has idled longest; False when none does."""
    longest = next(iter(group.idle), None)
    if longest is None:
        return False
    longest.make_room()
    return True
