"""How a Python part starts: its files are its owner's alone, and what a person can mend is told in one sentence.

With whoever starts it, it speaks as systemd's services do: a socket that listens already may be handed to it
(LISTEN_FDS, LISTEN_PID; sd_listen_fds(3)), and it says when it is ready (NOTIFY_SOCKET; sd_notify(3)).
"""

import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.base.settings import SettingsError

__all__ = ["StartError", "make_folder", "starting"]

_COLLECT_AFTER = 10_000
"""More objects made than freed, before Python looks for cycles among the new ones; its own default is 700."""

FIRST_HANDED_OVER = 3
"""The number under which a process finds the first socket that was handed to it."""


class StartError(Exception):
    """What keeps a part from starting; the text is for the person who starts it, and holds no secret."""


@contextmanager
def starting(part: str, *mendable: type[Exception]) -> Iterator[None]:
    """Runs a part. When something keeps it from starting that a person can mend, that is said without a traceback.

    Whatever files the process makes from here on, nobody but its owner can read.

    Args:
        part: What it is called, "dispatch".
        mendable: Errors of its own whose texts are for the person who starts it.

    Raises:
        SystemExit: with the sentence, which goes to standard error, and status 1.
    """
    os.umask(0o077)
    # Collect a tenth as often: a call leaves few cycles behind, and every look at the whole heap costs all calls time.
    gc.set_threshold(_COLLECT_AFTER)
    told: tuple[type[Exception], ...] = (StartError, SettingsError, *mendable)
    try:
        yield
    except told as error:
        sys.exit(f"{part} cannot start.\n{error}")
    except OSError as error:
        if error.filename is None:  # no file that somebody could mend
            raise
        sys.exit(f"{part} cannot start.\n{error.filename}: {error.strerror}.")
    except KeyboardInterrupt:  # asked to leave before it served; afterwards a server sees to the signal itself
        sys.exit(128 + signal.SIGINT)


def make_folder(folder: Path) -> None:
    """Makes a folder of this part's own, unless it is there.

    Raises:
        OSError: naming the folder, when it cannot be made or written to.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, for a server that takes one.

    Raises:
        StartError: when the address cannot be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        raise taken(host, port) from None


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
        raise StartError("LISTEN_FDS must be 1: one socket is handed over.")
    refusal = StartError(f"What was handed over is no socket that listens on port {port} of {host}, as it should be.")
    try:
        handed = socket.socket(fileno=FIRST_HANDED_OVER)
    except OSError:
        raise refusal from None
    handed.set_inheritable(False)
    if not _listens_on(handed, host, port):
        handed.close()
        raise refusal
    return handed


def tell_ready() -> None:
    """Says that this process does its work from now on, where whoever started it asked to be told.

    Raises:
        OSError: when nobody hears it.
    """
    if address := os.environ.get("NOTIFY_SOCKET"):
        # A leading @ stands for the zero byte of an abstract name.
        name = f"\0{address[1:]}" if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.connect(name)
            told.sendall(b"READY=1")


def _listens_on(handed: socket.socket, host: str, port: int) -> bool:
    try:
        if not handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        wanted = {info[4][:2] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        return handed.getsockname()[:2] in wanted
    except OSError:
        return False


def taken(host: str, port: int) -> StartError:
    """Says that an address cannot be listened on."""
    return StartError(
        f"Port {port} of {host} cannot be had: another program listens there, or the address is not this machine's."
    )
