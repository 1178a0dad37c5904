"""What a worker gives up before it reads its first document. The order matters: each step needs what later ones take.

A worker keeps its memory, its socket to the service and the right to read its own folder. It cannot write at all: the
document in its folder may be a hard link to the stored one.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
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

_NO_LANDLOCK = (
    "Landlock: this kernel offers none (Linux has it since 5.13, and a container's filter may hide it), and only with "
    "PAPERMESH_PDF_WITHOUT_LANDLOCK=true does a worker start that could read every file that the service can read"
)


class SandboxError(Exception):
    """This process could not lock itself in; the text says which step failed, and why."""


def hold_only(socket: int) -> None:
    """Moves the socket to `SOCKET` and closes every other descriptor above it."""
    if socket != SOCKET:
        os.dup2(socket, SOCKET)
    os.closerange(SOCKET + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def enter(folder: str, parent: int, memory_bytes: int, *, without_landlock: bool) -> int:
    """Locks this process into `folder` for good; returns the version of Landlock.

    `parent` is the process that it dies with, and `memory_bytes` is address space on top of what it has now. Where the
    kernel has no Landlock the version is 0 if `without_landlock` allows that; the filter refuses to write in any case.
    Raises SandboxError when a step fails, and a process that could not enter must not open anything.
    """
    with _step("dying with the zygote"):
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            raise ProcessLookupError(parent, "the zygote has ended")
    with _step("its folder"):
        os.chdir(folder)
    with _step("resource limits"):
        _limit_resources(memory_bytes)
    with _step("process flags"):
        prctl(_PR_SET_DUMPABLE, 0)  # closes /proc/<pid> to processes of the same user
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
    with _step("Landlock"):
        version = landlock_version()
        if version:
            restrict_to_reading(".", version)
    if not (version or without_landlock):
        raise SandboxError(_NO_LANDLOCK)
    with _step("the system call filter"):
        install_filter(compile_filter(current_architecture(), os.getpid()))
    return version


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Names what failed."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        raise SandboxError(f"{name}: {error}") from error


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
