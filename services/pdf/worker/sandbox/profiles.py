"""The system calls that each kind of worker may make: short lists of what it needs; all others are refused.

They list what is allowed, because the kernel grows: a new call is refused before anybody here has heard of it.

What is not in `text` says what a worker that reads a document cannot do: no socket of any kind (network, or another
service's Unix socket), no process (clone, execve, kill, ptrace, process_vm_*), no file by its name (open, stat,
readlink: a filter sees no names, so it could not tell one from another), no limit of its own (prlimit), no new
executable memory, no io_uring, bpf, keyctl, mount, unshare.

`model` may do what `text` may: models run in one thread.

`ocr` may do what `text` may, open files for reading, fork and execute. A filter sees no names: which files, and which
program, is Landlock's to say, so this kind never does without it. What it starts has only `tesseract`'s calls
(`programs.py`): no process of its own, and no signal to anybody. Neither makes, changes or removes a file.
"""

import fcntl
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.pdf.processes.wire import SOCKET

THIS_PROCESS = 0xFFFFFFFF
"""Stands for the process id in a filter compiled before there is one; no real id is so large."""

_PROT_EXEC = 4
_PROT_OF_LIBRARIES = (0, 1, 2, 3, 5, 0x15)
"""Executable memory is a file's and not writable; the last is aarch64's, with PROT_BTI."""

_TO_WRITE = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
"""What is set, in part, in the flags of whoever wants a file for more than reading it."""

_FORK = 0x01200000 | signal.SIGCHLD
"""CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID: what the C library's fork() asks for. No thread and no namespace."""

_PR_SET_PDEATHSIG = 1
_SECCOMP_SET_MODE_FILTER = 1


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

_TEXT: Profile = {
    **dict.fromkeys(_TEXT_CALLS, ()),
    "recvmsg": [Check(0, one_of=(SOCKET,))],  # how documents come
    "mmap": [Check(2, none_of=_PROT_EXEC)],
    "mprotect": [Check(2, none_of=_PROT_EXEC)],
    "fcntl": [Check(1, one_of=(fcntl.F_GETFD, fcntl.F_GETFL, fcntl.F_DUPFD_CLOEXEC))],
    "tgkill": [Check(0, one_of=(THIS_PROCESS,))],  # abort()
}

_TESSERACT: Profile = {
    # After the loader's calls, those of a program that reads files.
    **dict.fromkeys(
        (
            "execve", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "access", "faccessat", "faccessat2",
            "close", "close_range", "read", "readv", "pread64", "write", "writev", "lseek", "fstat",
            "newfstatat", "statx", "munmap", "mremap", "madvise", "brk", "futex", "sched_yield",
            "sched_getaffinity", "sysinfo", "getcwd", "getpid", "gettid", "getrandom", "getrusage", "time",
            "gettimeofday", "clock_gettime", "clock_nanosleep", "restart_syscall", "rt_sigaction", "rt_sigprocmask",
            "rt_sigreturn", "sigaltstack", "exit", "exit_group",
        ),
        (),
    ),
    "openat": [Check(2, none_of=_TO_WRITE)],
    "fcntl": [Check(1, one_of=(fcntl.F_GETFD, fcntl.F_GETFL))],
    "mmap": [Check(2, one_of=_PROT_OF_LIBRARIES)],
    "mprotect": [Check(2, none_of=_PROT_EXEC)],
}  # fmt: skip

_OCR: Profile = {
    **_TESSERACT,
    **_TEXT,
    "mmap": _TESSERACT["mmap"],
    # To start a program, and to wait for it.
    **dict.fromkeys(("dup", "dup2", "dup3", "pipe2", "poll", "ppoll", "wait4", "getppid"), ()),
    "clone": [Check(0, one_of=(_FORK,))],
    "prctl": [Check(0, one_of=(_PR_SET_PDEATHSIG,)), Check(1, one_of=(signal.SIGKILL,))],
    "seccomp": [Check(0, one_of=(_SECCOMP_SET_MODE_FILTER,)), Check(1, one_of=(0,))],
}

PROFILES: dict[str, Profile] = {"text": _TEXT, "ocr": _OCR, "tesseract": _TESSERACT, "model": _TEXT}
