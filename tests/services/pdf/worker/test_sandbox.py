"""What the kernel answers to a worker that has been taken over."""

import os
import platform
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker.sandbox import WORN_SECONDS

Ask = Callable[..., Awaitable[Any]]
MakePool = Callable[..., Any]

DENIED = ("EPERM", "EACCES")

STAT = "x" * 256
"""Room for an answer."""

# Numbers and arguments with which the call would work, were it allowed.
X86_64 = {
    "socket (internet)": (41, [2, 1, 0]),
    "socket (unix)": (41, [1, 1, 0]),
    "socketpair": (53, [1, 1, 0, 0]),
    "connect": (42, [3, 0, 0]),
    "bind": (49, [3, 0, 0]),
    "sendto": (44, [3, "x", 1, 0, 0, 0]),
    "sendmsg": (46, [3, 0, 0]),
    "execve": (59, ["/bin/true", 0, 0]),
    "execveat": (322, [-100, "/bin/true", 0, 0, 0]),
    "fork": (57, []),
    "clone": (56, [17, 0, 0, 0, 0]),
    "clone3": (435, [0, 0]),
    "kill": (62, [1, 0]),
    "pidfd_open": (434, [1, 0]),
    "ptrace": (101, [0, 0, 0, 0]),
    "process_vm_readv": (310, [1, 0, 0, 0, 0, 0]),
    "io_uring_setup": (425, [1, 0]),
    "bpf": (321, [0, 0, 0]),
    "unshare": (272, [0x10000000]),
    "setns": (308, [3, 0]),
    "mount": (165, ["none", "/mnt", "tmpfs", 0, 0]),
    "keyctl": (250, [0, 0]),
    "perf_event_open": (298, [0, 0, 0, 0, 0]),
    "userfaultfd": (323, [0]),
    "prctl": (157, [15, "x", 0, 0, 0]),
    "seccomp": (317, [0, 0, 0]),
    "open": (2, ["/etc/passwd", 0]),
    "openat": (257, [-100, "/etc/passwd", 0]),
    "openat, a place": (257, [-100, "/etc/passwd", os.O_PATH]),
    "openat, what is not there": (257, [-100, "/no/such/file", 0]),
    "stat": (4, ["/etc/passwd", STAT]),
    "lstat": (6, ["/etc/passwd", STAT]),
    "newfstatat": (262, [-100, "/etc/passwd", STAT, 0]),
    "newfstatat, of a descriptor": (262, [3, "", STAT, 0x1000]),
    "statx": (332, [-100, "/etc/passwd", 0, 0xFFF, STAT]),
    "access": (21, ["/etc/passwd", 0]),
    "faccessat": (269, [-100, "/etc/passwd", 0]),
    "faccessat2": (439, [-100, "/etc/passwd", 0, 0]),
    "statfs": (137, ["/", STAT]),
    "getcwd": (79, [STAT, 256]),
    "openat2": (437, [-100, "document.pdf", 0, 0]),
    "open_by_handle_at": (304, [0, 0, 0]),
    "unlink": (87, ["document.pdf"]),
    "rename": (82, ["document.pdf", "other.pdf"]),
    "link": (86, ["document.pdf", "other.pdf"]),
    "symlink": (88, ["/etc/passwd", "other.pdf"]),
    "chmod": (90, ["document.pdf", 0o777]),
    "truncate": (76, ["document.pdf", 0]),
    "mkdir": (83, ["folder", 0o777]),
    "chdir": (80, ["/"]),
    "memfd_create": (319, ["x", 0]),
    "executable memory": (9, [0, 4096, 7, 0x22, -1, 0]),
    "limits of another process": (302, [1, 7, 0, 0]),
    "a limit of its own": (302, [0, 0, 0, 0]),
    "setrlimit": (160, [0, 0]),
    "recvmsg, from another descriptor": (47, [0, 0, 0]),
    "readlink": (89, ["/proc/self/exe", 0, 0]),
    "getdents64": (217, [0, 0, 0]),
}

needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="these are the numbers of x86_64")


@needs_x86_64
async def test_every_call_that_could_reach_out_is_refused(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        answers = {
            name: await ask(pool, "syscall", number=number, arguments=arguments)
            for name, (number, arguments) in X86_64.items()
        }
        allowed = {name: answer for name, answer in answers.items() if answer not in DENIED}
        assert allowed == {}
        assert pool.restarts == {}


@needs_x86_64
async def test_a_call_by_the_x32_numbers_ends_the_worker(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool() as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "syscall", number=0x40000000 | 39, arguments=[])
        assert error.value.code is Code.ENGINE_FAIL


async def test_a_worker_opens_no_file_by_its_name_and_learns_of_none_whether_it_exists(
    make_pool: MakePool, ask: Ask, make_pdf: Callable[..., Path]
) -> None:
    other = make_pdf("Of somebody else.", name="other.pdf")
    paths = ("/etc/passwd", "/proc/self/environ", "/proc/self/fd/4", "/", "/no/such/file", ".", str(other), __file__)
    async with make_pool() as pool:
        for flags in (os.O_RDONLY, os.O_PATH, os.O_WRONLY, os.O_WRONLY | os.O_CREAT, os.O_RDONLY | os.O_DIRECTORY):
            answers = {path: await ask(pool, "read_file", path=path, flags=flags) for path in paths}
            assert set(answers.values()) == {"EPERM"}, answers


@needs_x86_64
async def test_a_worker_cannot_write_to_its_document(
    make_pool: MakePool, ask: Ask, make_pdf: Callable[..., Path]
) -> None:
    source = make_pdf("Of somebody.", name="source.pdf")
    before = source.read_bytes()
    async with make_pool() as pool:
        assert await ask(pool, "syscall", number=1, arguments=[4, "x", 1], source=source) == "EBADF"
        assert await ask(pool, "syscall", number=9, arguments=[0, 4096, 3, 1, 4, 0], source=source) == "EACCES"
    assert source.read_bytes() == before


async def test_a_worker_holds_its_socket_its_document_and_no_environment(
    make_pool: MakePool, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERMESH_SECRET", "not for workers")
    with open("/etc/hostname", "rb") as inherited:  # noqa: ASYNC230, PTH123  # a descriptor that must not be handed down
        os.set_inheritable(inherited.fileno(), True)  # noqa: FBT003  # the standard library takes it by position
        async with make_pool(size=3, memory_bytes=512 << 20) as pool:
            found = await ask(pool, "inventory")
    assert found["environment"] == {}
    assert found["descriptors"] == {"0": "null", "1": "null", "2": "null", "3": "socket", "4": "document"}


async def test_a_worker_has_hard_limits(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(memory_bytes=512 << 20, cpu_seconds=60) as pool:
        pid = (await ask(pool, "inventory"))["pid"]
        lines = Path(f"/proc/{pid}/limits").read_text("ascii").splitlines()
        limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["16", "16"]
    soft, hard = limits["Max address space"]
    assert soft == hard
    assert 512 << 20 < int(soft) < 1 << 30
    assert limits["Max cpu time"] == [str(60 + WORN_SECONDS), str(60 + WORN_SECONDS + 1)]


@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NOFILE"])
async def test_a_worker_cannot_raise_its_limits(make_pool: MakePool, ask: Ask, limit: str) -> None:
    async with make_pool() as pool:
        assert await ask(pool, "raise_limit", limit=limit) == "not allowed to raise maximum limit"


async def test_a_worker_that_ignores_the_end_of_its_time_is_ended_all_the_same(make_pool: MakePool, ask: Ask) -> None:
    async with make_pool(cpu_seconds=1) as pool:
        with pytest.raises(PapermeshError) as error:
            await ask(pool, "ignore_and_spin", signal="SIGXCPU", seconds=120)
        assert error.value.code is Code.ENGINE_FAIL
