"""The kind of worker that runs models: one thread, no more rights than a text worker, and it tells nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from services.pdf.model_kind import model_kind
from services.pdf.operations import LAYOUT_BOXES
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.sandbox.profiles import PROFILES
from tests.services.pdf.pictures import settings

pytestmark = pytest.mark.measures_time

About = Callable[..., Subject]

PARAGRAPH = (
    "An employee who has worked for a year is granted fifteen days of paid leave, to be taken in one piece. " * 3
)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A page with a heading, paragraphs and a picture's caption, a page that is too large, and one that is broken."""
    path = tmp_path / "report.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 90), "3. Annual leave", fontsize=18, fontname="hebo")
        page.insert_textbox((72, 110, 520, 200), PARAGRAPH, fontsize=10)
        page.insert_textbox((72, 210, 520, 300), PARAGRAPH, fontsize=10)
        document.new_page(width=10_000, height=10_000).insert_text((72, 90), "Large")
        crowded = document.new_page()
        for row in range(600):
            crowded.insert_text((5, 5 + row), "much text " * 10, fontsize=1)
        document.save(path)
    return path


@asynccontextmanager
async def model_pool(work_dir: Path) -> AsyncIterator[WorkerPool]:
    async with WorkerPool(model_kind(settings()), {LAYOUT_BOXES.name: LAYOUT_BOXES.for_workers()}, work_dir) as pool:
        yield pool


async def boxes(pool: WorkerPool, subject: Subject, page: int) -> Answer:
    deadline = asyncio.get_running_loop().time() + 60
    return await pool.run(LAYOUT_BOXES.name, {"page": page}, subject, deadline)


async def test_it_finds_blocks_and_names_pages_that_it_does_not_read(
    tmp_path: Path, report: Path, subject: About
) -> None:
    about = subject(report)
    async with model_pool(tmp_path / "work") as pool:
        first = orjson.loads((await boxes(pool, about, 1)).payload)
        assert [each[4] for each in first] == ["heading", "text", "text"]
        assert all(60 < x0 < x1 < 540 and 60 < y0 < y1 < 310 for x0, y0, x1, y1, _ in first)
        for page, reason in ((2, "TOO_LARGE"), (3, "TOO_LARGE"), (4, "BROKEN")):
            answer = await boxes(pool, about, page)
            failure: Any = answer.header["failure"]
            assert (failure["page"], failure["reason"], answer.payload) == (page, reason, b"")
        assert set(pool.restarts) <= {"worn"}, "no worker died"


async def test_its_processes_have_one_thread_and_are_told_not_to_report_their_use(tmp_path: Path) -> None:
    async with model_pool(tmp_path / "work") as pool:
        zygote = pool._supervisor.zygote
        assert zygote is not None
        process = psutil.Process(zygote.pid)
        assert process.num_threads() == 1
        assert not process.net_connections()
        assert model_kind(settings()).environment["ORT_DISABLE_TELEMETRY"] == "1"


def test_it_may_do_what_a_text_worker_may() -> None:
    assert PROFILES[model_kind(settings()).profile] == PROFILES["text"]


def test_it_starts_with_the_first_question_and_can_be_switched_off() -> None:
    kind = model_kind(settings(pdf_model_workers=2))
    assert (kind.size, kind.starts_with_service, kind.missing) == (2, False, "")
    off = model_kind(settings(pdf_model_workers=0))
    assert "PAPERMESH_PDF_MODEL_WORKERS is 0" in off.missing
    assert not off.starts_with_service
