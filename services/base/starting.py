"""How a Python part starts: its files are its owner's alone, and what a person can mend is told in one sentence."""

import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.base.errors import OperatorError

__all__ = ["StartError", "make_folder", "starting", "tell_ready"]

_COLLECT_AFTER = 10_000
"""More objects made than freed, before Python looks for cycles among the new ones; its own default is 700."""


class StartError(OperatorError):
    """What keeps a part from starting; the text is for the person who starts it, and holds no secret."""


@contextmanager
def starting(part: str) -> Iterator[None]:
    """Runs a part. When something keeps it from starting that its operator can mend, that is said without a traceback.

    Whatever files the process makes from here on, nobody but its owner can read.

    Raises:
        SystemExit: with the sentence, which goes to standard error, and status 1.
    """
    os.umask(0o077)
    # Collect a tenth as often: a call leaves few cycles behind, and every look at the whole heap costs all calls time.
    gc.set_threshold(_COLLECT_AFTER)
    try:
        yield
    except OperatorError as error:
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


def taken(host: str, port: int) -> StartError:
    """Says that an address cannot be listened on."""
    return StartError(
        f"Cannot listen on port {port} of {host}: another program listens there, or the address is not this machine's."
    )


def tell_ready() -> None:
    """Says that this process does its work from now on, where whoever started it asked to be told.

    As systemd's services do: NOTIFY_SOCKET; sd_notify(3).

    Raises:
        OSError: when nobody hears it.
    """
    if address := os.environ.get("NOTIFY_SOCKET"):
        # A leading @ stands for the zero byte of an abstract name.
        name = f"\0{address[1:]}" if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.connect(name)
            told.sendall(b"READY=1")
