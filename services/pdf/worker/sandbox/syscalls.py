"""System calls without a Python wrapper, and the few that filters name, with their numbers on each architecture."""

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
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
"""The same on every architecture, as all system calls since 2019."""


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """How the kernel of a machine names system calls."""

    audit: int
    """AUDIT_ARCH_*, which tells a filter whose numbers it sees."""

    numbers: Mapping[str, int]
    """The calls that profiles name; one without an entry does not exist here."""


_NUMBERS: Mapping[str, tuple[int, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "dup2": (33, None),
    "getpid": (39, 172),
    "recvmsg": (47, 212),
    "clone": (56, 220),
    "execve": (59, 221),
    "exit": (60, 93),
    "wait4": (61, 260),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "prctl": (157, 167),
    "arch_prctl": (158, None),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "set_tid_address": (218, 96),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "tgkill": (234, 131),
    "openat": (257, 56),
    "newfstatat": (262, 79),
    "faccessat": (269, 48),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "dup3": (292, 24),
    "pipe2": (293, 59),
    "seccomp": (317, 277),
    "getrandom": (318, 278),
    "statx": (332, 291),
    "rseq": (334, 293),
    "close_range": (436, 436),
    "faccessat2": (439, 439),
}
"""Of x86_64 and of aarch64."""

ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(0xC000003E, {name: number for name, (number, _) in _NUMBERS.items()}),
    "aarch64": Architecture(0xC00000B7, {name: number for name, (_, number) in _NUMBERS.items() if number is not None}),
}


def current_architecture() -> Architecture:
    """The architecture of this process; raises NotImplementedError if there is no table for it."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise NotImplementedError(f"no system call table for {machine}, only for {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[machine]


def syscall(number: int, *arguments: object) -> int:
    """Makes a system call; raises OSError when it fails."""
    result: int = _LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise _last_error()
    return result


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    """Sets a property of this process; raises OSError when the kernel refuses."""
    if _LIBC.prctl(option, value, third, 0, 0) != 0:
        raise _last_error()


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
