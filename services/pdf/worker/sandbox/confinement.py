"""What a worker gives up before its first document. The order matters: each step needs what later ones take away.

A worker keeps its memory and its socket to the service, through which each document comes as a descriptor that is open
for reading. It reaches no file by name, so it cannot even ask whether one exists. A kind that needs files by name is
granted them one by one, to read or to execute, and never starts without Landlock, which alone can tell one file from
another. No kind writes a file.
"""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from services.pdf.processes.wire import SOCKET
from services.pdf.worker.sandbox.landlock import Grants, landlock_version, restrict
from services.pdf.worker.sandbox.seccomp import compile_filter, install_filter
from services.pdf.worker.sandbox.syscalls import PR_SET_PDEATHSIG, current_architecture, prctl

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_OPEN_FILES = 16

WORN_SECONDS = 1
"""Processor time after which a worker is not kept for another request: what a document gets beyond its own limit."""

_NO_LANDLOCK = (
    "Landlock: this kernel has none (Linux has it since 5.13, but a container's filter may hide it); "
    "PAPERMESH_PDF_WITHOUT_LANDLOCK=true starts workers that only the system call filter keeps from files"
)
_NEEDS_LANDLOCK = "Landlock: this kernel has none, and nothing else holds this kind of worker to its own files"


class SandboxError(Exception):
    """This process could not confine itself; the text says which step failed, and why."""


def hold_only(socket: int) -> None:
    """Moves the socket to `SOCKET` and closes every other descriptor above it."""
    if socket != SOCKET:
        os.dup2(socket, SOCKET)
    os.closerange(SOCKET + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def enter(
    parent: int,
    profile: str,
    memory_bytes: int,
    *,
    without_landlock: bool,
    grants: Grants | None = None,
) -> int:
    """Confines this process for good; returns the version of Landlock.

    `parent` is the process that it dies with, `profile` names its system calls (`profiles.py`), and `memory_bytes` is
    address space beyond what it has now. Without Landlock in the kernel the version is 0, if `without_landlock` allows
    that; the filter refuses all files in any case. `grants` is what this process and the programs that it starts reach
    by name: nothing, unless given.
    Raises SandboxError when a step fails. A process that could not be confined must not open anything.
    """
    with _step("dying with the zygote"):
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            raise ProcessLookupError(parent, "the zygote has ended")
    with _step("resource limits"):
        _limit_resources(memory_bytes)
    with _step("process flags"):
        prctl(_PR_SET_DUMPABLE, 0)  # closes /proc/<pid> to processes of the same user
        prctl(_PR_SET_NO_NEW_PRIVS, 1)
    with _step("Landlock"):
        version = landlock_version()
        if version:
            restrict(version, grants)
    if not version and grants:
        raise SandboxError(_NEEDS_LANDLOCK)
    if not (version or without_landlock):
        raise SandboxError(_NO_LANDLOCK)
    with _step("the system call filter"):
        install_filter(compile_filter(current_architecture(), profile, os.getpid()))
    return version


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Names the step that failed."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        raise SandboxError(f"{name}: {error}") from error


def limit_processor_time(seconds: int) -> None:
    """Ends this process after `seconds` to `seconds` + `WORN_SECONDS` of processor time for one request.

    With SIGXCPU, and a second later with SIGKILL, which cannot be ignored. For good: the filter allows no change.
    """
    end = seconds + WORN_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))


def _limit_resources(memory_bytes: int) -> None:
    for what, limit in (
        (resource.RLIMIT_AS, _mapped_bytes() + memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _mapped_bytes() -> int:
    """Address space that this process has now. Without pathlib, which would cost a new process half a millisecond."""
    descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(descriptor, 64).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)
