"""A transport that sends the head and the body of an answer as one packet.

uvicorn writes them separately. Each write would be a system call and a packet, and would wake the reader.
"""

import asyncio
import fcntl
import struct
import termios

_MOST_HELD_BYTES = 64 * 1024
"""More is passed on at once, so that a steady writer meets the flow control of the transport below."""


class Corked:
    """Holds what is written until `flush`, or until the end of the loop's turn. The rest is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.is_closing, self.get_extra_info = transport.is_closing, transport.get_extra_info
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
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
                # Not writelines, which tells nobody that the buffer is full in Python 3.12 to 3.13.1 (CVE-2024-12254).
                self._transport.write(b"".join(held))

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

    def _end_of_turn(self) -> None:
        self._flush_comes = False
        self.flush()
