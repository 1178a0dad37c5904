"""The system calls that each kind of worker may make: short lists of what it needs; all others are refused.

They list what is allowed, because the kernel grows: a new call is refused before anybody here has heard of it.

What is not in `text` says what a worker that reads a document cannot do: no socket of any kind (network, or another
service's Unix socket), no process (clone, execve, kill, ptrace, process_vm_*), no file by its name (open, stat,
readlink: a filter sees no names, so it could not tell one from another), no limit of its own (prlimit), no new
executable memory, no io_uring, bpf, keyctl, mount, unshare. Text recognition by an external program would need execve,
so it belongs in its own kind with its own list, not in this one.
"""

import fcntl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.pdf.processes.wire import SOCKET

THIS_PROCESS = 0xFFFFFFFF
"""Stands for the process id in a filter compiled before there is one; no real id is so large."""

_PROT_EXEC = 4


@dataclass(frozen=True, slots=True)
class Check:
    """What one argument must be. Arguments are compared in their lower 32 bits: these calls take an int there."""

    argument: int
    """From 0."""

    none_of: int = 0
    """Bits that must not be set."""

    one_of: tuple[int, ...] = ()
    """The allowed values; empty for any."""


Profile: TypeAlias = Mapping[str, Sequence[Check]]
"""The calls by their names in `syscalls.py`, and the rules for their arguments."""

_TEXT_CALLS = (
    "read", "write", "close", "fstat", "lseek", "munmap", "brk", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "pread64", "sched_yield", "mremap", "madvise", "getpid", "exit", "gettimeofday",
    "getrusage", "sigaltstack", "gettid", "time", "futex", "restart_syscall", "clock_gettime",
    "clock_nanosleep", "exit_group", "getrandom", "rseq",
)  # fmt: skip

PROFILES: dict[str, Profile] = {
    "text": {
        **dict.fromkeys(_TEXT_CALLS, ()),
        "recvmsg": [Check(0, one_of=(SOCKET,))],  # how documents come
        "mmap": [Check(2, none_of=_PROT_EXEC)],
        "mprotect": [Check(2, none_of=_PROT_EXEC)],
        "fcntl": [Check(1, one_of=(fcntl.F_GETFD, fcntl.F_GETFL, fcntl.F_DUPFD_CLOEXEC))],
        "tgkill": [Check(0, one_of=(THIS_PROCESS,))],  # abort()
    },
}
