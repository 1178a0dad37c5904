"""The filter, run here by a small machine as the kernel would, for both architectures on either."""

import errno
import fcntl
import os
import signal
import struct

import pytest

from services.pdf.processes.wire import SOCKET
from services.pdf.worker.sandbox.profiles import PROFILES
from services.pdf.worker.sandbox.seccomp import compile_filter
from services.pdf.worker.sandbox.syscalls import ARCHITECTURES

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
KILL = 0x80000000

PID = 4711

every_architecture = pytest.mark.parametrize("machine", sorted(ARCHITECTURES))


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None, profile: str = "text") -> int:
    """What the filter says to a call; the arguments are numbers of 64 bits."""
    architecture = ARCHITECTURES[machine]
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number, architecture.audit if audit is None else audit, 0, *padded)
    program = list(struct.iter_unpack("<HBBI", compile_filter(architecture, profile, PID)))
    register = position = 0
    while True:
        code, on_true, on_false, constant = program[position]
        position += 1
        if code == 0x20:
            register = struct.unpack_from("<I", data, constant)[0]
        elif code == 0x06:
            return int(constant)
        else:
            holds = {0x15: register == constant, 0x35: register >= constant, 0x45: bool(register & constant)}[code]
            position += on_true if holds else on_false


def call(machine: str, name: str, *arguments: int, profile: str = "text") -> int:
    return verdict(machine, ARCHITECTURES[machine].numbers[name], *arguments, profile=profile)


@every_architecture
def test_reading_and_computing_are_allowed(machine: str) -> None:
    for name in ("read", "write", "close", "brk", "munmap", "futex", "clock_gettime", "exit_group"):
        assert call(machine, name) == ALLOW, name


def test_both_architectures_allow_the_same() -> None:
    names = {machine: set(architecture.numbers) for machine, architecture in ARCHITECTURES.items()}
    # aarch64 has these by newer names alone, which are listed beside them; arch_prctl is about segment registers.
    older = {"time", "access", "dup2", "poll", "arch_prctl"}
    assert names["x86_64"] - names["aarch64"] == older
    assert {"clock_gettime", "faccessat", "dup3", "ppoll"} <= names["aarch64"]
    assert names["aarch64"] <= names["x86_64"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_names_calls_that_have_a_number(profile: str) -> None:
    assert PROFILES[profile].keys() <= ARCHITECTURES["x86_64"].numbers.keys()


@every_architecture
def test_documents_come_over_the_socket_alone(machine: str) -> None:
    assert call(machine, "recvmsg", SOCKET) == ALLOW
    for descriptor in (0, SOCKET + 1, -1 & 0xFFFFFFFFFFFFFFFF):
        assert call(machine, "recvmsg", descriptor) == REFUSE


def test_no_call_that_takes_a_name_or_a_limit_is_listed() -> None:
    named = {"open", "openat", "openat2", "stat", "lstat", "newfstatat", "statx", "access", "readlink", "readlinkat"}
    assert not (named | {"prlimit64", "setrlimit"}) & PROFILES["text"].keys()


@every_architecture
def test_a_descriptor_is_asked_about_and_not_changed(machine: str) -> None:
    for question in (fcntl.F_GETFD, fcntl.F_GETFL):
        assert call(machine, "fcntl", 3, question) == ALLOW
    for command in (fcntl.F_DUPFD, fcntl.F_SETFD, fcntl.F_SETFL, fcntl.F_SETOWN, fcntl.F_SETLK, fcntl.F_SETSIG):
        assert call(machine, "fcntl", 3, command) == REFUSE


@every_architecture
def test_no_memory_becomes_executable(machine: str) -> None:
    for name in ("mmap", "mprotect"):
        assert call(machine, name, 0, 4096, 3) == ALLOW
        assert call(machine, name, 0, 4096, 5) == REFUSE


@every_architecture
def test_signals_reach_this_process_alone(machine: str) -> None:
    assert call(machine, "tgkill", PID) == ALLOW
    assert call(machine, "tgkill", PID + 1) == REFUSE
    assert call(machine, "tgkill", 0xFFFFFFFF) == REFUSE


@every_architecture
def test_a_descriptor_is_copied_or_looked_at_and_never_changed(machine: str) -> None:
    for command in (fcntl.F_GETFD, fcntl.F_GETFL, fcntl.F_DUPFD_CLOEXEC):
        assert call(machine, "fcntl", 4, command) == ALLOW
    for command in (fcntl.F_SETFL, fcntl.F_SETLK, fcntl.F_SETOWN, fcntl.F_NOTIFY):
        assert call(machine, "fcntl", 4, command) == REFUSE


@every_architecture
def test_a_call_that_is_not_listed_is_refused(machine: str) -> None:
    numbers = ARCHITECTURES[machine].numbers
    listed = {numbers[name] for name in PROFILES["text"] if name in numbers}
    for number in set(range(500)) - listed:
        assert verdict(machine, number) == REFUSE, number


@every_architecture
def test_a_worker_that_recognises_text_forks_and_makes_no_thread_and_no_namespace(machine: str) -> None:
    fork = 0x01200000 | signal.SIGCHLD
    assert call(machine, "clone", fork, profile="ocr") == ALLOW
    for flags in (signal.SIGCHLD, fork | 0x10000000, fork | 0x00000100, 0x003D0F00):
        assert call(machine, "clone", flags, profile="ocr") == REFUSE


@every_architecture
def test_what_it_starts_dies_with_it_and_nothing_undoes_that(machine: str) -> None:
    assert call(machine, "prctl", 1, signal.SIGKILL, profile="ocr") == ALLOW
    for option, value in ((1, 0), (1, signal.SIGCONT), (4, 1), (36, 1), (38, 1)):
        assert call(machine, "prctl", option, value, profile="ocr") == REFUSE
    for name in ("prctl", "clone", "seccomp", "wait4", "tgkill"):
        assert call(machine, name, 1, signal.SIGKILL, profile="tesseract") == REFUSE


@every_architecture
def test_a_filter_is_added_and_told_to_nobody(machine: str) -> None:
    assert call(machine, "seccomp", 1, 0, profile="ocr") == ALLOW
    for operation, flags in ((1, 8), (1, 1), (0, 0), (2, 0)):
        assert call(machine, "seccomp", operation, flags, profile="ocr") == REFUSE


@every_architecture
@pytest.mark.parametrize("profile", ["ocr", "tesseract"])
def test_what_a_program_executes_is_not_writable(machine: str, profile: str) -> None:
    for protection in (0, 1, 3, 5):
        assert call(machine, "mmap", 0, 4096, protection, profile=profile) == ALLOW
    for protection in (4, 6, 7):
        assert call(machine, "mmap", 0, 4096, protection, profile=profile) == REFUSE
    assert call(machine, "mprotect", 0, 4096, 5, profile=profile) == REFUSE


@pytest.mark.parametrize("profile", ["ocr", "tesseract"])
def test_no_kind_that_reaches_files_reaches_a_network_or_another_process(profile: str) -> None:
    assert (
        not {"socket", "socketpair", "connect", "bind", "kill", "ptrace", "clone3", "vfork"} & PROFILES[profile].keys()
    )
    assert (
        not {
            "rename",
            "linkat",
            "symlink",
            "mkdir",
            "chmod",
            "unlink",
            "unlinkat",
            "ftruncate",
            "getdents64",
            "prlimit64",
        }
        & PROFILES[profile].keys()
    )


@every_architecture
@pytest.mark.parametrize("profile", ["ocr", "tesseract"])
def test_files_are_opened_for_reading_alone(machine: str, profile: str) -> None:
    assert call(machine, "openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC, profile=profile) == ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_TMPFILE, os.O_CREAT, os.O_TRUNC):
        assert call(machine, "openat", 0, 0, flags, profile=profile) == REFUSE


def test_a_program_may_nothing_that_the_worker_may_not_which_started_it() -> None:
    assert PROFILES["tesseract"].keys() <= PROFILES["ocr"].keys()


@every_architecture
def test_the_numbers_of_another_architecture_end_the_process(machine: str) -> None:
    for audit in (0x40000003, 0x40000028, 0):
        assert verdict(machine, 0, audit=audit) == KILL


def test_the_x32_numbers_end_the_process() -> None:
    assert verdict("x86_64", 0x40000000 | 39) == KILL
