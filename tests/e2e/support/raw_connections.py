"""Many TCP connections to a port that never come to anything, each opened anew as soon as the other end closes it."""

import selectors
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

_LOOK_S = 0.2


class RawConnections:
    """So many connections, for as long as the block lasts, held by a thread."""

    def __init__(self, port: int, number: int, *, says: bytes = b"") -> None:
        """Opens none yet.

        Args:
            port: Where, on the loopback.
            number: How many at a time.
            says: What each sends, once it stands, before it falls silent.
        """
        self._port = port
        self._number = number
        self._says = says
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.closed = 0
        """How many the other end has closed."""

    def __enter__(self) -> Self:
        for _ in range(self._number):
            self._open()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._held(key).close()
        self._selector.close()

    def _open(self) -> None:
        held = socket.socket()
        held.settimeout(0)
        held.connect_ex(("127.0.0.1", self._port))
        self._selector.register(held, selectors.EVENT_READ | (selectors.EVENT_WRITE if self._says else 0))

    def _run(self) -> None:
        while not self._over.is_set():
            for key, events in self._selector.select(_LOOK_S):
                held = self._held(key)
                if events & selectors.EVENT_WRITE and _sent(held, self._says):
                    self._selector.modify(held, selectors.EVENT_READ)
                elif _is_closed(held):
                    self.closed += 1
                    self._selector.unregister(held)
                    held.close()
                    self._open()

    @staticmethod
    def _held(key: selectors.SelectorKey) -> socket.socket:
        assert isinstance(key.fileobj, socket.socket)
        return key.fileobj


def client_hello() -> bytes:
    """How a handshake begins that its caller never goes on with."""
    context = ssl.create_default_context()
    outgoing = ssl.MemoryBIO()
    handshake = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        handshake.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("nobody answered, and yet the handshake is done")


def _sent(held: socket.socket, data: bytes) -> bool:
    try:
        held.send(data)
    except OSError:
        return False
    return True


def _is_closed(held: socket.socket) -> bool:
    try:
        return not held.recv(65536)
    except BlockingIOError:
        return False
    except OSError:
        return True
