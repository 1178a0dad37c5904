"""The HTTP server: uvicorn's, which says when it is ready and stops without losing a request."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import httpx
import uvicorn

from mcp_adapter.http.connection import Connection
from mcp_adapter.http.connections import Shared
from mcp_adapter.http.peers import Peers
from mcp_adapter.http.probes import Probes
from services.base.starting import tell_ready

NOTICE_S = 3.0
"""Seconds that a server with its own socket keeps accepting: callers need that long to hear that it is stopping."""

_LOOK_EVERY_S = 0.05
_ASK_EVERY_S = 0.2

_log = logging.getLogger(__name__)


class HttpServer(uvicorn.Server):
    """Serves until SIGTERM or SIGINT.

    SIGTERM: once the notice time is over, it takes no more connections. Every answer says `Connection: close`. A
    connection that waits for a request stays open until it has had one more answer, or the drain time ends. SIGINT is
    for a deployment that stops as a whole: idle connections close at once, and only running requests are waited for.
    After a second SIGINT it waits for nothing.
    """

    server_state: Shared

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        notice_s: float,
        drain_s: float,
        peers: Peers | None = None,
        probes: Probes | None = None,
    ) -> None:
        """Serves nothing yet.

        Args:
            config: What uvicorn needs to know; its protocol must be `connection.Connection`.
            notice_s: Seconds after SIGTERM in which connections are still accepted; 0 for a socket from which others
                accept too, or which its opener keeps open.
            drain_s: Seconds that requests and connections get to end afterwards.
            peers: Whose share a connection counts against.
            probes: Answers a kubelet from the first answered request until the process ends.
        """
        super().__init__(config)
        self.server_state = Shared(peers)
        self._probes = probes
        self._notice_s = notice_s
        self._drain_s = drain_s
        self._at_once = False
        self._telling: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts connections and, if somebody wants to know, finds out when the mesh answers."""
        await super().startup(sockets)
        if self._probes:
            await self._probes.start(self.config.loaded_app)
        if os.environ.get("NOTIFY_SOCKET"):
            self._telling = asyncio.create_task(self._tell_when_ready())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - how Python calls handlers
        """Takes the signals. With uvicorn's own handler, the process would end by the signal and not with status 0."""
        if sig == signal.SIGINT:
            self.force_exit = self._at_once
            self._at_once = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops as the class describes."""
        if self._telling:
            self._telling.cancel()
        self.server_state.draining = True
        for connection in self._connections:
            connection.drain()
        await self._until(lambda: self._at_once, self._notice_s)
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await self._end_connections()
        if self._probes:
            self._probes.stop()
        await self.lifespan.shutdown()

    async def _end_connections(self) -> None:
        """Waits for requests and connections to end, and ends those that have not in time."""
        end = time.monotonic() + self._drain_s
        await self._until(lambda: self._at_once or not self._busy, self._drain_s)
        for connection in self._connections:
            connection.shutdown()  # closes it unless a request is under way
        await self._until(lambda: not self._busy, max(end - time.monotonic(), _LOOK_EVERY_S))
        if self._busy:
            _log.warning("stopped before all requests had ended", extra={"fields": {"requests": len(self._tasks)}})
        for task in self._tasks:
            task.cancel()

    async def _tell_when_ready(self) -> None:
        """Asks this application directly, since others may accept from the same socket."""
        inside = httpx.ASGITransport(self.config.loaded_app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=inside, base_url="http://localhost") as client:
            while not (await client.get("/readyz")).is_success:  # noqa: ASYNC110 - the mesh tells nobody that it is there
                await asyncio.sleep(_ASK_EVERY_S)
        tell_ready()

    async def _until(self, done: Callable[[], object], limit_s: float) -> None:
        """Waits for a condition until the limit, or a second SIGINT."""
        end = time.monotonic() + limit_s
        # uvicorn does not report that a connection has ended.
        while not done() and not self.force_exit and time.monotonic() < end:  # noqa: ASYNC110 - as said above
            await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    @property
    def _connections(self) -> list[Connection]:
        return [each for each in self.server_state.connections if isinstance(each, Connection)]

    @property
    def _tasks(self) -> list["asyncio.Task[None]"]:
        return list(self.server_state.tasks)
