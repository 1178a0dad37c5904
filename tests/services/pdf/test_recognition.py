"""Pages that must be recognised, from request to what is kept; `scanned.py` stands in for pictures and Tesseract."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf import reader
from services.pdf.engine import Engine, Result
from services.pdf.operations import READ, Operation, Pages, Step
from services.pdf.processes.kinds import OCR, Kind
from services.pdf.processes.limits import Limits
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.readings.readings import DocumentKey, Readings
from services.pdf.recognised_page import is_recognised_page
from services.pdf.recognition import Recognition
from tests.services.pdf.scanned import LIES
from tests.services.pdf.support import TEXT

pytestmark = pytest.mark.measures_time

Pdf = Callable[..., Path]
About = Callable[..., Subject]
Until = Callable[[Callable[[], object]], Awaitable[None]]

VIEWS = "tests.services.pdf.scanned"
ASKED = replace(TEXT, pages=Pages(in_part=2))
STEPS = (
    Step(name="read", view=f"{VIEWS}:read_pages", warm_up=READ.warm_up),
    Step(name="picture", view=f"{VIEWS}:picture", warm_up={"page": 1}),
    Step(name="recognise", view=f"{VIEWS}:recognise", content=True, warm_up={"languages": []}, kind=OCR),
)


class Caller:
    """The engine, and what a test asks it."""

    def __init__(self, pools: Pools, readings: Readings) -> None:
        self.pools = pools
        self.recognition = Recognition(pools, readings)
        self._engine = Engine(pools, self.recognition, reader.Reader(pools, self.recognition, readings))

    async def read(self, subject: Subject, timeout_s: float = 30, operation: Operation = ASKED, **asked: Any) -> Result:
        return await self._engine.answer(operation, pb.ExtractTextRequest(**asked), subject, timeout_s)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "blobs").as_uri())


@pytest.fixture
async def readings(tmp_path: Path, blobs: BlobStore) -> AsyncIterator[Readings]:
    async with Readings(tmp_path / "readings", blobs, "engine", 1 << 30) as readings:
        yield readings


@pytest.fixture
def stored(make_pdf: Pdf, subject: About, blobs: BlobStore) -> Callable[..., Awaitable[Subject]]:
    """Makes a document that is in the blob store, since nothing is kept of others."""

    async def make(*pages: str) -> Subject:
        path = make_pdf(*pages)
        about = subject(path)
        await blobs.put(Namespace.UPLOADS, about.sha256, path)
        return about

    return make


@pytest.fixture
def reading(tmp_path: Path, readings: Readings) -> Callable[..., Any]:
    """Starts the engine with workers of both kinds."""

    @asynccontextmanager
    async def start(*, ocr: int = 2, missing: str = "", kept: int = 4) -> AsyncIterator[Caller]:
        kinds = [Kind(size=2, limits=Limits(kept=kept)), Kind(name=OCR, size=ocr, on_first_use=True, missing=missing)]
        async with Pools(kinds, [ASKED, *STEPS], tmp_path / "work") as pools:
            caller = Caller(pools, readings)
            try:
                yield caller
            finally:
                await caller.recognition.aclose()

    return start


def texts(result: Result) -> dict[int, str]:
    return {item["page"]: item["text"].strip() for item in orjson.loads(result.json)["items"]}


def failures(result: Result) -> dict[int, str]:
    return {failure["page"]: failure["reason"] for failure in orjson.loads(result.json)["failures"]}


async def test_recognised_pages_stand_among_the_others_in_the_order_of_the_document(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About
) -> None:
    mixed = subject(make_pdf("scan 0.2 first", "Second.", "scan 0 third", "scan 0.1 fourth", "Fifth."))
    async with reading() as reader:
        result = await reader.read(mixed)
    assert list(texts(result).items()) == [
        (1, "first in kor+eng"),
        (2, "Second."),
        (3, "third in kor+eng"),
        (4, "fourth in kor+eng"),
        (5, "Fifth."),
    ]
    assert not result.is_partial


async def test_what_was_recognised_is_kept_by_its_languages(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]]
) -> None:
    scan = await stored("scan 1 words")
    async with reading() as reader:
        assert texts(await reader.read(scan)) == {1: "words in kor+eng"}
        assert texts(await reader.read(scan, 0.9)) == {1: "words in kor+eng"}
        assert failures(await reader.read(scan, 0.9, languages=["eng"])) == {1: "OCR_PENDING"}


async def test_at_the_deadline_the_rest_is_pending_and_the_same_call_again_goes_on(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]]
) -> None:
    scans = await stored("scan 0 quick", "Text.", "scan 2 slow", "scan 0 last")
    async with reading(ocr=1) as reader:
        await reader.read(scans, pages="1")  # starts the worker
        first = await reader.read(scans, 1.5)
        assert (texts(first), failures(first)) == (
            {1: "quick in kor+eng", 2: "Text."},
            {3: "OCR_PENDING", 4: "OCR_PENDING"},
        )
        assert first.is_partial
        second = await reader.read(scans, 10)
        assert texts(second)[3] == "slow in kor+eng", "in less than it takes from the beginning"
        assert not second.is_partial


async def test_a_view_of_all_pages_at_once_is_not_made_before_all_are_recognised(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]]
) -> None:
    at_once = replace(ASKED, pages=Pages(in_part=2, all_at_once=True))
    scans = await stored("scan 0 quick", "Text.", "scan 2 slow", "scan 0 last")
    async with reading(ocr=1) as reader:
        await reader.read(scans, pages="1")  # starts the worker
        with pytest.raises(PapermeshError, match=r"2 of the pages .* page 3 the first") as caught:
            await reader.read(scans, 1.5, at_once)
        assert (caught.value.code, caught.value.details) == (Code.TOO_LARGE, {"reason": "ocr_pending"})
        assert len(texts(await reader.read(scans, 10, at_once))) == 4


async def test_a_page_that_waits_for_a_worker_is_not_begun_after_its_callers_have_left(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]], make_pdf: Pdf, subject: About, until: Until
) -> None:
    scans = await stored("scan 2 slow", "scan 30 never")
    async with reading(ocr=1) as reader:
        await reader.read(subject(make_pdf("scan 0 x", name="first.pdf")))  # starts the worker
        assert (await reader.read(scans, 1)).is_partial
        await until(lambda: not reader.recognition._under_way)
        assert texts(await reader.read(scans, 5, pages="1")) == {1: "slow in kor+eng"}


async def test_a_caller_who_hangs_up_stops_the_work(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About, until: Until
) -> None:
    async with reading(ocr=1) as reader:
        call = asyncio.create_task(reader.read(subject(make_pdf("scan 60 long")), 90))
        await until(lambda: any(each.begun for each in reader.recognition._under_way.values()))
        call.cancel()
        await until(lambda: not reader.recognition._under_way)
        assert texts(await reader.read(subject(make_pdf("scan 0 next", name="next.pdf")), 10)) == {1: "next in kor+eng"}


async def test_two_who_ask_for_one_page_have_it_recognised_once_and_the_second_keeps_it_when_the_first_leaves(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About, until: Until
) -> None:
    path = make_pdf("scan 2 shared")
    async with reading(ocr=1) as reader:
        first = asyncio.create_task(reader.read(subject(path, flow=Flow("reports", "ada"))))
        await until(lambda: any(each.begun for each in reader.recognition._under_way.values()))
        second = asyncio.create_task(reader.read(subject(path, flow=Flow("reports", "bob"))))
        await until(lambda: [each.waiting for each in reader.recognition._under_way.values()] == [2])
        first.cancel()
        assert texts(await second) == {1: "shared in kor+eng"}


async def test_a_page_that_crashes_a_worker_fails_alone(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About
) -> None:
    scans = subject(make_pdf("scan crash x", "scan 0 well", "scan broken x", "scan huge x"))
    async with reading() as reader:
        result = await reader.read(scans)
    assert texts(result) == {2: "well in kor+eng"}
    assert failures(result) == {1: "OCR_FAILED", 3: "BROKEN", 4: "TOO_LARGE"}
    assert result.is_partial, "a crash may not come again"


async def test_a_worker_that_a_picture_has_taken_over_costs_its_page_alone_and_nothing_of_what_it_says_is_kept(
    reading: Callable[..., Any],
    stored: Callable[..., Awaitable[Subject]],
    readings: Readings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lies = [f"scan lie {words}" for words in LIES]
    scans = await stored("scan 0 well", *lies)
    lying = list(range(2, 2 + len(lies)))
    async with reading(ocr=1) as reader:
        for _ in range(2):
            result = await reader.read(scans)
            assert texts(result) == {1: "well in kor+eng"}
            assert failures(result) == dict.fromkeys(lying, "OCR_FAILED")
        restarts = (await reader.pools.of(OCR, asyncio.get_running_loop().time())).restarts
    assert restarts == {"crash": 2 * len(lies)}, "none of them is asked again"
    assert "a worker failed on a document: operation recognise, reason crash" in caplog.text
    kept = await readings.find(DocumentKey(scans.namespace, scans.sha256), [1, *lying], "ocr-page-kor+eng")
    assert list(kept) == [1]


async def test_a_kept_page_that_is_none_counts_as_not_kept_and_is_recognised_again(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]], readings: Readings
) -> None:
    kind = "ocr-page-kor+eng"
    async with reading() as reader:
        for name, lie in LIES.items():
            scan = await stored(f"scan 0 {name}")
            document = DocumentKey(scan.namespace, scan.sha256)
            await readings.keep(document, kind, {1: lie}, shared=True)
            assert texts(await reader.read(scan)) == {1: f"{name} in kor+eng"}
            assert is_recognised_page((await readings.find(document, [1], kind))[1])


async def test_without_tesseract_scans_are_named_and_whoever_insists_is_told_what_to_install(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About
) -> None:
    scans = subject(make_pdf("Text.", "scan 0 words"))
    async with reading(missing="Install tesseract-ocr.") as reader:
        result = await reader.read(scans)
        assert (texts(result), failures(result)) == ({1: "Text."}, {2: "SCAN"})
        assert not result.is_partial
        with pytest.raises(PapermeshError, match=r"Install tesseract-ocr\.") as error:
            await reader.read(scans, ocr="force")
        assert (error.value.code, error.value.violations[0].field) == (Code.BAD_ARG, "ocr")


async def test_a_document_that_is_gone_is_no_failure_of_a_page(
    reading: Callable[..., Any], make_pdf: Pdf, subject: About
) -> None:
    scan = subject(make_pdf("scan 0 x"))
    places = iter([scan.place])

    async def once(path: Path) -> None:
        place = next(places, None)
        if place is None:
            raise PapermeshError(Code.NOT_FOUND, "The document is gone.")
        await place(path)

    async with reading(kept=0) as reader:
        with pytest.raises(PapermeshError, match="gone"):
            await reader.read(replace(scan, place=once))


async def test_nothing_is_kept_of_a_document_that_a_password_opened(
    reading: Callable[..., Any], stored: Callable[..., Awaitable[Subject]], readings: Readings
) -> None:
    scan = await stored("scan 0 words")
    async with reading() as reader:
        assert texts(await reader.read(replace(scan, password="open"))) == {1: "words in kor+eng"}  # noqa: S106
        document = DocumentKey(scan.namespace, scan.sha256)
        assert await readings.find(document, [1], "ocr-page-kor+eng") == {}
        await reader.read(scan)
        assert await readings.find(document, [1], "ocr-page-kor+eng") != {}
