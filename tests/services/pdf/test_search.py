"""PDF_SEARCH by real workers: what the service reads for it, and what stays unread."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format

from papermesh.pdf.v1 import search_pb2 as pb
from services.base.blobs import BlobStore
from services.base.errors import Code, PapermeshError
from services.pdf import engine as engine_module
from services.pdf.engine import Engine, Result
from services.pdf.operations import OPERATIONS, READ
from services.pdf.processes.kinds import OCR, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Read
from services.pdf.readings.readings import Readings
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import make_engine

SEARCH = next(each for each in OPERATIONS if each.name == "search")


@pytest.fixture
async def readings(tmp_path: Path) -> AsyncIterator[Readings]:
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    async with Readings(tmp_path / "readings", blobs, "engine", 1 << 30) as readings:
        yield readings


@pytest.fixture
async def engine(tmp_path: Path, readings: Readings) -> AsyncIterator[Engine]:
    kinds = [Kind(size=2), Kind(name=OCR, missing="Tesseract is not installed.")]
    async with Pools(kinds, [*OPERATIONS, READ], tmp_path / "work") as pools:
        yield make_engine(pools, readings)


async def search(engine: Engine, about: Subject, query: str, **how: Any) -> tuple[Any, Result]:
    result = await engine.answer(SEARCH, pb.SearchRequest(query=query, **how), about, 30)
    json_format.Parse(result.json, pb.SearchResponse())
    return orjson.loads(result.json), result


async def test_a_confined_worker_finds_words_and_expressions(
    engine: Engine, make_pdf: Callable[..., Path], subject: Callable[..., Subject]
) -> None:
    about = subject(make_pdf("The committee decides.", "Nobody else does so."))
    for query, mode in (("NOBODY  else", ""), ("Nobody else", "text"), (r"No\w+ e[a-l]se", "regex")):
        answer, result = await search(engine, about, query, mode=mode)
        assert [(hit["page"], hit["text"], hit["after"]) for hit in answer["hits"]] == [(2, "Nobody else", " does so.")]
        assert (answer["total"], answer["pages"], answer["failures"], result.is_partial) == (1, 2, [], False)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"query": "(a", "mode": "regex"}, "query"),
        ({"query": r"\p{L}{900}", "mode": "regex"}, "query"),
        ({"query": "\x00"}, "query"),
        ({"query": "a", "pages": "3"}, "pages"),
    ],
)
async def test_what_cannot_be_asked_is_a_bad_argument_of_the_caller(
    engine: Engine, make_pdf: Callable[..., Path], subject: Callable[..., Subject], asked: dict[str, str], field: str
) -> None:
    with pytest.raises(PapermeshError) as refusal:
        await search(engine, subject(make_pdf("One.")), **asked)
    assert refusal.value.code is Code.BAD_ARG
    assert [each.field for each in refusal.value.violations] == [field]


async def test_pages_that_time_left_unread_are_named_and_the_next_call_reads_them(
    engine: Engine,
    make_pdf: Callable[..., Path],
    subject: Callable[..., Subject],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = subject(make_pdf("One hit.", "Two hit."))
    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "_MOST_OF_TIME", 0.0)
        answer, result = await search(engine, about, "hit")
    assert [(each["page"], each["reason"]) for each in answer["failures"]] == [(1, "PENDING"), (2, "PENDING")]
    assert (answer["total"], result.is_partial) == (0, True)
    answer, result = await search(engine, about, "hit")
    assert (answer["total"], answer["failures"], result.is_partial) == (2, [], False)


async def test_a_scan_that_nobody_can_read_is_named(
    engine: Engine, tmp_path: Path, subject: Callable[..., Subject]
) -> None:
    path = tmp_path / "scan.pdf"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "A page of text.")
        picture = document[0].get_pixmap(dpi=72)
        document.new_page().insert_image((0, 0, 595, 842), pixmap=picture)
        document.save(path)
    answer, _ = await search(engine, subject(path), "page of text")
    assert [hit["page"] for hit in answer["hits"]] == [1]
    (failure,) = answer["failures"]
    assert (failure["page"], failure["reason"]) == (2, "SCAN")
    assert failure["message"].endswith("Tesseract is not installed.")


def test_pages_that_are_too_much_for_a_worker_are_left_out_or_refused() -> None:
    found = {page: bytes(40) for page in range(1, 5)}
    read = Read(4, [1, 2, 3, 4], dict(found))
    read.bound(100, is_whole=False)
    assert sorted(read.found) == [1, 2]
    assert [(page, failure["reason"]) for page, failure in read.failures.items()] == [
        (3, "TOO_LARGE"),
        (4, "TOO_LARGE"),
    ]
    with pytest.raises(PapermeshError) as refusal:
        Read(4, [1, 2, 3, 4], dict(found)).bound(100, is_whole=True)
    assert refusal.value.code is Code.TOO_LARGE


async def test_a_page_of_two_hundred_thousand_words_is_searched(
    engine: Engine, tmp_path: Path, subject: Callable[..., Subject]
) -> None:
    path = tmp_path / "words.pdf"
    with pymupdf.open() as document:
        sheet = document.new_page()
        words = [b"%03d" % (number % 997) for number in range(200_000)]
        lines = b"".join(b"(%b) Tj T* " % b" ".join(words[at : at + 100]) for at in range(0, len(words), 100))
        sheet.insert_text((10, 10), "x")
        document.update_stream(sheet.get_contents()[0], b"q BT /helv 2 Tf 0.4 TL 10 830 Td " + lines + b"ET Q")
        document.save(path)
    answer, _ = await search(engine, subject(path), "000 001")
    assert answer["failures"] == []
    assert answer["total"] == 201
