"""One connection to a Redis, shared by all calls: commands go out as they come, and replies come back in their order.

redis-py's client takes a connection from a pool and waits for the reply before it gives it back, which costs several
times the CPU that Redis itself needs (docs/decisions/0008-redis-link.md). Here a command is one write and one future.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import hiredis

from services.base.redis.address import RedisAddress
from services.base.redis.wire import RedisAway, RedisRefused, Wire

__all__ = ["Part", "RedisAway", "RedisLink", "RedisRefused", "Script", "Send"]

Part = str | bytes | int | float
"""A part of a command. Text goes as UTF-8, numbers as Python writes them."""

_MOST_QUEUED = 4096
"""Callers that may wait for a connection: what hangs must not pile up."""

_pack = cast("Callable[[tuple[Part, ...]], bytes]", hiredis.pack_command)  # its stub knows commands of one part only


class Send(Protocol):
    """Sends one command and gives its reply, as `RedisLink.call` does."""

    def __call__(self, *parts: Part) -> Awaitable[Any]:
        """Sends it at once."""
        ...


class RedisLink:
    """One pipelined connection, made when it is first used and again after it was lost.

    A Redis that hangs costs the calls that met it first the time-out, and no other: until it answers again, one
    connection at a time asks it, and calls fail at once.
    """

    def __init__(
        self, url: str, timeout_s: float = 1.0, on_connect: Callable[[Send], Awaitable[None]] | None = None
    ) -> None:
        """Does not connect yet.

        Args:
            url: unix:///path/to.sock, redis://… or rediss://…, with the options that redis-py's URLs have.
            timeout_s: How long connecting may take, and how long a reply may.
            on_connect: Speaks first over each new connection; calls wait until it has ended. When it raises RedisAway
                or RedisRefused, the connection is not used.

        Raises:
            ValueError: when the URL cannot be used; it is not shown, for it may hold a password.
        """
        self._address = RedisAddress(url)
        self._timeout_s = timeout_s
        self._on_connect = on_connect
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[Wire] | None = None
        self._queued = 0
        self._hangs = False
        self._closed = False

    async def call(self, *parts: Part) -> Any:
        """Runs one command.

        A caller that is cancelled leaves its command running; its reply is dropped.

        Returns:
            bytes, int, None, or a list of these. An error inside a list stands in it as a RedisRefused.

        Raises:
            RedisAway: when Redis cannot be used now; the command may have run.
            RedisRefused: when Redis answers with an error.
        """
        wire = self._wire
        if wire is None or wire.is_lost:
            wire = await self._connect()
        return await wire.send(_pack(parts))

    async def close(self) -> None:
        """Closes for good; commands under way end with RedisAway."""
        self._closed = True
        if self._connecting is not None:  # ends by itself
            await asyncio.wait([self._connecting])
        if self._wire is not None:
            self._wire.drop("the link was closed")
            await self._wire.gone.wait()

    async def _connect(self) -> Wire:
        """The connection of one attempt, which all callers that need one share."""
        if self._closed:
            raise RedisAway("the link was closed")
        if self._queued >= _MOST_QUEUED:
            raise RedisAway(f"{_MOST_QUEUED} calls wait for a connection")
        if self._wire is not None:
            self._hangs, self._wire = self._wire.was_late, None
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._open())
            # Maybe nobody waits for it, and then nobody else asks how it ended.
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        if self._hangs:
            await asyncio.sleep(0)  # or one who asks again and again would never let the answer in
            raise RedisAway("it did not answer in time; asking again")
        self._queued += 1
        try:
            # Shielded: a caller that leaves takes the attempt from nobody else.
            return await asyncio.shield(self._connecting)
        finally:
            self._queued -= 1

    async def _open(self) -> Wire:
        wire = Wire(self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._address.dial(wire)
                for command in self._address.greetings():
                    await wire.send(_pack(command))
                if self._hangs:  # the kernel of one that hangs takes connections
                    await wire.send(_pack(("ECHO", "")))
            if self._on_connect:  # may take longer than the time-out in all, but none of its commands may
                await self._on_connect(lambda *parts: wire.send(_pack(parts)))
            self._wire, self._hangs = wire, False
        except (OSError, RedisRefused) as error:  # a time-out is an OSError too
            self._hangs = isinstance(error, TimeoutError)
            raise RedisAway(f"no connection: {type(error).__name__}: {error}") from error
        except RedisAway:
            self._hangs = wire.was_late
            raise
        finally:
            self._connecting = None
            if self._wire is not wire:
                wire.drop("it was not ready in time")
        return wire


class Script:
    """A Lua script, known to Redis by its digest."""

    def __init__(self, link: RedisLink, text: str) -> None:
        self._link = link
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, keys: Sequence[str], arguments: Sequence[Part]) -> Any:
        """Runs it once with its KEYS and ARGV.

        Raises:
            RedisAway: when Redis cannot be used now; the script may have run.
            RedisRefused: when the script failed.
        """
        try:
            return await self._link.call("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except RedisRefused as refused:
            if not refused.message.startswith("NOSCRIPT"):
                raise
        # Redis was restarted, or sees the script for the first time. Nothing ran, so this is no second try.
        return await self._link.call("EVAL", self._text, len(keys), *keys, *arguments)
