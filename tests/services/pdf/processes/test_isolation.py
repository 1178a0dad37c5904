"""Who shares a worker process with whom: nobody with anybody, and no document with another."""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from services.base.errors import PapermeshError
from services.base.flow import Flow
from services.pdf.processes.subject import Subject
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import Questions, idle_in, kept_in

pytestmark = pytest.mark.measures_time

Ask = Callable[..., Coroutine[Any, Any, Any]]
MakePool = Callable[..., Any]
MakePdf = Callable[..., Path]
Until = Callable[[Callable[[], object]], Awaitable[None]]

ADA, BOB = Flow("company", "ada"), Flow("company", "bob")
OTHER = Flow("other", "ada")

WORD = "열쇠 7"


@pytest.fixture
def pid_of(ask: Ask) -> Callable[..., Coroutine[Any, Any, int]]:
    """The process that answers a question about a document."""

    async def find(pool: Any, source: Path, flow: Flow) -> int:
        return int((await ask(pool, "inventory", source=source, flow=flow))["pid"])

    return find


@pytest.fixture
def documents(make_pdf: MakePdf) -> list[Path]:
    return [make_pdf(f"Document {number}.", name=f"{number}.pdf") for number in range(4)]


async def test_a_process_opens_one_document_for_one_person_and_is_kept_for_their_next_question(
    make_pool: MakePool, pid_of: Any, documents: list[Path]
) -> None:
    async with make_pool() as pool:
        asked = [(ADA, documents[0]), (ADA, documents[1]), (BOB, documents[0]), (OTHER, documents[0])]
        first = [await pid_of(pool, source, flow) for flow, source in asked]
        assert len(set(first)) == len(asked), "another document, another actor, another client: another process"
        assert [await pid_of(pool, source, flow) for flow, source in asked] == first
        assert pool.restarts == {}


async def test_a_question_with_a_password_has_a_process_of_its_own_that_ends_with_it(
    make_pool: MakePool, ask: Ask, documents: list[Path], until: Until
) -> None:
    async def pid_with(password: str) -> int:
        return int((await ask(pool, "inventory", source=documents[0], flow=ADA, password=password))["pid"])

    async with make_pool() as pool:
        without = await pid_with("")
        passwords = ["one", "one", "another"]
        pids = [await pid_with(password) for password in passwords]
        assert len({without, *pids}) == 4, "no one else's, not even that of the same password"
        assert kept_in(pool) == 1
        await until(lambda: not set(pids) & pool._supervisor.by_pid.keys())
        assert await pid_with("") == without
        assert pool.restarts == {}


async def test_the_parts_of_a_document_with_a_password_are_read_by_processes_that_end_with_it(
    make_pool: MakePool, make_pdf: MakePdf, subject: Callable[..., Subject], until: Until
) -> None:
    lock = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": WORD, "owner_pw": "owner"}
    book = make_pdf(*["A page."] * 40, name="book.pdf", **lock)
    async with make_pool(size=2) as pool:
        asked = subject(book, flow=ADA, password=WORD)
        result = orjson.loads(await Questions(pool, in_part=10).text(asked, "", 30))
        assert [item["text"] for item in result["items"]] == ["A page.\n"] * 40
        assert kept_in(pool) == 0
        await until(lambda: len(pool._supervisor.by_pid) == len(pool._supervisor.spares) == 2)
        assert pool.restarts == {}


async def test_a_wrong_password_leaves_no_process_behind(
    make_pool: MakePool, make_pdf: MakePdf, ask: Ask, until: Until
) -> None:
    locked = make_pdf("A page.", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=WORD, owner_pw="owner")
    async with make_pool() as pool:
        for password, reason in (("wrong", "wrong_password"), ("", "encrypted")):
            with pytest.raises(PapermeshError) as refused:
                await ask(pool, "count", source=locked, password=password)
            assert refused.value.details == {"reason": reason}
        described = await ask(pool, "count", source=locked, password=WORD)
        assert described["pages"] == 1
        assert kept_in(pool) == 1, "that of the question without a password"
        await until(lambda: len(pool._supervisor.by_pid) == 2)


def test_a_password_is_not_shown_with_its_subject() -> None:
    asked = Subject("x", place=None, password=WORD)  # type: ignore[arg-type]  # nothing is placed
    assert WORD not in repr(asked)


async def test_so_it_is_with_many_callers_at_once(make_pool: MakePool, pid_of: Any, documents: list[Path]) -> None:
    chance = random.Random(0)  # noqa: S311  # to try many orders, always the same
    asked = [(chance.choice((ADA, BOB, OTHER)), chance.choice(documents)) for _ in range(60)]
    async with make_pool(size=3, kept=5) as pool:
        pids = await asyncio.gather(*(pid_of(pool, source, flow) for flow, source in asked))
        assert kept_in(pool) <= 5
    holders = defaultdict(set)
    for pid, holder in zip(pids, asked, strict=True):
        holders[pid].add(holder)
    assert {len(each) for each in holders.values()} == {1}


async def test_without_kept_workers_every_request_has_a_process_of_its_own(
    make_pool: MakePool, pid_of: Any, documents: list[Path]
) -> None:
    async with make_pool(kept=0) as pool:
        pids = [await pid_of(pool, documents[0], ADA) for _ in range(5)]
        assert len(set(pids)) == 5
        assert pool.restarts == {}


async def test_the_parts_of_a_large_document_are_read_by_processes_that_have_read_nothing_else(
    make_pool: MakePool, make_pdf: MakePdf, subject: Callable[..., Subject], pid_of: Any, documents: list[Path]
) -> None:
    book = make_pdf(*["A page."] * 40, name="book.pdf")
    async with make_pool(size=2) as pool:
        before = {await pid_of(pool, source, ADA) for source in documents}
        result = orjson.loads(await Questions(pool, in_part=10).text(subject(book, flow=ADA), "", 30))
        assert len(result["items"]) == 40
        assert await pid_of(pool, book, ADA) not in before
        assert {await pid_of(pool, source, ADA) for source in documents} == before


async def test_when_too_many_are_kept_whoever_has_the_most_gives_one_up(
    make_pool: MakePool, pid_of: Any, documents: list[Path]
) -> None:
    async with make_pool(kept=3) as pool:
        bobs = await pid_of(pool, documents[0], BOB)
        adas = [await pid_of(pool, source, ADA) for source in documents]
        assert await pid_of(pool, documents[0], BOB) == bobs, "it is the longest here, and Bob's only one"
        again = [await pid_of(pool, source, ADA) for source in reversed(documents)]
        assert again[:2] == [adas[3], adas[2]], "her latest two were kept"
        assert not set(again[2:]) & set(adas)


async def test_a_worker_that_nobody_asks_is_not_kept_for_ever(
    make_pool: MakePool, pid_of: Any, documents: list[Path], until: Until
) -> None:
    async with make_pool(kept_seconds=0.05) as pool:
        worker = psutil.Process(await pid_of(pool, documents[0], ADA))
        await until(lambda: kept_in(pool) == 0)
        await until(lambda: worker.pid not in pool._supervisor.by_pid)
        assert pool.restarts == {}


async def test_a_new_worker_stands_ready_while_others_work(
    make_pool: MakePool, ask: Ask, documents: list[Path], until: Until
) -> None:
    async with make_pool(size=2) as pool:
        busy = asyncio.create_task(ask(pool, "spin", source=documents[0], flow=ADA))
        await until(lambda: len(pool._supervisor.spares) == 2 and idle_in(pool) == 1)
        assert (await ask(pool, "count", source=documents[1], flow=BOB))["pages"] == 1
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def test_a_kept_worker_reads_what_it_has_open_and_nothing_is_placed_for_it_again(
    make_pool: MakePool, documents: list[Path], subject: Callable[..., Subject], tmp_path: Path
) -> None:
    asked = subject(documents[0], flow=ADA)
    placed = []

    async def place(path: Path) -> None:
        placed.append(path)
        await asked.place(path)

    async with make_pool() as pool:
        answers = [
            await Questions(pool).text(Subject(asked.sha256, place, ADA), pages, 30) for pages in ("", "1", "", "1")
        ]
        assert len(set(answers)) == 1
        assert len(placed) == 1
        assert os.listdir(tmp_path / "work") == []  # noqa: PTH208  # names are enough


async def test_a_worker_whose_document_was_written_to_is_not_asked_again(
    make_pool: MakePool, documents: list[Path], subject: Callable[..., Subject]
) -> None:
    asked = subject(documents[0], flow=ADA)
    placed = []

    async def place(path: Path) -> None:
        """As a folder of blobs does: the worker's file and the store's are one."""
        placed.append(path)
        path.hardlink_to(documents[0])

    linked = Subject(asked.sha256, place, ADA)
    async with make_pool() as pool:
        engine = Questions(pool)
        before = await engine.metadata(linked, 30)
        with documents[0].open("ab") as file:
            file.write(b"%")
        assert await engine.metadata(linked, 30) != before, "it tells the size"
        assert len(placed) == 2
        assert kept_in(pool) == 1
        assert pool.restarts == {}
