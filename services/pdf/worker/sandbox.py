"""What a worker gives up before it reads its first document. The order matters: each step needs what later ones take.

A worker keeps its memory, its socket to the service and the right to read its own folder. It cannot write at all: the
document in its folder may be a hard link to the stored one.
"""

import os
import resource
import signal
from pathlib import Path

from services.pdf.worker.landlock import landlock_version, restrict_to_reading
from services.pdf.worker.seccomp import compile_filter, install_filter
from services.pdf.worker.syscalls import current_architecture, prctl

SOCKET = 3
"""The descriptor of a worker's socket; 0, 1 and 2 are /dev/null, and there are no others."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_OPEN_FILES = 16


def enter(folder: str, socket: int, parent: int, memory_bytes: int) -> int:
    """Locks this process into `folder` for good and moves its socket to `SOCKET`; returns the version of Landlock.

    `memory_bytes` is address space on top of what the process has now. Raises OSError when a step fails, and a process
    that could not enter must not open anything; only Landlock may be missing (version 0), as the filter also refuses to
    write.
    """
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        raise ProcessLookupError(parent)
    if socket != SOCKET:
        os.dup2(socket, SOCKET)
    os.closerange(SOCKET + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.chdir(folder)
    _limit_resources(memory_bytes)
    prctl(_PR_SET_DUMPABLE, 0)  # closes /proc/<pid> to processes of the same user
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    version = landlock_version()
    if version:
        restrict_to_reading(".", version)
    install_filter(compile_filter(current_architecture(), os.getpid()))
    return version


def limit_processor_time(seconds: int) -> None:
    """Ends this process with SIGXCPU after `seconds` to `seconds + 1` more of processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    end = int(usage.ru_utime + usage.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


def _limit_resources(memory_bytes: int) -> None:
    now = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    for what, limit in (
        (resource.RLIMIT_AS, now + memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
