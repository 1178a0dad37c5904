"""A listening socket that is handed over as systemd does: LISTEN_FDS, LISTEN_PID; sd_listen_fds(3)."""

import os
import socket

from services.base.starting import StartError

_FIRST = 3
"""The descriptor of the first socket that was handed over."""


def handed_over(host: str, port: int) -> socket.socket | None:
    """The listening socket that this process was started with, perhaps shared with others; None if there is none.

    Raises:
        StartError: when anything but one socket that listens on this address was handed over. It must be this address,
            because what callers must show (a loopback name, a token) was decided for it.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    del os.environ["LISTEN_PID"]  # for this process, not for a child that one day gets its number
    if os.environ.pop("LISTEN_FDS", "") != "1":
        raise StartError("LISTEN_FDS must be 1: hand over exactly one socket.")
    refusal = StartError(f"What was handed over is not a socket that listens on port {port} of {host}.")
    try:
        handed = socket.socket(fileno=_FIRST)
    except OSError:
        raise refusal from None
    handed.set_inheritable(False)
    if not _listens_on(handed, host, port):
        handed.close()
        raise refusal
    return handed


def _listens_on(handed: socket.socket, host: str, port: int) -> bool:
    try:
        if not handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        wanted = {info[4][:2] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        return handed.getsockname()[:2] in wanted
    except OSError:
        return False
