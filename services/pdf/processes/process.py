"""One worker process as the service sees it: a socket to ask it, a pidfd to end it, and its open document."""

import asyncio
import contextlib
import os
import signal
import socket
from typing import Any, NamedTuple

import orjson

from services.pdf.processes.wire import LENGTHS, MAX_HEADER

_RECEIVE = 256 * 1024


class WorkerLost(Exception):  # noqa: N818  # an event of the engine's, which becomes an error of the request
    """The process ended, or broke the protocol, before it answered."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        """Its status from waitpid; None if unknown."""


class Answer(NamedTuple):
    """What a worker answered."""

    header: dict[str, Any]
    payload: bytes


class WorkerProcess:
    """A confined process with at most one request at a time.

    Its output is not trusted. The process is ended for an answer that is over `payload_limit` bytes, unasked for,
    unreadable, or sent before it has read its whole request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, payload_limit: int) -> None:
        self._loop = loop
        self._socket = connection
        self._payload_limit = payload_limit
        self._pidfd = -1
        self._document = -1
        self._as_given = (0, 0)
        self.settled: asyncio.Future[None] = loop.create_future()
        """Done when the zygote has handed over the process, or it has ended. Its "ready" may come before either."""

        self._answer: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._exit: WorkerLost | None = None
        loop.add_reader(connection, self._on_readable)

    @property
    def exited(self) -> bool:
        """Whether the process is known to have ended."""
        return self._exit is not None

    def adopt(self, pidfd: int) -> None:
        """Takes the process over from the zygote that forked it."""
        self._pidfd = pidfd
        self._settle()

    def expect(self, deadline: float) -> asyncio.Future[Answer]:
        """The next answer; TimeoutError after `deadline` (of the loop's clock), WorkerLost if there will be none.

        Raises WorkerLost if the process is known to have ended.
        """
        if self._exit is not None:
            raise self._exit
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = future
        self._timer = self._loop.call_at(deadline, _expire, future)
        return future

    @property
    def document_is_as_given(self) -> bool:
        """Whether the document's file, if it has one, is unwritten since; it may be the store's own file."""
        return self._document < 0 or _written(self._document) == self._as_given

    def send(self, request: bytes, document: int = -1) -> None:
        """Sends a request; the first one with the descriptor of the document, which is closed with the process.

        What the socket cannot hold follows as the process reads. Raises WorkerLost if it has ended.
        """
        if document >= 0:
            self._document, self._as_given = document, _written(document)
        try:
            sent = self._socket.send(request) if document < 0 else socket.send_fds(self._socket, [request], [document])
        except OSError as error:
            raise WorkerLost from error
        if sent < len(request):
            self._unsent = memoryview(request)[sent:]
            self._loop.add_writer(self._socket, self._on_writable)

    def on_exit(self, status: int | None) -> None:
        """Notes that the process has ended, and tells whoever waits for its answer."""
        self._exit = WorkerLost(status)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(self._exit)
        self._stop_timer()
        self._settle()

    def _settle(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)

    def close(self) -> None:
        """Kills the process if it still exists; whoever still waits for its answer is cancelled."""
        self._stop_timer()
        if self._answer is not None:
            self._answer.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
        self._kill()
        for descriptor in (self._pidfd, self._document):
            if descriptor >= 0:
                os.close(descriptor)
        self._pidfd = self._document = -1

    def _on_writable(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # the zygote reports its end
            self._loop.remove_writer(self._socket)
            return
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _on_readable(self) -> None:
        try:
            data: bytes | bytearray = self._socket.recv(_RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data or self._unsent or self._answer is None or self._answer.done():
            self._hang_up()
            return
        if self._received:
            self._received += data
            data = self._received
        if len(data) < LENGTHS.size:
            self._received = bytearray(data)
            return
        header, payload = LENGTHS.unpack_from(data)
        missing = LENGTHS.size + header + payload - len(data)
        if missing < 0 or header > MAX_HEADER or payload > self._payload_limit:
            self._hang_up()
        elif missing == 0:
            self._deliver(data, LENGTHS.size + header)
        elif data is not self._received:
            self._received = bytearray(data)

    def _deliver(self, data: bytes | bytearray, start: int) -> None:
        """Hands over an answer whose payload starts at `start`."""
        try:
            header = orjson.loads(memoryview(data)[LENGTHS.size : start])
        except orjson.JSONDecodeError:
            header = None
        if not isinstance(header, dict) or self._answer is None:
            self._hang_up()
            return
        payload = bytes(memoryview(data)[start:])
        self._received = bytearray()
        self._stop_timer()
        self._answer.set_result(Answer(header, payload))

    def _hang_up(self) -> None:
        """Ends a process that closed its socket or broke the protocol; the zygote reports its end to the pool."""
        self._loop.remove_reader(self._socket)
        self._kill()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _kill(self) -> None:
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)


def _written(document: int) -> tuple[int, int]:
    """A file's size, and when it was last written."""
    status = os.fstat(document)
    return status.st_size, status.st_mtime_ns


def _expire(future: asyncio.Future[Answer]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
