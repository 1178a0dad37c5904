"""/healthz and /readyz on their own port: a crowd at the other one must not make the adapter look dead.

The kubelet would restart it, and the crowd would move on to the next one.
"""

import asyncio
import socket
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_adapter.http.connection import Connection
from mcp_adapter.http.connections import Shared
from mcp_adapter.http.error_handler import ErrorHandler
from mcp_adapter.http.hosts import PROBES
from mcp_adapter.http.limits import Limits
from services.base.errors import Code, PapermeshError

LIMITS = replace(Limits(), connections=16, peer_connections=16, pipelined=1, head_bytes=8 * 1024)
"""The one caller is a kubelet, which opens a connection for each probe. Here too the longest idle one makes room."""


class _Connection(Connection):
    limits = LIMITS


class Probes:
    """A listener with its own connections, in front of the same application."""

    def __init__(self, listener: socket.socket) -> None:
        """Answers nothing yet; it will close `listener`."""
        self._listener = listener
        self._state = Shared(limits=LIMITS)
        self._server: asyncio.Server | None = None

    async def start(self, app: ASGIApp) -> None:
        """Starts passing requests for its two paths on to `app`."""

        async def no_probe(*_: object) -> None:
            raise PapermeshError(Code.NOT_FOUND, "This port answers only /healthz and /readyz.")

        elsewhere = ErrorHandler(no_probe)

        async def probed(scope: Scope, receive: Receive, send: Send) -> None:
            await (app if scope["path"] in PROBES else elsewhere)(scope, receive, send)

        config = uvicorn.Config(probed, http=_Connection, ws="none", lifespan="off", log_config=None, access_log=False)
        config.load()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(config=config, server_state=self._state, app_state={}), sock=self._listener
        )

    def stop(self) -> None:
        """Ends at once: a refused connection tells later probes enough."""
        if self._server:
            self._server.close()
        self._listener.close()
        for each in list(self._state.connections):
            if isinstance(each, Connection):
                each.transport.abort()
