"""A socket that listens already and is handed over, as systemd does it: LISTEN_FDS, LISTEN_PID; sd_listen_fds(3)."""

import os
import socket

from services.base.starting import StartError

_FIRST = 3
"""The number under which a process finds the first socket that was handed to it."""


def handed_over(host: str, port: int) -> socket.socket | None:
    """The listening socket that whoever started this process has opened for it, and maybe for others; None without.

    Raises:
        StartError: when something else than one socket that listens on this address was handed over. It must be this
            address, since what may be asked of a caller (a loopback name, a token) was decided for it.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    del os.environ["LISTEN_PID"]  # for this process, and not for a child that is given its number one day
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
