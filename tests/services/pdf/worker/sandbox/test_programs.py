"""What the kernel answers to a worker that may execute Tesseract, when a picture has taken it over."""

import asyncio
import os
import platform
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from tests.services.pdf.pictures import PROBES, long_picture, ocr_kind

pytestmark = [pytest.mark.measures_time, pytest.mark.asyncio(loop_scope="module")]

needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="these are the numbers of x86_64")

DENIED = ("EPERM", "EACCES")

READ, WRITE, CREATE = os.O_RDONLY, os.O_WRONLY, os.O_WRONLY | os.O_CREAT

STAT = "x" * 256

X86_64 = {
    "socket (internet)": (41, [2, 1, 0]),
    "socket (unix)": (41, [1, 1, 0]),
    "socketpair": (53, [1, 1, 0, 0]),
    "vfork": (58, []),
    "clone3": (435, [0, 0]),
    "a thread": (56, [0x00010F00, 0, 0, 0, 0]),
    "a namespace": (56, [0x10000000 | 17, 0, 0, 0, 0]),
    "kill": (62, [1, 0]),
    "the death of another": (234, [1, 1, 9]),
    "pidfd_open": (434, [1, 0]),
    "ptrace": (101, [0, 0, 0, 0]),
    "a limit of its own": (302, [0, 0, 0, 0]),
    "outliving its parent": (157, [1, 0, 0, 0, 0]),
    "another parent": (157, [36, 1, 0, 0, 0]),
    "being looked into": (157, [4, 1, 0, 0, 0]),
    "executable and writable memory": (9, [0, 4096, 7, 0x22, -1, 0]),
    "memory made executable": (10, [0, 4096, 5]),
    "execveat": (322, [-100, "/usr/bin/tesseract", 0, 0, 0]),
    "openat2": (437, [-100, "own", 0, 0]),
    "open_by_handle_at": (304, [0, 0, 0]),
    "memfd_create": (319, ["x", 0]),
    "truncate": (76, ["/etc/passwd", 0]),
    "mount": (165, ["none", "/mnt", "tmpfs", 0, 0]),
    "unshare": (272, [0x10000000]),
    "io_uring_setup": (425, [1, 0]),
    "statfs": (137, ["/", STAT]),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkerPool]:
    async with WorkerPool(ocr_kind(), PROBES, tmp_path_factory.mktemp("programs") / "work") as pool:
        yield pool


@pytest.fixture
def pool(shared_pool: WorkerPool) -> WorkerPool:
    """A pool for all tests, with nothing of an earlier one's in its counters."""
    shared_pool.restarts.clear()
    return shared_pool


async def no_document(_path: Path) -> None:
    raise AssertionError("nothing opens a document")


async def ask(pool: WorkerPool, probe: str, **arguments: Any) -> Any:
    deadline = asyncio.get_running_loop().time() + 60
    answer = await pool.run(probe, {"content": b"", **arguments}, Subject("x" * 64, no_document), deadline)
    return orjson.loads(answer.payload)


async def test_it_executes_tesseract_and_nothing_else(pool: WorkerPool) -> None:
    programs = ("/bin/sh", "/usr/bin/env", "/bin/true", str(Path("/proc/self/exe").resolve()))
    answers = {program: await ask(pool, "execute", command=[program]) for program in programs}
    assert set(answers.values()) == {"EACCES"}, answers
    assert await ask(pool, "execute_own") == "EACCES", "not even what it has written itself"
    said = await ask(pool, "answer_of_program", command=["tesseract", "--version"])
    assert said["status"] == 0
    assert said["output"].startswith("tesseract ")


async def test_it_reads_its_own_folder_and_what_tesseract_needs_and_nothing_else(pool: WorkerPool) -> None:
    found = await ask(pool, "whereabouts")
    own = Path(found["folder"])
    neighbour = next(path for path in own.parent.iterdir() if path != own)
    document = own.parent / "document-text-1.pdf"
    document.write_bytes(b"%PDF-")
    others = (
        *("/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/self/status", "/", "/tmp", "/usr/bin", __file__),  # noqa: S108  # where it looks
        *map(str, (own.parent, neighbour, document)),
    )
    answers = {path: await ask(pool, "touch_file", path=path, flags=READ) for path in others}
    assert set(answers.values()) == {"EACCES"}, answers
    data = Path(found["environment"]["TESSDATA_PREFIX"], "eng.traineddata")
    assert await ask(pool, "touch_file", path=str(data), flags=READ) == ""
    assert await ask(pool, "touch_file", path=".", flags=READ) == ""


async def test_it_writes_plain_files_to_its_own_folder_and_nothing_elsewhere(pool: WorkerPool, tmp_path: Path) -> None:
    found = await ask(pool, "whereabouts")
    data = Path(found["environment"]["TESSDATA_PREFIX"], "eng.traineddata")
    for path in ("../own", str(tmp_path / "own"), "/tmp/own", "/dev/shm/own", str(data), "/etc/passwd"):  # noqa: S108  # where it tries
        assert await ask(pool, "touch_file", path=path, flags=CREATE) in DENIED, path
    assert await ask(pool, "touch_file", path="own", flags=CREATE) == ""
    assert {
        how: await ask(pool, "change_folder", how=how) for how in ("folder", "link", "hard link", "rename", "mode")
    } == dict.fromkeys(("folder", "link", "hard link", "rename", "mode"), "EPERM")
    assert await ask(pool, "change_folder", how="remove") == ""
    assert not list(tmp_path.glob("own*"))


@needs_x86_64
async def test_every_call_that_could_reach_out_is_refused(pool: WorkerPool) -> None:
    answers = {
        name: await ask(pool, "call", number=number, arguments=arguments)
        for name, (number, arguments) in X86_64.items()
    }
    assert {name: answer for name, answer in answers.items() if answer not in DENIED} == {}
    assert pool.restarts == {}


async def test_a_file_grows_to_its_limit_and_no_further(pool: WorkerPool) -> None:
    limit = ocr_kind().limits.file_bytes
    assert await ask(pool, "grow", size=limit) == ""
    assert await ask(pool, "grow", size=limit + 1) == "EFBIG"


@pytest.mark.parametrize("how", ["program", "program with a word in the child"])
async def test_what_it_starts_has_fewer_calls_than_it_has(pool: WorkerPool, how: str) -> None:
    program = await ask(pool, "leave_behind", how=how, content=long_picture())
    lines = Path(f"/proc/{program}/status").read_text("ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert (status["Name"], status["NoNewPrivs"], status["Seccomp"]) == ("tesseract", "1", "2")
    assert int(status.get("Seccomp_filters", 2)) == len(("the worker's", "its own"))
