"""The zygote as the service sees it: a process that forks workers on demand and reports their ends."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Self

import orjson

from services.base.errors import OperatorError
from services.pdf.processes.kinds import Kind, View

_MESSAGE = 64 * 1024
_START_SECONDS = 60.0
"""Importing takes half a second on an idle core; a busy machine gets more time."""

_STOP_SECONDS = 5.0

_FORK = b"fork"
"""All that a zygote is told: the rest is the descriptor that comes with it."""

_ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=1000"}
"""MuPDF frees a document in thousands of small pieces, and by default the allocator caches seven of a size: more save a
tenth of a small document's time. The zygote drops the variable; other C libraries ignore it."""

Adopt = Callable[[int, int], None]
"""Called with the process id and the pidfd of a forked worker."""


class ZygoteError(OperatorError):
    """The zygote did not start; the text says why."""


class Zygote:
    """A running zygote. Make one with `start`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        control: socket.socket,
        on_exit: Callable[[int, int], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._process = process
        self._control = control
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._forks: deque[Adopt] = deque()
        self._loop.add_reader(control, self._on_readable)

    @classmethod
    async def start(
        cls,
        kind: Kind,
        views: Mapping[str, View],
        on_exit: Callable[[int, int], None],
        on_lost: Callable[[], None],
    ) -> Self:
        """Starts `python -m services.pdf.worker` with only its control socket, and waits until it has imported.

        Its workers know `views` and are confined as `kind` says. `on_exit` gets the process id and the status (from
        waitpid) of each worker that ends. `on_lost` is called once if the zygote ends without having been closed.
        Raises ZygoteError if it does not start.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003  # the standard library takes it by position
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",  # no variable and no working directory decides what is imported
                "-m",
                "services.pdf.worker",
                str(theirs.fileno()),
                orjson.dumps({"kind": kind, "views": views}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C is for the service
            )
        zygote = cls(process, ours, on_exit, on_lost)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await zygote._ready
        except BaseException as error:
            await zygote.close()
            if isinstance(error, TimeoutError):
                raise ZygoteError(f"it was not ready within {_START_SECONDS:.0f} s") from None
            raise
        return zygote

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fork(self, connection: socket.socket, adopt: Adopt) -> None:
        """Asks for a worker that serves on `connection`, which the caller closes; `adopt` is called when it exists.

        A worker that fails before it is ready is reported like any other end. Raises OSError if the zygote is gone.
        """
        socket.send_fds(self._control, [_FORK], [connection.fileno()])
        self._forks.append(adopt)

    async def close(self) -> None:
        """Ends it with all its workers; does not call `on_lost`."""
        self._disconnect()
        # Not asyncio.timeout: in a task that is being cancelled, as when the service stops while this starts, its end
        # is no TimeoutError in Python 3.11.2, which Debian 12 has.
        ended = asyncio.create_task(self._process.wait())
        await asyncio.wait([ended], timeout=_STOP_SECONDS)
        if not ended.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await ended

    def _on_readable(self) -> None:
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self._control, _MESSAGE, 1, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._lose()
            return
        message = orjson.loads(data)
        if "pid" in message:
            self._forks.popleft()(message["pid"], descriptors[0])
        elif "exited" in message:
            self._on_exit(message["exited"], message["status"])
        elif not self._ready.done():
            if "failed" in message:
                self._ready.set_exception(ZygoteError(message["failed"]))
            else:
                self._ready.set_result(None)

    def _lose(self) -> None:
        self._disconnect()
        if self._ready.done():
            self._on_lost()
        else:
            self._ready.set_exception(ZygoteError("it ended while starting"))

    def _disconnect(self) -> None:
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control)
            self._control.close()


def kill(pidfd: int) -> None:
    """Kills a forked process that is no longer wanted, and closes its pidfd."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
