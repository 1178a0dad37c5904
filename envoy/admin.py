"""Queries a running Envoy: HTTP over the Unix socket of its admin interface."""

import socket
from http.client import HTTPConnection
from pathlib import Path

TIMEOUT_S = 5.0


def ask(admin_socket: Path, path: str, method: str = "GET") -> tuple[int, str]:
    """Sends one request over a connection of its own, and returns the HTTP status and the text of the answer.

    `path` has its query, "/stats?format=json". Envoy wants POST for anything that changes something.

    Raises:
        OSError: when nothing answers there, or not in time.
        HTTPException: when the answer breaks off.
    """
    admin = _Connection(admin_socket)
    try:
        admin.request(method, path)
        answer = admin.getresponse()
        return answer.status, answer.read().decode()
    finally:
        admin.close()


class _Connection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
