import asyncio
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2
from services.base.blobs import BlobStore, Namespace
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf.processes.limits import Limits
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.servicer import PdfServicer
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import METADATA, REAL, TEXT, Questions, idle_in, kept_in, waiting_in

MakePool = Callable[..., Any]
Pdf = Callable[..., Path]
About = Callable[..., Subject]
Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def make_engine(make_pool: MakePool) -> MakePool:
    """Makes pools as the service has them; use with `Questions(pool)`."""

    def make(**arguments: Any) -> Any:
        return make_pool(views=REAL, **arguments)

    return make


async def test_the_three_questions_are_answered(make_engine: MakePool, make_pdf: Pdf, subject: About) -> None:
    sample = subject(make_pdf("Some text."))
    async with make_engine() as pool:
        engine = Questions(pool)
        described = json_format.Parse(await engine.metadata(sample, 10), pdf_service_pb2.GetMetadataResponse())
        assert (described.pages, described.sha256) == (1, sample.sha256)
        outline = json_format.Parse(await engine.outline(sample, 10), pdf_service_pb2.GetOutlineResponse())
        assert outline.derived
        read = json_format.Parse(await engine.text(sample, "", 10), pdf_service_pb2.ExtractTextResponse())
        assert [(item.page, item.text) for item in read.items] == [(1, "Some text.\n")]
        assert read.pages == 1


async def test_a_large_document_read_by_several_workers_gives_the_same_bytes(
    make_engine: MakePool, make_pdf: Pdf, subject: About, tmp_path: Path, until: Until
) -> None:
    large = subject(make_pdf(*(f"This is page {number}." for number in range(1, 101))))
    (tmp_path / "one").mkdir()
    async with make_engine(size=1) as pool:
        alone = await Questions(pool).text(large, "1-95,97-100", 30)
    async with make_engine(size=3) as pool:
        together = await Questions(pool).text(large, "1-95,97-100", 30)
        assert kept_in(pool) == 3, "each has read a part"
        await until(lambda: idle_in(pool) == 3)
    assert alone == together
    result = orjson.loads(together)
    assert [item["page"] for item in result["items"]] == [*range(1, 96), *range(97, 101)]
    assert result["items"][41]["text"] == "This is page 42.\n"
    assert result["pages"] == 100
    assert list(result) == ["items", "pages", "failures", "hidden"]


async def test_a_large_document_that_was_let_in_is_read_however_many_wait(
    make_engine: MakePool, make_pdf: Pdf, subject: About
) -> None:
    large = subject(make_pdf(*["x"] * 40))
    async with make_engine(size=2, waiting=0) as pool:
        assert len(orjson.loads(await Questions(pool, in_part=10).text(large, "", 30))["items"]) == 40


async def test_failures_of_all_parts_are_named(make_engine: MakePool, corpus: Path, subject: About) -> None:
    scans = subject(corpus / "scan" / "cardinal.pdf")
    async with make_engine(size=2) as pool:
        result = orjson.loads(await Questions(pool, in_part=2).text(scans, "", 30))
    assert result["items"] == []
    assert [failure["page"] for failure in result["failures"]] == [1, 2, 3, 4]


async def test_an_expression_that_is_wrong_opens_nothing(make_engine: MakePool) -> None:
    async def place(_path: Path) -> None:
        pytest.fail("nothing is to be opened")

    async with make_engine() as pool:
        for pages in ("0", "9-3", "x"):
            with pytest.raises(PapermeshError) as error:
                await Questions(pool).text(Subject("x", place), pages, 10)
            assert error.value.code is Code.BAD_ARG
            assert error.value.violations[0].field == "pages"


async def test_a_page_beyond_the_end_is_a_bad_argument(make_engine: MakePool, make_pdf: Pdf, subject: About) -> None:
    async with make_engine() as pool:
        with pytest.raises(PapermeshError, match="has 1 pages") as error:
            await Questions(pool).text(subject(make_pdf("x")), "1-9999999", 10)
        assert error.value.violations[0].field == "pages"
        assert error.value.code is Code.BAD_ARG


async def test_more_than_150_pages_at_a_time_are_too_large(
    make_engine: MakePool, make_pdf: Pdf, subject: About
) -> None:
    book = subject(make_pdf(*["x"] * 151))
    async with make_engine(size=2) as pool:
        with pytest.raises(PapermeshError, match="fewer pages") as error:
            await Questions(pool).text(book, "", 30)
        assert error.value.code is Code.TOO_LARGE
        assert error.value.details["limit_pages"] == "150"
        assert len(orjson.loads(await Questions(pool).text(book, "1-150", 30))["items"]) == 150


async def test_a_result_over_the_limit_is_too_large_in_one_part_and_in_several(
    make_engine: MakePool, make_pdf: Pdf, subject: About, until: Until
) -> None:
    book = subject(make_pdf(*["A line of text that fills it up."] * 40))
    async with make_engine(size=2, result_bytes=2000) as pool:
        for pages in ("", "1-10"):
            assert len(orjson.loads(await Questions(pool, in_part=10).text(book, "1-10", 30))["items"]) == 10
            if not pages:
                with pytest.raises(PapermeshError, match=r"over the limit of \d+ bytes") as error:
                    await Questions(pool, in_part=10).text(book, pages, 30)
                assert error.value.code is Code.TOO_LARGE
        await until(lambda: idle_in(pool) == 2)


async def test_when_one_part_fails_the_others_stop(make_engine: MakePool, make_pdf: Pdf, subject: About) -> None:
    put = subject(make_pdf(*["x"] * 40))
    calls = 0

    async def fail_at_the_third(path: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:  # the first is kept for a part, another worker begins with a second, which never comes
            await asyncio.Event().wait()
        if calls == 3:
            raise PapermeshError(Code.NOT_FOUND, "The document is gone.")
        await put.place(path)

    async with make_engine(size=3) as pool:
        with pytest.raises(PapermeshError, match="NOT_FOUND"):
            async with asyncio.timeout(20):
                await Questions(pool, in_part=4).text(replace(put, place=fail_at_the_third), "", 30)
        assert waiting_in(pool) == 0
        assert (await Questions(pool).metadata(put, 30)).startswith(b'{"pages":40')


async def test_a_file_that_is_too_large_to_be_read_at_once_is_read_by_a_worker_all_the_same(
    make_engine: MakePool, make_pdf: Pdf, subject: About
) -> None:
    path = make_pdf("On the first page.", "On the second.")
    path.write_bytes(path.read_bytes() + b"%" + bytes(5 << 20))
    async with make_engine() as pool:
        assert b"On the second." in await Questions(pool).text(subject(path), "2", 30)
        assert orjson.loads(await Questions(pool).metadata(subject(path), 30))["size"] == path.stat().st_size


@pytest.mark.parametrize("folder", ["hostile", "mixed", "scan"])
async def test_every_sample_is_answered_or_refused_and_no_worker_dies(
    make_engine: MakePool, corpus: Path, subject: About, folder: str
) -> None:
    async def attempt(engine: Questions, path: Path) -> None:
        sample = subject(path)
        for question in (engine.metadata(sample, 60), engine.outline(sample, 60), engine.text(sample, "", 60)):
            try:
                orjson.loads(await question)
            except PapermeshError as error:
                assert error.code is Code.BAD_ARG, path.name  # noqa: PT017  # either is right
                assert error.details["reason"] in {"broken", "encrypted"}, path.name  # noqa: PT017  # likewise

    samples = sorted((corpus / folder).glob("*.pdf"))
    assert samples
    async with make_engine(size=2) as pool:
        await asyncio.gather(*(attempt(Questions(pool), path) for path in samples))
        assert pool.restarts.keys() <= {"worn"}, "those that have grown"


async def test_a_compression_bomb_harms_nobody(
    make_engine: MakePool, make_pdf: Pdf, write_objects: Pdf, subject: About
) -> None:
    # Compressed twice: a few kilobytes that become half a gigabyte, as a font that has to be in memory.
    font = _zeros(512).decode("latin-1")
    bomb = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        "<</Length 29>>stream\nBT /F 9 Tf 9 9 Td (Bomb) Tj ET\nendstream",
        "<</Type/Font/Subtype/TrueType/BaseFont/Bomb/FontDescriptor 6 0 R>>",
        "<</Type/FontDescriptor/FontName/Bomb/Flags 32/FontFile2 7 0 R>>",
        f"<</Length {len(font)}/Filter[/FlateDecode/FlateDecode]>>stream\n{font}\nendstream",
    )
    assert bomb.stat().st_size < 10_000
    async with make_engine(memory_bytes=128 << 20) as pool:
        try:
            await Questions(pool).text(subject(bomb), "", 30)
        except PapermeshError as error:
            assert error.code is Code.ENGINE_FAIL  # noqa: PT017  # with another font in its place it may be read
        assert b"Harmless" in await Questions(pool).text(subject(make_pdf("Harmless.")), "", 30)


def _zeros(mebibytes: int) -> bytes:
    inner = zlib.compressobj(1)
    parts = [inner.compress(bytes(1 << 20)) for _ in range(mebibytes)]
    return zlib.compress(b"".join([*parts, inner.flush()]), 9)


async def test_a_password_gets_from_the_reference_to_the_worker(
    make_engine: MakePool, make_pdf: Pdf, subject: About, tmp_path: Path
) -> None:
    word = "열쇠 7"
    locked = make_pdf("Secret.", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=word, owner_pw="owner")
    sha256 = subject(locked).sha256
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    await blobs.put(Namespace.UPLOADS, sha256, locked)
    request = pdf_service_pb2.ExtractTextRequest()
    request.doc_ref.type, request.doc_ref.sha256, request.doc_ref.password = "UPLOAD", sha256, word
    call = Call("/text", (Flow.of("reports", "").metadata,), "", 30.0, "")
    async with make_engine() as pool:
        answer = await PdfServicer([TEXT], Questions(pool), blobs).ExtractText(request, call)
        assert [item.text for item in answer.items] == ["Secret.\n"]
        request.doc_ref.password = word.upper() + "!"
        with pytest.raises(PapermeshError) as refused:
            await PdfServicer([TEXT], Questions(pool), blobs).ExtractText(request, call)
    assert (refused.value.code, refused.value.details) == (Code.BAD_ARG, {"reason": "wrong_password"})


async def test_the_encrypted_sample_says_so(make_engine: MakePool, corpus: Path, subject: About) -> None:
    async with make_engine() as pool:
        with pytest.raises(PapermeshError) as error:
            await Questions(pool).metadata(subject(corpus / "hostile" / "libreoffice-writer-password.pdf"), 30)
    assert error.value.code is Code.BAD_ARG
    assert error.value.details == {"reason": "encrypted"}


class TakenOver:
    """A pool whose workers say whatever a document that took one over would."""

    size = 2
    limits = Limits()

    def __init__(self, header: Any, payload: bytes = b"") -> None:
        self.asked = 0
        self._answer = Answer(header, payload)

    async def run(self, *_question: Any, **_how: Any) -> Answer:
        self.asked += 1
        return self._answer


@pytest.mark.parametrize("header", [{"pages": 3}, {"pages": 2**62}, {"found": []}, {"pages": 3, "found": []}])
async def test_pages_that_a_worker_invents_are_an_error(header: Any) -> None:
    pool: Any = TakenOver(header)
    with pytest.raises(PapermeshError) as failure:
        async with asyncio.timeout(5):
            await Questions(pool).text(Subject("0" * 64, _nowhere), "", 5)
    assert failure.value.code in {Code.ENGINE_FAIL, Code.TOO_LARGE}
    assert pool.asked == 1


@pytest.mark.parametrize("header", [{"needs": [[1, 2**62]], "seconds": 1.0}, {"needs": [[1, 1]]}, {"unfit": [1]}])
async def test_what_a_view_cannot_ask_for_is_an_engine_failure(header: Any) -> None:
    pool: Any = TakenOver(header)
    with pytest.raises(PapermeshError) as failure:
        async with asyncio.timeout(5):
            await Questions(pool).metadata(Subject("0" * 64, _nowhere), 5)
    assert failure.value.code is Code.ENGINE_FAIL


@pytest.mark.parametrize(
    ("payload", "asks"), [(b"\xff\xfe", (("x-result", "json"),)), (b"\xff\xfe", ()), (b'{"pages":', ())]
)
async def test_what_is_no_result_is_an_engine_failure(payload: bytes, asks: Any) -> None:
    blobs: Any = BlobStore  # nothing is placed
    pool: Any = TakenOver({}, payload)
    request = pdf_service_pb2.GetMetadataRequest()
    request.doc_ref.type, request.doc_ref.sha256 = "UPLOAD", "0" * 64
    call = Call("/metadata", (Flow.of("reports", "").metadata, *asks), "", 1.0, "")
    with pytest.raises(PapermeshError) as failure:
        await PdfServicer([METADATA], Questions(pool), blobs).GetMetadata(request, call)
    assert failure.value.code is Code.ENGINE_FAIL


async def _nowhere(_path: Path) -> None:
    raise AssertionError("nothing is asked that needs a document")
