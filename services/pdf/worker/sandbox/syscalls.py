"""System calls without a wrapper in Python, and the few numbers that the kernel gives them on each architecture."""

import ctypes
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
_LIBC.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)

PR_SET_PDEATHSIG = 1
"""The signal that this process gets when the thread that started it ends."""

LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446
"""The same on every architecture, as all system calls since 2019."""


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """How the kernel of a machine names system calls."""

    audit: int
    """AUDIT_ARCH_*, by which a filter knows whose numbers it sees."""

    numbers: Mapping[str, int]
    """Of the calls that a worker may make; those without an entry do not exist here."""


_X86_64 = Architecture(
    audit=0xC000003E,
    numbers={
        "read": 0,
        "write": 1,
        "close": 3,
        "fstat": 5,
        "lseek": 8,
        "mmap": 9,
        "mprotect": 10,
        "munmap": 11,
        "brk": 12,
        "rt_sigaction": 13,
        "rt_sigprocmask": 14,
        "rt_sigreturn": 15,
        "pread64": 17,
        "sched_yield": 24,
        "mremap": 25,
        "madvise": 28,
        "getpid": 39,
        "recvmsg": 47,
        "exit": 60,
        "fcntl": 72,
        "gettimeofday": 96,
        "getrusage": 98,
        "sigaltstack": 131,
        "gettid": 186,
        "time": 201,
        "futex": 202,
        "restart_syscall": 219,
        "clock_gettime": 228,
        "clock_nanosleep": 230,
        "exit_group": 231,
        "tgkill": 234,
        "getrandom": 318,
        "rseq": 334,
    },
)
_AARCH64 = Architecture(
    audit=0xC00000B7,
    numbers={
        "fcntl": 25,
        "close": 57,
        "lseek": 62,
        "read": 63,
        "write": 64,
        "pread64": 67,
        "fstat": 80,
        "exit": 93,
        "exit_group": 94,
        "futex": 98,
        "clock_gettime": 113,
        "clock_nanosleep": 115,
        "sched_yield": 124,
        "restart_syscall": 128,
        "tgkill": 131,
        "sigaltstack": 132,
        "rt_sigaction": 134,
        "rt_sigprocmask": 135,
        "rt_sigreturn": 139,
        "getrusage": 165,
        "gettimeofday": 169,
        "getpid": 172,
        "gettid": 178,
        "recvmsg": 212,
        "brk": 214,
        "munmap": 215,
        "mremap": 216,
        "mmap": 222,
        "mprotect": 226,
        "madvise": 233,
        "getrandom": 278,
        "rseq": 293,
    },
)

ARCHITECTURES: Mapping[str, Architecture] = {"x86_64": _X86_64, "aarch64": _AARCH64}


def current_architecture() -> Architecture:
    """The architecture of this process; NotImplementedError where no table is known."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise NotImplementedError(f"no system call table for {machine}; known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[machine]


def syscall(number: int, *arguments: object) -> int:
    """Makes a system call; OSError when it fails."""
    result: int = _LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise _last_error()
    return result


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    """Sets a property of this process; OSError when the kernel refuses."""
    if _LIBC.prctl(option, value, third, 0, 0) != 0:
        raise _last_error()


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
