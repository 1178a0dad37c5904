"""A worker's system call filter, made from its profile.

A call that is not in the profile is refused with EPERM, so that a library which merely tries goes on, and a test sees
which call it was.
"""

import ctypes
import errno
import struct
from collections.abc import Sequence
from functools import cache

from services.pdf.worker.sandbox.profiles import PROFILES, THIS_PROCESS, Check
from services.pdf.worker.sandbox.syscalls import Architecture, current_architecture, syscall

_SECCOMP_SET_MODE_FILTER = 1

_RET_KILL_PROCESS = 0x80000000
_RET_ERRNO = 0x00050000
_RET_ALLOW = 0x7FFF0000

# Classic BPF: opcode, jump if true, jump if false, constant.
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

# struct seccomp_data: the call's number, the architecture, the instruction pointer, six arguments of 64 bits.
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

_X32 = 0x40000000
"""Numbers from here on belong to the x32 ABI: other calls under x86_64's architecture."""

Instruction = tuple[int, int, int, int]


def compile_filter(architecture: Architecture, profile: str, pid: int) -> bytes:
    """The filter for a process with the id `pid` and a profile by its name, as an array of struct sock_filter."""
    return _compile_for_any(architecture, profile).replace(struct.pack("=I", THIS_PROCESS), struct.pack("=I", pid))


@cache  # the zygote fills it, and no worker compiles
def _compile_for_any(architecture: Architecture, profile: str) -> bytes:
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _RET_KILL_PROCESS),
    ]
    for name, checks in PROFILES[profile].items():
        number = architecture.numbers.get(name)
        if number is None:
            continue
        body = [instruction for check in checks for instruction in _refuse_unless(check)]
        program += [(_EQUAL, 0, len(body) + 1, number), *body, (_RETURN, 0, 0, _RET_ALLOW)]
    program.append((_RETURN, 0, 0, _RET_ERRNO | errno.EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def install_filter(program: bytes) -> None:
    """Filters this thread, for good; needs PR_SET_NO_NEW_PRIVS first. Raises OSError when the kernel refuses."""
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count, and after the padding a pointer.
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = current_architecture().numbers["seccomp"]
    syscall(number, ctypes.c_uint(_SECCOMP_SET_MODE_FILTER), ctypes.c_uint(0), header)


def _refuse_unless(check: Check) -> Sequence[Instruction]:
    """Jumps past its own end if the argument follows the rule."""
    refuse = (_RETURN, 0, 0, _RET_ERRNO | errno.EPERM)
    load = (_LOAD, 0, 0, _ARGUMENTS + 8 * check.argument)
    if check.none_of:
        return [load, (_ANY_BIT, 0, 1, check.none_of), refuse]
    matches = [(_EQUAL, len(check.one_of) - index, 0, value) for index, value in enumerate(check.one_of)]
    return [load, *matches, refuse]
