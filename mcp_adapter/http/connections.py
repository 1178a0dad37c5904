"""The open connections of one server, and which one makes room for a new one.

All we know of a connection is where it comes from, and opening every connection that there may be costs nobody
anything. So nobody keeps a place for good: a new connection gets in as long as another one idles.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from uvicorn.server import ServerState

from mcp_adapter.http.limits import Limits
from mcp_adapter.http.peers import Peers
from mcp_adapter.http.sparse_log import SparseLog
from services.base.errors import RETRY_AFTER_MS, Code, PapermeshError, all_under_way

_log = logging.getLogger(__name__)


class Idler(Protocol):
    """A connection, as seen from here."""

    def make_room(self) -> None:
        """Ends it at once; it no longer counts."""

    def untaken_bytes(self) -> int:
        """How much of its last answer this process holds for it; 0 if too little to count."""
        ...


@dataclass(slots=True)
class _Group:
    """Connections, and those of them that idle or read an answer, longest first."""

    count: int = 0
    idle: "OrderedDict[Idler, None]" = field(default_factory=OrderedDict)
    taking: "OrderedDict[Idler, None]" = field(default_factory=OrderedDict)


class Connections:
    """Who is connected, and who idles, without a request under way. No step slows down as connections grow.

    Whoever has not read all of an answer makes room too, but only if nobody else idles, or if the unread answers are
    too large together.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._untaken: dict[Idler, int] = {}
        self._untaken_bytes = 0
        self._all = _Group()
        self._peers: dict[str, _Group] = {}
        self._peer_of: dict[Idler, str] = {}

    def admit(self, connection: Idler, peer: str) -> None:
        """Accepts a new connection, which idles. If all places are taken, ends the one that has idled longest.

        It counts against the share of `peer`, see `Peers`; empty for one without a share.

        Raises:
            PapermeshError: RATE_LIMIT when the peer has its share, UNAVAILABLE when every place is taken by a request
                under way. The connection is then not accepted.
        """
        own = self._peers.get(peer)
        if own is not None and own.count >= self._limits.peer_connections and not _make_room(own):
            raise all_under_way(f"Your address has {self._limits.peer_connections} requests under way")
        if self._all.count >= self._limits.connections and not _make_room(self._all):
            message = "Too many connections are open. Try again."
            raise PapermeshError(Code.UNAVAILABLE, message, retry_after_ms=RETRY_AFTER_MS)
        if peer and peer not in self._peers:  # none yet, or none any more: its last one has made room
            self._peers[peer] = _Group()
        self._peer_of[connection] = peer
        for group in self._groups(peer):
            group.count += 1
            group.idle[connection] = None

    def work(self, connection: Idler) -> None:
        """Notes that a request of the connection is under way."""
        self._count_untaken(connection, 0)
        for group in self._groups(self._peer_of.get(connection, "")):
            group.idle.pop(connection, None)
            group.taking.pop(connection, None)

    def take(self, connection: Idler, untaken_bytes: int) -> None:
        """Notes that none is any more, but that so much of the last answer is unread. It rests later, or when asked."""
        peer = self._peer_of.get(connection)
        if peer is None:
            return
        self._count_untaken(connection, untaken_bytes)
        for group in self._groups(peer):
            group.idle.pop(connection, None)
            group.taking.setdefault(connection)
        while self._untaken_bytes > self._limits.untaken_bytes and self._all.taking:
            oldest = next(iter(self._all.taking))
            if oldest.untaken_bytes():
                oldest.make_room()
            else:
                self.rest(oldest)

    def rest(self, connection: Idler) -> None:
        """Notes that none is any more, and that nothing is left to read."""
        peer = self._peer_of.get(connection)
        if peer is not None:
            self._count_untaken(connection, 0)
            for group in self._groups(peer):
                group.taking.pop(connection, None)
                group.idle[connection] = None

    def leave(self, connection: Idler) -> None:
        """Notes that it has ended, or is about to. Also fine for one that was refused, or has left already."""
        peer = self._peer_of.pop(connection, None)
        if peer is None:
            return
        self._count_untaken(connection, 0)
        for group in self._groups(peer):
            group.count -= 1
            group.idle.pop(connection, None)
            group.taking.pop(connection, None)
        if peer and not self._peers[peer].count:
            del self._peers[peer]

    def _count_untaken(self, connection: Idler, untaken_bytes: int) -> None:
        before = self._untaken.pop(connection, 0)
        if untaken_bytes:
            self._untaken[connection] = untaken_bytes
        self._untaken_bytes += untaken_bytes - before

    def _groups(self, peer: str) -> tuple[_Group, ...]:
        return (self._all, self._peers[peer]) if peer else (self._all,)


class Shared(ServerState):
    """What the connections of one server share."""

    draining = False
    """Whether each connection ends with its next answer."""

    def __init__(self, peers: Peers | None = None, limits: Limits | None = None) -> None:
        """A connection counts against its address's share unless `peers` say otherwise."""
        super().__init__()
        self.peers = peers or Peers()
        self.held = Connections(limits or Limits())
        self.malformed = SparseLog(_log)


def _make_room(group: _Group) -> bool:
    """Ends the connection of a group that has idled, or else read, for longest; False if none does either."""
    longest = next(iter(group.idle), None) or next(iter(group.taking), None)
    if longest is None:
        return False
    longest.make_room()
    return True
