"""Where a Redis is, as its URL says, and what must be said to it first."""

import asyncio
import socket
from typing import Any, cast

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.exceptions import RedisError


class RedisAddress:
    """A Redis's URL, read as redis-py reads it, so that a URL and its TLS options have one meaning."""

    def __init__(self, url: str) -> None:
        """Reads a URL.

        Args:
            url: unix:///path/to.sock, redis://[user:password@]host:port/number or rediss://…, which takes
                `?ssl_ca_certs=file`, `ssl_certfile`, `ssl_keyfile` and so on, as redis-py's URLs do.

        Raises:
            ValueError: when it cannot be used; it is not shown, for it may hold a password.
        """
        try:
            options: dict[str, Any] = dict(parse_url(url))
            kind = cast("type[AbstractConnection]", options.pop("connection_class", Connection))
            self._target = kind(**options)  # never connected: it holds what the URL says
        except (TypeError, ValueError, RedisError):
            raise ValueError("The Redis URL has a part or an option that is not supported.") from None

    async def dial(self, protocol: asyncio.Protocol) -> None:
        """Connects a protocol.

        Raises:
            OSError: when that fails.
        """
        loop, target = asyncio.get_running_loop(), self._target
        if isinstance(target, UnixDomainSocketConnection):
            await loop.create_unix_connection(lambda: protocol, target.path)
        elif isinstance(target, Connection):
            tls = target.ssl_context.get() if isinstance(target, SSLConnection) else None
            transport, _ = await loop.create_connection(lambda: protocol, target.host, int(target.port), ssl=tls)
            _keep_alive(transport.get_extra_info("socket"))

    def greetings(self) -> list[tuple[str | int, ...]]:
        """The commands that must come first: AUTH and SELECT, where the URL asks for them."""
        commands: list[tuple[str | int, ...]] = []
        user, password, number = self._target.username, self._target.password, self._target.db
        if password:
            commands.append(("AUTH", user, password) if user else ("AUTH", password))
        if number:
            commands.append(("SELECT", number))
        return commands


def _keep_alive(connected: socket.socket) -> None:
    """Has the kernel find out within half a minute that the other end of an idle connection is gone."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # macOS calls the first one otherwise
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
