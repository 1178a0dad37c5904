"""What the kernel answers to a worker that has been taken over."""

import json
import os
import platform
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker.sandbox.confinement import WORN_SECONDS
from services.pdf.worker.sandbox.landlock import landlock_version

ROOT = Path(__file__).resolve().parents[5]
LOCKED_IN = (sys.executable, "-m", "tests.services.pdf.worker.locked_in")

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
    assert found["isolated"], "nothing is imported from where it stands, nor from its user's folder"
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


def locked_in(folder: Path, *words: str) -> Any:
    """What a process that locks itself in says; "document.pdf" lies in its folder."""
    (folder / "document.pdf").write_bytes(b"%PDF-")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([*LOCKED_IN, *words], cwd=folder, env=environment, stdout=-1, check=True, timeout=60)
    return json.loads(ended.stdout)


@pytest.mark.skipif(landlock_version() < 3, reason="the kernel's Landlock does not know all of this")
def test_landlock_alone_leaves_no_file_by_its_name(tmp_path: Path) -> None:
    assert set(locked_in(tmp_path, "landlock", "1", "nobody")["files"].values()) == {"EACCES"}
    assert [path.name for path in tmp_path.iterdir()] == ["document.pdf"]


@needs_x86_64
def test_a_filter_that_hides_landlock_is_the_same_as_none(tmp_path: Path) -> None:
    assert locked_in(tmp_path, "hidden") == 0


def test_whose_parent_has_ended_does_not_become_a_worker(tmp_path: Path) -> None:
    assert locked_in(tmp_path, "orphan").startswith("dying with the zygote: ")


@pytest.mark.skipif(landlock_version() < 6, reason="the kernel's Landlock knows files alone, or not all of this")
def test_landlock_alone_leaves_no_network_no_abstract_socket_and_no_signal_to_others(tmp_path: Path) -> None:
    name = f"papermesh-{secrets.token_hex(8)}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(f"\0{name}")
        local.listen()
        found = locked_in(tmp_path, "landlock", str(server.getsockname()[1]), name)
    assert set(found["before"].values()) == {""}
    assert found["after"] == {"bind": "EACCES", "connect": "EACCES", "abstract socket": "EPERM", "signal": "EPERM"}


@contextmanager
def parent_of_a_worker(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, Any]]]:
    """A process whose child has locked itself in, and what it says of it; both run until their input ends."""
    folder.chmod(0o755)  # root becomes nobody, who must get in
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*LOCKED_IN, "worker"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        try:
            output: IO[bytes] | None = parent.stdout
            assert output is not None
            yield parent, json.loads(output.readline())
        finally:
            parent.kill()


def test_a_worker_dies_with_the_process_that_forked_it(tmp_path: Path) -> None:
    with parent_of_a_worker(tmp_path) as (parent, told):
        worker = os.pidfd_open(told["worker"])
        try:
            ending = select.poll()
            ending.register(worker, select.POLLIN)
            assert not ending.poll(0)
            os.kill(parent.pid, signal.SIGKILL)
            assert ending.poll(30_000), "its input is still open, so nothing else ends it"
        finally:
            os.close(worker)


def test_a_worker_is_closed_to_other_processes_of_its_user(tmp_path: Path) -> None:
    with parent_of_a_worker(tmp_path) as (_, told):
        assert told["environ"] == {"self": "", str(told["worker"]): "EACCES"}
