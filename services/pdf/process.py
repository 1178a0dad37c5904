"""One worker process as the service sees it: a socket to ask it, a pidfd to end it, a folder with its document."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from services.pdf.wire import ANSWER, MAX_HEADER

_RECEIVE = 256 * 1024

DOCUMENT = "document.pdf"
"""What a worker opens in its folder."""


class WorkerLost(Exception):  # noqa: N818  # an event of the engine's, which it turns into an error of the request
    """The process ended, or said what no worker says, while it had a request."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status
        """As waitpid has it; None when unknown."""


class Answer(NamedTuple):
    """What a worker answered."""

    header: dict[str, Any]
    payload: bytes


class WorkerProcess:
    """A locked-in process with at most one request at a time; `payload_limit` is the longest answer to take from it.

    `lost` of the pool is called once when its socket closes or it breaks the protocol.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, folder: Path, connection: socket.socket, payload_limit: int
    ) -> None:
        self.folder = folder
        self.document = folder / DOCUMENT
        self.pid = 0
        self.served = 0
        """Requests answered."""

        self._document = str(self.document)
        self._loop = loop
        self._socket = connection
        self._payload_limit = payload_limit
        self._pidfd = -1
        self._answer: asyncio.Future[Answer] | None = None
        self._received = bytearray()
        self._expected = 0
        """Bytes of the answer under way, once its lengths are known."""

        loop.add_reader(connection, self._on_readable)

    def adopt(self, pid: int, pidfd: int) -> None:
        """Tells which process it is; the pidfd is closed with this object."""
        self.pid = pid
        self._pidfd = pidfd

    def expect(self, deadline: float) -> asyncio.Future[Answer]:
        """The next answer; TimeoutError after `deadline` (of the loop's clock), WorkerLost when there will be none."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = future
        timer = self._loop.call_at(deadline, _expire, future)
        future.add_done_callback(lambda _future: timer.cancel())
        return future

    def send(self, request: bytes) -> None:
        """Sends a request, which is short: WorkerLost when the socket does not take it whole."""
        try:
            sent = self._socket.send(request)
        except OSError as error:
            raise WorkerLost(None) from error
        if sent != len(request):
            raise WorkerLost(None)

    def remove_document(self) -> None:
        """Removes the document of the last request."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._document)  # noqa: PTH108  # pathlib's costs as much again as the call itself

    def on_exit(self, status: int | None) -> None:
        """To be called when the process has ended."""
        self._fail(status)

    def close(self) -> None:
        """Kills the process if it is still there, and removes its folder."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data or self._answer is None or self._answer.done():
            # The end of it, or words nobody asked for. The exit status comes from the zygote; killing makes sure of it.
            self._loop.remove_reader(self._socket)
            self._kill()
            return
        if not self._expected and self._deliver(data):
            return
        self._received += data
        if not self._expected and len(self._received) >= ANSWER.size:
            self._expected = _length(self._received, self._payload_limit)
            if self._expected < 0:
                self._loop.remove_reader(self._socket)
                self._kill()
        if self._expected and len(self._received) >= self._expected:
            whole = bytes(self._received)
            self._received.clear()
            self._expected = 0
            self._deliver(whole)

    def _deliver(self, data: bytes) -> bool:
        """Delivers `data` if it is exactly one answer."""
        if self._received or len(data) < ANSWER.size:
            return False
        header, payload = ANSWER.unpack_from(data)
        if len(data) != ANSWER.size + header + payload:
            return False
        future, self._answer = self._answer, None
        start = ANSWER.size + header
        if future is not None and not future.done():
            future.set_result(Answer(orjson.loads(data[ANSWER.size : start]), data[start:]))
        return True

    def _kill(self) -> None:
        pass

    def _fail(self, status: int | None) -> None:
        future, self._answer = self._answer, None
        if future is not None and not future.done():
            future.set_exception(WorkerLost(status))


def _expire(future: asyncio.Future[Answer]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def _length(data: bytes | bytearray, payload_limit: int) -> int:
    """Bytes of the whole answer that starts like this; -1 when no worker of ours would send it."""
    header, payload = ANSWER.unpack_from(data)
    if header > MAX_HEADER or payload > payload_limit:
        return -1
    return int(ANSWER.size + header + payload)
