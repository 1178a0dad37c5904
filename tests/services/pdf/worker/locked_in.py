"""A process that lays a worker's locks on itself, for tests of what is left to it; it needs no pool and no zygote.

    python -m tests.services.pdf.worker.locked_in landlock PORT NAME   what Landlock alone leaves, before and after
    python -m tests.services.pdf.worker.locked_in hidden               what a filter that hides Landlock makes of it
    python -m tests.services.pdf.worker.locked_in orphan               what a worker says whose parent is another
    python -m tests.services.pdf.worker.locked_in worker               a process and its child, which is a worker

Each prints one line of JSON. The folder is the one that it is started in.
"""

import codecs
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from services.pdf.worker.sandbox import confinement, landlock, seccomp
from services.pdf.worker.sandbox.syscalls import current_architecture, prctl

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_NOBODY = 65534


def attempt(action: Callable[[], object]) -> str:
    """The name of the error, "" when it worked."""
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


def say(found: object) -> None:
    """Tells the test."""
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


def touched() -> dict[str, str]:
    """What comes of reading and changing files, of which "document.pdf" lies in the folder."""
    own, new = Path("document.pdf"), Path("new")
    return {
        "read its own": attempt(own.read_bytes),
        "list its own folder": attempt(lambda: list(Path().iterdir())),
        "read another": attempt(Path("/etc/passwd").read_bytes),
        "list another folder": attempt(lambda: list(Path("/").iterdir())),
        "write": attempt(lambda: os.close(os.open(own, os.O_WRONLY))),
        "cut": attempt(lambda: os.truncate(own, 1)),
        "create": attempt(new.touch),
        "make a folder": attempt(new.with_suffix(".folder").mkdir),
        "link": attempt(lambda: new.with_suffix(".link").symlink_to(own)),
        "remove": attempt(own.unlink),
    }


def reached(port: int, name: str) -> dict[str, str]:
    """What comes of reaching out to the test."""
    with (
        closing(socket.socket(socket.AF_INET)) as listener,
        closing(socket.socket(socket.AF_INET)) as caller,
        closing(socket.socket(socket.AF_UNIX)) as local,
    ):
        return {
            "bind": attempt(lambda: listener.bind(("127.0.0.1", 0))),
            "connect": attempt(lambda: caller.connect(("127.0.0.1", port))),
            "abstract socket": attempt(lambda: local.connect(f"\0{name}")),
            "signal": attempt(lambda: os.kill(os.getppid(), 0)),
        }


def behind_landlock(port: int, name: str) -> None:
    """Lays Landlock on itself and nothing else."""
    before = reached(port, name)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(landlock.landlock_version())
    say({"before": before, "after": reached(port, name), "files": touched()})


def behind_a_filter_that_hides_landlock() -> None:
    """Asks for Landlock where a filter refuses the question with EPERM, as a container's may."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install_filter(seccomp.compile_filter(current_architecture(), "text", os.getpid()))
    say(landlock.landlock_version())


def orphan() -> None:
    """Enters the sandbox as the child of a process that is gone."""
    try:
        confinement.enter(os.getpid(), "text", 512 << 20, without_landlock=True)
    except confinement.SandboxError as error:
        say(str(error))


def parent_of_a_worker() -> None:
    """Forks a child that enters the sandbox, and stays."""
    codecs.lookup("ascii")  # found on demand, which nobody may in root's folders
    if os.getuid() == 0:  # root may look into every process
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    prctl(_PR_SET_DUMPABLE, 1)  # as a program is that was started by its user
    me = os.getpid()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        confinement.enter(me, "text", 512 << 20, without_landlock=True)
        os.write(sending, b".")
        os.read(0, 1)  # for as long as the test holds the other end
        os._exit(0)
    os.close(sending)
    if not os.read(receiving, 1):
        sys.exit("the worker could not lock itself in")
    looked = {each: attempt(Path(f"/proc/{each}/environ").read_bytes) for each in ("self", str(child))}
    say({"worker": child, "environ": looked})
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "landlock":
        behind_landlock(int(sys.argv[2]), sys.argv[3])
    else:
        {"hidden": behind_a_filter_that_hides_landlock, "orphan": orphan, "worker": parent_of_a_worker}[sys.argv[1]]()
