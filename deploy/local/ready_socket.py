"""Where a part reports that it is ready, as under systemd (sd_notify(3)): for one that shares its address."""

import socket
from contextlib import suppress
from pathlib import Path

_MESSAGE_BYTES = 4096


class ReadySocket:
    """A Unix socket that listens to one process; the part finds its path in NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        """Opens nothing."""
        self.path = path
        self._socket: socket.socket | None = None
        self._heard = False

    def open(self) -> None:
        """Starts again: from now on, nothing that an earlier process of the part says is heard."""
        self.close()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self.path))

    def close(self) -> None:
        """Stops listening."""
        self._heard = False
        if self._socket:
            self._socket.close()
            self._socket = None
        self.path.unlink(missing_ok=True)

    def heard(self) -> bool:
        """Whether the process has said that it is ready."""
        if self._socket and not self._heard:
            with suppress(BlockingIOError):  # nothing more was said
                while not self._heard:
                    self._heard = b"READY=1" in self._socket.recv(_MESSAGE_BYTES).split(b"\n")
        return self._heard
