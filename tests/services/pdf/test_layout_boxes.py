"""PDF_LAYOUT in its mode "model": boxes of the layout model from workers of their own, kept like readings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.pdf import layout_boxes
from services.pdf.engine import Engine, Result
from services.pdf.layout_boxes import LayoutBoxes
from services.pdf.model_kind import model_kind
from services.pdf.operations import LAYOUT_BOXES, OPERATIONS, READ
from services.pdf.processes.kinds import MODEL, OCR, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.reader import Read
from services.pdf.readings.readings import Readings
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.pictures import settings
from tests.services.pdf.support import make_engine, no_readings

pytestmark = pytest.mark.measures_time

About = Callable[..., Subject]
LAYOUT = next(each for each in OPERATIONS if each.name == "layout")
BOXES = b'[[60,60,500,100,"heading"]]'


class Asked:
    """Pools that note what model workers are asked, and answer for them where a test says how."""

    def __init__(self, pools: Pools | None = None, answers: dict[int, Any] | None = None) -> None:
        self._pools = pools
        self._answers = answers
        self.pages: list[int] = []
        self.size = 1

    def missing(self, kind: str) -> str:
        return self._pools.missing(kind) if self._pools else ""

    def start_soon(self, kind: str) -> None:
        if self._pools:
            self._pools.start_soon(kind)

    async def of(self, kind: str, deadline: float) -> Any:
        if kind != MODEL or self._pools is None:
            return self if self._pools is None else await self._pools.of(kind, deadline)
        self._pool = await self._pools.of(kind, deadline)
        return self

    async def run(self, step: str, arguments: dict[str, Any], *rest: Any, **how: Any) -> Answer:
        self.pages.append(arguments["page"])
        if self._answers is None:
            answer: Answer = await self._pool.run(step, arguments, *rest, **how)
            return answer
        found = self._answers[arguments["page"]]
        if isinstance(found, PapermeshError):
            raise found
        return Answer(*found) if isinstance(found, tuple) else Answer({}, found)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A page with a heading and text, and one that is too large for the model."""
    path = tmp_path / "report.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 90), "3. Annual leave", fontsize=18, fontname="hebo")
        page.insert_textbox((72, 110, 520, 300), "Every employee may take fifteen days of leave. " * 9, fontsize=10)
        document.new_page(width=10_000, height=10_000).insert_text((72, 90), "Large")
        document.save(path)
    return path


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    kinds = [Kind(), Kind(name=OCR, missing="None."), model_kind(settings())]
    async with Pools(kinds, [*OPERATIONS, READ, LAYOUT_BOXES], tmp_path / "work") as pools:
        yield Asked(pools)


@pytest.fixture
async def readings(tmp_path: Path) -> AsyncIterator[Readings]:
    async with Readings(tmp_path / "readings", BlobStore((tmp_path / "blobs").as_uri()), "engine", 1 << 30) as kept:
        yield kept


async def lay_out(engine: Engine, about: Subject, timeout_s: float = 60) -> Result:
    return await engine.answer(LAYOUT, pb.ExtractLayoutRequest(mode="model"), about, timeout_s)


async def add(answers: dict[int, Any], about: Subject, kept: Readings | None = None, timeout_s: float = 60) -> Read:
    """What becomes of pages that were read, by what workers answer about them."""
    pools: Any = Asked(answers=answers)
    read = Read(len(answers), sorted(answers), dict.fromkeys(answers, b"read"))
    deadline = asyncio.get_running_loop().time() + timeout_s
    await LayoutBoxes(pools, kept or no_readings()).add(read, about, deadline)
    return read


async def test_blocks_are_the_models_and_the_second_time_no_model_is_asked(
    asked: Any, readings: Readings, report: Path, subject: About
) -> None:
    engine, about = make_engine(asked, readings), subject(report)
    first = await lay_out(engine, about)
    data = orjson.loads(first.json)
    assert [(page["page"], page["mode"]) for page in data["pages"]] == [(1, "model")]
    assert [block["type"] for block in data["pages"][0]["blocks"]] == ["heading", "text"]
    assert [(each["page"], each["reason"]) for each in data["failures"]] == [(2, "TOO_LARGE")]
    assert not first.is_partial
    assert asked.pages == [1, 2]
    while readings._keeping:
        await asyncio.wait(readings._keeping)
    assert (await lay_out(engine, about)).json == first.json
    assert asked.pages[2:] == [2], "what the model cannot read it is asked again"


async def test_the_mode_rules_asks_no_model(asked: Any, report: Path, subject: About) -> None:
    answer = await make_engine(asked).answer(LAYOUT, pb.ExtractLayoutRequest(), subject(report), 60)
    assert [page["mode"] for page in orjson.loads(answer.json)["pages"]] == ["rules", "rules"]
    assert asked.pages == []


async def test_a_page_that_the_model_did_not_get_to_is_named_and_the_answer_is_partial(
    report: Path, subject: About
) -> None:
    read = await add({1: BOXES, 2: PapermeshError(Code.TIMEOUT, "Late."), 3: BOXES}, subject(report))
    assert read.boxes == {1: BOXES.decode()}
    assert {page: each["reason"] for page, each in read.failures.items()} == dict.fromkeys((2, 3), "MODEL_PENDING")
    assert (sorted(read.found), read.is_partial) == ([1], True)


@pytest.mark.parametrize(
    "answer",
    [b"\xff", b"1" * 40_000, ({"failure": "BROKEN"}, b""), ({"failure": {"reason": "SCAN", "message": "?"}}, b"")],
    ids=["no-text", "too-long", "no-failure", "no-such-reason"],
)
async def test_what_a_worker_cannot_have_found_is_a_crash(answer: Any, report: Path, subject: About) -> None:
    with pytest.raises(PapermeshError, match="crashed") as error:
        await add({1: answer}, subject(report))
    assert error.value.code == Code.ENGINE_FAIL


async def test_any_other_error_of_a_worker_is_the_answer(report: Path, subject: About) -> None:
    with pytest.raises(PapermeshError, match="busy"):
        await add({1: PapermeshError(Code.RATE_LIMIT, "It is busy.", retry_after_ms=1)}, subject(report))


async def test_nothing_is_kept_of_a_document_that_a_password_opens(
    readings: Readings, report: Path, subject: About
) -> None:
    about = subject(report, password="secret")  # noqa: S106 - a document's
    await add({1: BOXES}, about, readings)
    assert not readings._keeping


async def test_without_a_model_the_answer_says_what_to_do(
    asked: Any, report: Path, subject: About, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(layout_boxes, "runtime_version", lambda: "none")
    with pytest.raises(PapermeshError, match="pip install onnxruntime") as error:
        await lay_out(make_engine(asked), subject(report))
    assert (error.value.code, error.value.details["reason"]) == (Code.ENGINE_FAIL, "not_available")
    monkeypatch.undo()
    off = [Kind(), Kind(name=OCR, missing="None."), model_kind(settings(pdf_model_workers=0))]
    async with Pools(off, [*OPERATIONS, READ, LAYOUT_BOXES], tmp_path / "off") as pools:
        with pytest.raises(PapermeshError, match="PAPERMESH_PDF_MODEL_WORKERS is 0"):
            await lay_out(make_engine(pools), subject(report))
