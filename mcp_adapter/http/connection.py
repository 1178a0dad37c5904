"""One HTTP connection: uvicorn's protocol, with bounds on what it accepts and on how long it waits."""

import asyncio
from contextvars import copy_context
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mcp_adapter.http.connections import Shared
from mcp_adapter.http.corked import Corked
from mcp_adapter.http.envelope import refusal
from mcp_adapter.http.limits import Limits
from mcp_adapter.http.pace import Pace
from mcp_adapter.http.request_parsing import RequestParsing
from services.base.errors import Code, PapermeshError

_COUNTED_FROM = 64 * 1024
"""Bytes of an answer from which it counts as unread; fewer cost no more than the connection itself."""


class _Wait(Enum):
    """What the peer owes us."""

    HEAD = auto()
    BODY = auto()
    REST = auto()
    """The rest of a body whose request has been answered; nobody reads it."""

    NOTHING = auto()
    """We owe an answer; or the connection is kept, and uvicorn's own timer bounds that."""


class Connection(RequestParsing):
    """Ends a connection that sends too much, or too slowly, with an answer in the envelope.

    Each connection has one coarse timer that ticks ten times in `head_s`, so that no request has to set one.
    """

    limits = Limits()
    server_state: Shared

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wait = _Wait.HEAD
        self._since = self.loop.time()
        self._silent = True
        self._unread_bytes = 0
        self._answering: RequestResponseCycle | None = None
        self._coming, self._going = (
            Pace(self.limits.bytes_per_s, self.limits.piece_s, self.limits.whole_s) for _ in range(2)
        )
        self._taken_bytes: int | None = None
        self._takes = False
        """Whether the last answer is still unread."""

        self._tick_s = self.limits.head_s / 10
        self._looked_at = self._since

    def connection_made(self, transport: Any) -> None:
        """Takes the connection, unless there are too many."""
        self._corked = Corked(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._corked))  # as far as uvicorn uses one
        self._timer = self.loop.call_later(self._tick_s, self._look)
        state = self.server_state
        try:
            state.held.admit(self, state.peers.of(self.client[0]) if self.client else "")
        except PapermeshError as error:
            self._refuse(error)

    def untaken_bytes(self) -> int:
        """How much of the last answer waits in this process; 0 for what the loop's next turn may send."""
        waiting = self._corked.waiting_bytes()
        return waiting if waiting > _COUNTED_FROM else 0

    def make_room(self) -> None:
        """Ends a connection without a request, to make room; whoever has not read their last answer loses it."""
        self.server_state.held.leave(self)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timer, and ends the work for a peer that has gone."""
        self._timer.cancel()
        self.server_state.held.leave(self)
        super().connection_lost(exc)
        if self._answering is not None and self._answering is not self.cycle:
            # uvicorn tells only the latest request, and that one may be waiting for this one.
            self._answering.disconnected = True
            self._answering.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parses a piece, and limits what the parser may keep of it for later."""
        if self._has_enough:
            return
        self._silent = False
        if self._wait is _Wait.NOTHING and (self.cycle is None or self.cycle.response_complete):
            self._wait, self._since = _Wait.HEAD, self.loop.time()
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > self.limits.head_bytes and not self._has_enough:
            # The parser joins the pieces of a header one by one, and slows down as it collects more.
            self._has_enough = True
            self.refuse_bytes(self.limits.head_too_large())

    def on_headers_complete(self) -> None:
        """Starts waiting for the body."""
        limits = self.limits
        if len(self.pipeline) >= limits.pipelined:
            # All before it are answered, the last with `Connection: close`, so a client knows what to send again.
            self.cycle.keep_alive = False
            self.read_no_more()
        if len(self.headers) > limits.headers or (
            self._unread_bytes > limits.head_bytes and self._head_bytes() > limits.head_bytes
        ):
            raise self.limits.head_too_large()
        super().on_headers_complete()
        self._unread_bytes = 0
        self._wait = _Wait.BODY
        self._coming.begin()
        self._takes = False
        self.server_state.held.work(self)
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def _head_bytes(self) -> int:
        """The bytes of the head only; the piece that completed it may hold part of the body."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """Takes a piece of a body."""
        self._unread_bytes = 0
        self._coming.moved += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stops waiting: now it is the application's turn, unless it has already answered."""
        if self.body_is_to_come:
            return
        self._unread_bytes = 0
        self._silent = True
        self._wait = _Wait.NOTHING
        if self.cycle.response_complete:  # its timer for kept connections has been stopped by what came since
            self._wait, self._since = _Wait.HEAD, self.loop.time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Sends the answer, and limits what may still come of a body that was answered early."""
        self._corked.flush()
        super().on_response_complete()
        if self._wait is _Wait.BODY:
            self._wait, self._since = _Wait.REST, self.loop.time()
        if self.cycle.response_complete:  # the last one that was asked for
            self._rest()

    def _rest(self) -> None:
        """Idles, or waits until the last answer has been read."""
        untaken = self.untaken_bytes()
        self._takes = untaken > 0
        if self._takes:
            self.server_state.held.take(self, untaken)
        else:
            self.server_state.held.rest(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Starts on the next request."""
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def drain(self) -> None:
        """Makes the next answer the last one, and says so in it: `Connection: close`.

        A connection without a request stays until it has had one, because closing it could cut off a request that is on
        its way. So does one whose answer has begun without this header.
        """
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def refuse_bytes(self, error: PapermeshError) -> None:
        """Answers bytes that cannot be accepted, in the envelope.

        Requests before them are served first, however the bytes were cut into packets. The last answer then says
        `Connection: close`, and replaces ours.
        """
        self.server_state.malformed.warning(f"Refused a request: {error.message}")
        if self._wait is _Wait.BODY and self.pipeline:
            self.pipeline.popleft()  # theirs; those before it are whole
            self._wait = _Wait.NOTHING
        if self._wait is _Wait.NOTHING and self._answering is not None and not self._answering.response_complete:
            last = self.pipeline[0][0] if self.pipeline else self._answering
            last.keep_alive = False
            return
        self._refuse(error, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if error.code is Code.TOO_LARGE else None)

    def _refuse(self, error: PapermeshError, status: int | None = None) -> None:
        """Answers and closes; cuts short an answer that is half written, or that others wait for."""
        if self.transport.is_closing():
            return
        if not self.pipeline and (
            self.cycle is None or self.cycle.response_complete or not self.cycle.response_started
        ):
            # In a context of its own: uvloop's connections share one, and the next log line would bear this trace.
            answer = copy_context().run(refusal, error, status)
            head = [STATUS_LINE[answer.status_code], b"connection: close\r\n"]
            head += [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *answer.raw_headers)]
            self.transport.write(b"".join([*head, b"\r\n", bytes(answer.body)]))
        self.transport.close()

    def _look(self) -> None:
        """Ends the connection if the peer has kept us waiting too long."""
        self._timer = self.loop.call_later(self._tick_s, self._look)
        now = self.loop.time()
        passed_s = min(now - self._looked_at, self._tick_s)  # anything more is our own delay
        self._since += now - self._looked_at - passed_s
        self._looked_at = now
        if self._takes:
            self._rest()
        if self._answer_stands(passed_s):
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self.flow.read_paused:
            self._since += passed_s  # it is we who do not read
        elif self._wait is _Wait.BODY:
            if self._coming.is_too_slow(passed_s):
                self._refuse(self.limits.body_too_slow(), 408)
        elif self._wait is _Wait.HEAD and now - self._since > self.limits.head_s:
            if self._silent:  # a peer that sent no request gets no answer
                self.transport.close()
            else:
                self._refuse(self.limits.head_too_slow(), 408)
        elif self._wait is _Wait.REST and now - self._since > self.limits.piece_s:
            self.transport.close()

    def _answer_stands(self, passed_s: float) -> bool:
        """Whether the peer is too slow to take what was written."""
        taken, before = self._corked.taken_bytes(), self._taken_bytes
        self._taken_bytes = taken
        if taken is None or before is None:
            self._going.begin()
            return False
        self._going.moved = taken - before
        return self._going.is_too_slow(passed_s)
