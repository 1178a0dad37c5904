"""A transport that sends the head and the body of an answer as one packet.

uvicorn writes them separately. Each write would be a system call and a packet, and would wake the reader.
"""

import asyncio
import fcntl
import struct
import termios
from typing import Any

_MOST_HELD_BYTES = 64 * 1024
"""More is passed on at once, so that a steady writer meets the flow control of the transport below."""


class Corked(asyncio.Transport):
    """Holds what is written until `flush`, or until the end of the loop's turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Starts empty, and passes on to `transport`."""
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: list[bytes | bytearray | memoryview] = []
        self._bytes = 0
        self._written = 0
        self._flush_comes = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Takes a piece, which must not change afterwards."""
        self._held.append(data)
        self._bytes += len(data)
        self._written += len(data)
        if self._bytes > _MOST_HELD_BYTES:
            self.flush()
        elif not self._flush_comes:
            self._flush_comes = True
            self._loop.call_soon(self._end_of_turn)

    def flush(self) -> None:
        """Passes on what it holds."""
        if self._held:
            held, self._held, self._bytes = self._held, [], 0
            if not self._transport.is_closing():
                self._transport.writelines(held)

    def waiting_bytes(self) -> int:
        """How much of what was written still waits in this process."""
        return self._bytes + self._transport.get_write_buffer_size()

    def taken_bytes(self) -> int | None:
        """How much of all that was written the peer has read; None when nothing waits in this process.

        The kernel takes a few megabytes at once, which say nothing about the peer, so what it still holds is left out.
        """
        waiting = self.waiting_bytes()
        if not waiting:
            return None
        socket = self._transport.get_extra_info("socket")
        held = struct.unpack("i", fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        return self._written - waiting - int(held)

    def close(self) -> None:
        """Closes once everything is sent."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Closes at once, and sends nothing more."""
        self._held.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Stops reading."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Resumes reading."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection."""
        return self._transport.get_extra_info(name, default)

    def _end_of_turn(self) -> None:
        self._flush_comes = False
        self.flush()
