"""One connection to a Redis: commands go out together, and replies come back in their order."""

import asyncio
import re
from collections import deque
from typing import Any, cast

import hiredis

_MOST_WAITING = 4096
"""Commands that may wait for their replies: what hangs must not pile up."""

_LOOKS = 10
"""How often within the time-out the oldest waiting command is looked at."""

_NOTHING = object()

# Replies that say "not now", or "not this Redis", of any command alike. Redis before 7 wraps what a script ran into.
_AWAY = re.compile(
    r"(?:ERR .*: -)?(?:LOADING|READONLY|MASTERDOWN|OOM|MISCONF|NOREPLICAS|CLUSTERDOWN|BUSY|UNKILLABLE|NOAUTH) "
    r"|ERR max number of clients reached",
    re.ASCII,
)
# Of these, what another connection may not say: a replica may have its successor at the same address.
_ELSEWHERE = re.compile(r"(?:ERR .*: -)?READONLY |ERR max number of clients reached", re.ASCII)


class RedisAway(Exception):  # noqa: N818 - the name says what is the case, as RedisRefused's does
    """Redis cannot be used now: not reached, lost, late, full, loading, or no primary.

    Whether a command that was under way ran is unknown, so nothing here is sent twice.
    """


class RedisRefused(Exception):  # noqa: N818 - as above
    """Redis answered this command with an error, and would answer another."""

    def __init__(self, message: str) -> None:
        """Holds Redis's own words, "NOSCRIPT No matching script."."""
        super().__init__(message)
        self.message = message


class Wire(asyncio.Protocol):
    """One connection's life: commands waiting in the order of their replies."""

    def __init__(self, timeout_s: float) -> None:
        """Is made inside a running loop, and connected by it; a reply may take `timeout_s` seconds."""
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=RedisRefused, notEnoughData=_NOTHING)
        self._waiting: deque[tuple[asyncio.Future[Any], int]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._look_s = timeout_s / _LOOKS
        self._looks = 0
        self._watch: asyncio.TimerHandle | None = None
        self.is_lost = False
        self.was_late = False
        """It was dropped since Redis did not answer."""
        self.gone = asyncio.Event()

    def send(self, command: bytes) -> "asyncio.Future[Any]":
        """Sends a packed command, at once when no other waits, else with all of this turn of the loop.

        The future that it returns gets the reply.

        Raises:
            RedisAway: when the connection is lost, or too many commands wait. The future raises the same, or
                RedisRefused.
        """
        if self.is_lost or self._transport is None:
            raise RedisAway("the connection was lost")
        if len(self._waiting) >= _MOST_WAITING:
            raise RedisAway(f"{_MOST_WAITING} commands wait for their replies")
        answer = self._loop.create_future()
        if self._waiting:
            self._unsent.append(command)
            if len(self._unsent) == 1:
                self._loop.call_soon(self._flush)
        else:
            self._transport.write(command)
        self._waiting.append((answer, self._looks))
        if self._watch is None:
            self._watch = self._loop.call_later(self._look_s, self._look)
        return answer

    def drop(self, reason: str) -> None:
        """Ends the connection at once and fails what waits."""
        self._lose(reason)
        if self._transport is None:
            self.gone.set()
        else:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        if self.is_lost:  # dropped while it was made
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        try:
            self._reader.feed(data)
            while not self.is_lost and (reply := self._reader.gets()) is not _NOTHING:
                self._answer(reply)
        except (hiredis.ProtocolError, IndexError):
            self.drop("what answers is not Redis")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._lose("the connection was lost" if exc is None else f"the connection was lost: {type(exc).__name__}")
        self.gone.set()

    def _flush(self) -> None:
        if self._transport is not None and not self.is_lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _answer(self, reply: Any) -> None:
        answer, _ = self._waiting.popleft()
        if type(reply) is RedisRefused and _ELSEWHERE.match(reply.message):
            self.drop(reply.message)
        if answer.done():  # its caller has left
            return
        if type(reply) is not RedisRefused:
            answer.set_result(reply)
        elif _AWAY.match(reply.message):
            answer.set_exception(RedisAway(reply.message))
        else:
            answer.set_exception(reply)

    def _look(self) -> None:
        """Drops a connection whose oldest command is overdue.

        Counts looks, not seconds: after a pause of this process all replies may be here and only be unread.
        """
        self._watch = None
        self._looks += 1
        if not self._waiting or self.is_lost:
            return
        if self._looks - self._waiting[0][1] > _LOOKS:
            self.was_late = True
            self.drop("it did not answer in time")
        else:
            self._watch = self._loop.call_later(self._look_s, self._look)

    def _lose(self, reason: str) -> None:
        self.is_lost = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(RedisAway(reason))
