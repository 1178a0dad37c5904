"""One part of the deployment: a child process with a log, a pid file, and a check that it answers."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import handover
from deploy.local.folders import keep_previous
from deploy.local.processes import ProcessRecord
from deploy.local.ready_socket import ReadySocket
from services.base.errors import OperatorError

_POLL_S = 0.05
_TAIL_LINES = 15
_TAIL_BYTES = 16_384

OWN_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR")
"""The variables that a part sees besides its settings."""


class PartError(OperatorError):
    """A part does not run as it should; the text names it and ends with the last lines of its log."""


class StoppedError(Exception):
    """Somebody asked to stop while something was being waited for."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a part, and how to check that it answers."""

    name: str
    arguments: tuple[str, ...]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its settings."""

    listener: socket.socket | None = None
    """A socket from which it accepts, perhaps with others; it stays open while no part runs."""

    ready_socket: ReadySocket | None = None
    """Where it reports that it is ready, if its address cannot show it."""

    drain: Callable[[float], None] | None = None
    """Makes its callers leave within so many seconds before it is asked to end, if it does not do so itself."""


class Part:
    """A child process in its own process group."""

    def __init__(self, command: Command, run: Path, log: Path) -> None:
        """Starts nothing.

        Args:
            command: What to start.
            run: Folder for the pid file.
            log: Folder for the log; an earlier deployment's log is kept beside it as <name>.log.old.
        """
        self.name = command.name
        self.log = log / f"{command.name}.log"
        self.wanted = False
        """Whether it should be running: True from `start` to `stop`, however often it dies in between."""
        self.started_at = 0.0
        """When it was last started, on the monotonic clock."""
        self._command = command
        self._pid_file = run / f"{command.name}.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._fresh_log = True

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process is there; a stopped (SIGSTOP) one is."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """How its last process ended: an exit status, or the negative number of a signal."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Starts the process, unless it runs already, and does not wait for it to answer."""
        self.wanted = True
        if self.running:
            return
        self._sweep()
        if self._fresh_log:
            keep_previous(self.log)
            self._fresh_log = False
        environment = {name: os.environ[name] for name in OWN_VARIABLES if name in os.environ}
        environment.update(self._command.environment)
        if self._command.ready_socket:
            self._command.ready_socket.open()
            environment["NOTIFY_SOCKET"] = str(self._command.ready_socket.path)
        arguments, kept_open = self._command.arguments, tuple[int, ...]()
        if self._command.listener:
            number = self._command.listener.fileno()
            # Isolated and without site-packages, since all that it does is to make room for the program.
            arguments = (sys.executable, "-I", "-S", handover.__file__, str(number), *arguments)
            kept_open = (number,)
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            try:
                # S603: the deployment's own list of parts. A session of its own: Ctrl-C reaches the supervisor alone,
                # which then stops the parts in order.
                self._process = subprocess.Popen(  # noqa: S603
                    arguments,
                    env=environment,
                    pass_fds=kept_open,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise PartError(f"{self.name} cannot be started: {error}.") from None
        self.started_at = time.monotonic()
        ProcessRecord.of(self.name, self._process.pid).write(self._pid_file)

    def wait_until_ready(
        self, timeout_s: float = 30, stopping: threading.Event | None = None, needed: Iterable["Part"] = ()
    ) -> None:
        """Waits until the part answers.

        Args:
            timeout_s: For how long.
            stopping: What ends the wait.
            needed: Parts without which it would wait in vain.

        Raises:
            PartError: when it or one that it needs ends, or when it does not answer in time.
            StoppedError: when `stopping` is set first.
        """
        pause = stopping or threading.Event()
        deadline = time.monotonic() + timeout_s
        while True:
            if not self.running:
                raise PartError(f"{self.name} {self.ending()} before it was ready.{self._tail()}")
            if self._command.ready() and self.running:
                return
            if ended := next((part for part in needed if not part.running), None):
                raise PartError(ended.failure())
            if time.monotonic() > deadline:
                raise PartError(f"{self.name} did not answer within {timeout_s:g} seconds.{self._tail()}")
            if pause.wait(_POLL_S):
                raise StoppedError

    def stop(self, grace_s: float = 10, number: signal.Signals = signal.SIGTERM) -> None:
        """Stops the process: `ask_to_end` and `end`."""
        self.ask_to_end(grace_s, number)
        self.end(grace_s)

    def ask_to_end(self, grace_s: float = 10, number: signal.Signals = signal.SIGTERM) -> None:
        """Asks the process to end.

        Args:
            grace_s: Seconds that its callers get to leave first, if the process does not see to that itself.
            number: SIGTERM for a part that others replace; SIGINT if its callers are gone or going too, so that our
                servers need not wait until everybody has heard that they are stopping.
        """
        self.wanted = False
        if self._process and self.running:
            if self._command.drain and grace_s > 0:
                self._command.drain(grace_s)
            self._process.send_signal(number)
            # A stopped process would not see the signal.
            self._process.send_signal(signal.SIGCONT)

    def end(self, grace_s: float = 10) -> None:
        """Waits until the process has ended; after `grace_s` seconds, kills it and its children."""
        if self._process and self.running:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
        self._kill_group()
        self._sweep()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kills only the process, as a crash or the kernel would; its children are on their own."""
        if self._process and self.running:
            self._process.send_signal(number)
            if number == signal.SIGKILL:
                self._process.wait()

    def restart(self, grace_s: float = 10) -> None:
        """Stops it and starts it again, without waiting for it to answer."""
        self.stop(grace_s)
        self.start()

    def ending(self) -> str:
        """How its last process ended, as a clause."""
        code = self.returncode
        if code is None:
            return "has not ended"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    def failure(self) -> str:
        """How it ended, and the last lines of its log."""
        return f"{self.name} {self.ending()}.{self._tail()}"

    def _kill_group(self) -> None:
        if self._process:
            # Safe although the leader may be gone: a group's number is not given away while it has members, and
            # otherwise not this soon.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _sweep(self) -> None:
        """Clears what an ended process left: children, the pid file, and the socket that heard it."""
        if self._process:
            self._kill_group()
        if self._command.ready_socket:
            self._command.ready_socket.close()
        self._pid_file.unlink(missing_ok=True)

    def _tail(self) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        except OSError:
            lines = []
        shown = "\n".join(f"    {line}" for line in lines)
        return f" The end of {self.log}:\n{shown}" if shown else f" Its log {self.log} is empty."
