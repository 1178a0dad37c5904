"""What the kernel answers to a worker that may execute Tesseract, when a picture has taken it over."""

import asyncio
import os
import platform
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.pdf.operations import RECOGNISE
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from tests.services.pdf.pictures import PROBES, long_picture, ocr_kind, picture

pytestmark = pytest.mark.measures_time

needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="these are the numbers of x86_64")

DENIED = ("EPERM", "EACCES")

READ, CREATE = os.O_RDONLY, os.O_WRONLY | os.O_CREAT

NEW = "made-by-a-worker"

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


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[WorkerPool]:
    async with WorkerPool(ocr_kind(), {RECOGNISE.name: RECOGNISE.for_workers(), **PROBES}, tmp_path / "work") as pool:
        yield pool


async def no_document(_path: Path) -> None:
    raise AssertionError("nothing opens a document")


async def ask(pool: WorkerPool, probe: str, **arguments: Any) -> Any:
    deadline = asyncio.get_running_loop().time() + 60
    answer = await pool.run(probe, {"content": b"", **arguments}, Subject("x" * 64, no_document), deadline)
    return orjson.loads(answer.payload)


async def model_of(pool: WorkerPool) -> str:
    """A file that it may read."""
    return str(Path((await ask(pool, "whereabouts"))["environment"]["TESSDATA_PREFIX"], "eng.traineddata"))


async def test_it_executes_tesseract_and_nothing_else(pool: WorkerPool) -> None:
    programs = ("/bin/sh", "/usr/bin/env", "/bin/true", str(Path("/proc/self/exe").resolve()))
    answers = {program: await ask(pool, "execute", command=[program]) for program in programs}
    assert set(answers.values()) == {"EACCES"}, answers
    said = await ask(pool, "answer_of_program", command=["tesseract", "--version"])
    assert said["status"] == 0
    assert said["output"].startswith("tesseract ")


async def test_it_reads_what_tesseract_needs_and_nothing_else(pool: WorkerPool, tmp_path: Path) -> None:
    document = tmp_path / "work" / "document-text-1.pdf"
    document.write_bytes(b"%PDF-")
    others = (
        *("/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/self/status", "/", "/tmp", "/usr/bin", __file__),  # noqa: S108  # where it looks
        *(".", "/dev/null", str(document.parent), str(document)),
    )
    answers = {path: await ask(pool, "touch_file", path=path, flags=READ) for path in others}
    assert set(answers.values()) == {"EACCES"}, answers
    assert await ask(pool, "touch_file", path=await model_of(pool), flags=READ) == ""


async def test_it_makes_nothing_anywhere(pool: WorkerPool, tmp_path: Path) -> None:
    folders = (".", "/", "/tmp", "/dev/shm", "/dev", "/proc/self", str(tmp_path), str(tmp_path / "work"))  # noqa: S108  # where it tries
    paths = [f"{folder}/{NEW}" for folder in (*folders, Path(await model_of(pool)).parent)]
    for how in ("file", "folder", "link", "hard link", "pipe"):
        answers = {path: await ask(pool, "change", path=path, how=how) for path in paths}
        assert set(answers.values()) <= set(DENIED), (how, answers)
    assert not [path for path in paths if Path(path).exists()]


async def test_it_changes_and_removes_nothing(pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o666)
    (tmp_path / "folder").mkdir()
    paths = (await model_of(pool), *(str(tmp_path / name) for name in ("file", "folder")))
    for how in ("rename", "mode", "times", "cut", "remove", "remove a folder"):
        answers = {path: await ask(pool, "change", path=path, how=how) for path in paths}
        assert set(answers.values()) <= set(DENIED), (how, answers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "work"]


async def test_it_opens_nothing_for_writing(pool: WorkerPool, tmp_path: Path) -> None:
    """Not even what it may read, and the machine's own null."""
    paths = (await model_of(pool), "/dev/null", "/dev/shm", "/tmp", str(tmp_path), str(tmp_path / "work"))  # noqa: S108  # where it tries
    for flags in (os.O_WRONLY, os.O_RDWR, CREATE, os.O_RDONLY | os.O_TRUNC, os.O_RDWR | os.O_TMPFILE):
        answers = {path: await ask(pool, "touch_file", path=path, flags=flags) for path in paths}
        assert set(answers.values()) == {"EPERM"}, (flags, answers)


async def test_recognising_leaves_no_file_and_needs_none(pool: WorkerPool, tmp_path: Path) -> None:
    pid = (await ask(pool, "whereabouts"))["pid"]
    assert re.search(r"^Max file size +0 +0 ", Path(f"/proc/{pid}/limits").read_text("ascii"), re.MULTILINE)
    recognised = await ask(pool, "recognise", content=picture("Fifteen days."), dpi=150, languages=["eng"])
    assert [word["text"] for line in recognised["lines"] for word in line["words"]] == ["Fifteen", "days."]
    assert list((tmp_path / "work").iterdir()) == []


@needs_x86_64
async def test_every_call_that_could_reach_out_is_refused(pool: WorkerPool) -> None:
    answers = {
        name: await ask(pool, "call", number=number, arguments=arguments)
        for name, (number, arguments) in X86_64.items()
    }
    assert {name: answer for name, answer in answers.items() if answer not in DENIED} == {}
    assert pool.restarts == {}


@pytest.mark.parametrize("how", ["program", "program with a word in the child"])
async def test_what_it_starts_has_fewer_calls_than_it_has(pool: WorkerPool, how: str) -> None:
    program = await ask(pool, "leave_behind", how=how, content=long_picture())
    lines = Path(f"/proc/{program}/status").read_text("ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert (status["Name"], status["NoNewPrivs"], status["Seccomp"]) == ("tesseract", "1", "2")
    assert int(status.get("Seccomp_filters", 2)) == len(("the worker's", "its own"))
