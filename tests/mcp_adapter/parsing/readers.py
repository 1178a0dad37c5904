"""What two parsers read in the same bytes: our protocol, fed in pieces, and h11."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import h11
import uvicorn
from starlette.types import Receive, Scope, Send

from mcp_adapter.http.connection import Connection
from mcp_adapter.http.connections import Shared

_QUIET_TURNS = 3
"""Turns of the loop without a new request after which there is none to come: an answer and the next one take two."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with its whole body."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Reading:
    """What was read of a stream."""

    requests: list[Request] = field(default_factory=list)
    ended: bool = False
    """Whether the reader ended the connection, by a refusal or after an answer."""

    answers: bytes = field(default=b"", compare=False)
    """What was written, which names a request id."""


class _Transport(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written += b"".join(list_of_data)

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        """Pieces come all the same, as those do that are on their way."""

    def resume_reading(self) -> None:
        """See above."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - there is none
        return default


class Ours:
    """Our protocol, without a socket, before an application that answers each request once it has all of it."""

    def __init__(self) -> None:
        self._reading = Reading()
        self._config = uvicorn.Config(
            self._app,
            interface="asgi3",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
        )
        self._config.load()
        self._state = Shared()

    async def read(self, pieces: Iterable[bytes]) -> Reading:
        """What comes of these pieces, each of which arrives once the one before has had its effect."""
        reading = self._reading = Reading()
        with self._connection() as (connection, transport):
            for piece in pieces:
                if transport.closing:
                    break
                connection.data_received(piece)
                if self._state.tasks:
                    await self._settle()
            reading.ended = transport.closing
            reading.answers = bytes(transport.written)
        while self._state.tasks:  # noqa: ASYNC110 - nothing tells that uvicorn's tasks have ended
            await asyncio.sleep(0)
        return reading

    @contextmanager
    def _connection(self) -> Iterator[tuple[Connection, _Transport]]:
        connection, transport = Connection(self._config, self._state, {}), _Transport()
        connection.connection_made(transport)
        try:
            yield connection, transport
        finally:
            connection.connection_lost(None)

    async def _settle(self) -> None:
        quiet = 0
        while quiet < _QUIET_TURNS and self._state.tasks:
            seen = len(self._reading.requests)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._reading.requests) == seen else 0

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = self._reading
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            more = message["more_body"]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = tuple(
            (name, value.lower() if name == b"transfer-encoding" else value) for name, value in scope["headers"]
        )
        reading.requests.append(Request(scope["method"], target, headers, body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


_REQUEST_LINE = re.compile(rb"^([!-~]+) +([!-~]+) +(?:HTTP|RTSP|ICE)(/[0-9]\.[0-9]\r\n)")

_OUR_URL = re.compile(rb"^https?://localhost(?=[/?]|$)", re.IGNORECASE)


def _forgiven(rest: bytes) -> bytes:
    """These bytes with their request line as h11 wants it.

    llhttp reads over empty lines before it, as RFC 9112 section 2.2 asks, takes several spaces for one, as section 3
    lets it, and knows two protocols with the same syntax. None of these moves the end of a request, or its meaning.
    """
    return _REQUEST_LINE.sub(rb"\1 \2 HTTP\3", rest.lstrip(b"\r\n"), count=1)


def _origin_form(target: bytes) -> bytes:
    """The path of a target that may be a URL, and its query unless that is empty."""
    local = _OUR_URL.sub(b"", target, count=1)
    path, _, query = local.partition(b"?")
    return (path if path or local == target else b"/") + (b"?" + query if query else b"")


def read_by_h11(stream: bytes) -> Reading:
    """What h11 reads, when each request is answered."""
    reading, rest = Reading(), stream
    while not reading.ended and rest.strip(b"\r\n"):
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=len(stream) + 1)
        server.receive_data(_forgiven(rest))
        try:
            request = _next_of(server)
        except h11.RemoteProtocolError:
            reading.ended = True
            break
        if request is None:
            break
        reading.requests.append(request)
        server.send(h11.Response(status_code=400, headers=[(b"content-length", b"0")]))
        server.send(h11.EndOfMessage())
        reading.ended = server.our_state is not h11.DONE
        rest = server.trailing_data[0]
    return reading


def _next_of(server: h11.Connection) -> Request | None:
    """The next request, or None when some of it is missing."""
    head, body = None, b""
    while True:
        event = server.next_event()
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            return Request(head.method.decode(), _origin_form(bytes(head.target)), tuple(head.headers), body)
        else:
            return None
