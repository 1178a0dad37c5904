"""A page is read once: every view after that is made from what was kept."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.pdf.engine import Engine
from services.pdf.operations import OPERATIONS, READ, Operation
from services.pdf.processes.kinds import OCR, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.process import Answer
from services.pdf.processes.subject import Subject
from services.pdf.readings.readings import DocumentKey, Readings
from tests.services.pdf.support import METADATA, OUTLINE, TEXT, make_engine

Pdf = Callable[..., Path]
Stored = Callable[..., Awaitable[Subject]]


class Counting:
    """Pools whose text workers are asked under a count of each operation."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self.asked: list[tuple[str, Any]] = []
        self.result_bytes = 1 << 24

    def missing(self, _kind: str) -> str:
        return ""

    async def of(self, kind: str, deadline: float) -> Any:
        self._pool = await self._pools.of(kind, deadline)
        self.size = self._pool.size
        self.limits = replace(self._pool.limits, result_bytes=self.result_bytes)
        return self

    async def run(self, operation: str, arguments: dict[str, Any], *rest: Any, **how: Any) -> Answer:
        self.asked.append((operation, arguments.get("ranges")))
        answer: Answer = await self._pool.run(operation, arguments, *rest, **how)
        return answer


class Mesh:
    """An engine that keeps what it reads."""

    def __init__(self, engine: Engine, pools: Counting, readings: Readings, blobs: BlobStore) -> None:
        self._engine = engine
        self.pools = pools
        self.readings = readings
        self.blobs = blobs

    async def ask(self, operation: Operation, about: Subject, **arguments: Any) -> Any:
        request = {"text": pb.ExtractTextRequest, "metadata": pb.GetMetadataRequest, "outline": pb.GetOutlineRequest}
        asked = request[operation.name](**arguments)
        return orjson.loads((await self._engine.answer(operation, asked, about, 30)).json)

    def read(self) -> list[Any]:
        """Which pages were read since the last time."""
        asked, self.pools.asked = self.pools.asked, []
        return [ranges for operation, ranges in asked if operation == "read"]


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    async with (
        Readings(tmp_path / "readings", blobs, "engine", 1 << 30) as readings,
        Pools([Kind(size=2), Kind(name=OCR, missing="None.")], [*OPERATIONS, READ], tmp_path / "work") as pools,
    ):
        counting = Counting(pools)
        asked: Any = counting
        yield Mesh(make_engine(asked, readings), counting, readings, blobs)


@pytest.fixture
def stored(make_pdf: Pdf, subject: Callable[..., Subject], mesh: Mesh) -> Stored:
    async def make(*pages: str, **options: Any) -> Subject:
        path = make_pdf(*pages, **options)
        about = subject(path)
        await mesh.blobs.put(Namespace.UPLOADS, about.sha256, path)
        return about

    return make


Kept = Callable[..., Awaitable[dict[int, bytes]]]


@pytest.fixture
def kept(mesh: Mesh, until: Callable[[Callable[[], object]], Awaitable[None]]) -> Kept:
    """What is kept of pages of a document, once all of it is."""

    async def look(about: Subject, *pages: int) -> dict[int, bytes]:
        await until(lambda: not mesh.readings._keeping)
        return await mesh.readings.find(DocumentKey(about.namespace, about.sha256), pages, "plain", shared=False)

    return look


async def test_views_of_pages_that_were_read_read_none(mesh: Mesh, stored: Stored, kept: Kept) -> None:
    document = await stored("One.", "Two.", "Three.")
    first = await mesh.ask(TEXT, document, ocr="never")
    assert mesh.read() == [[]]
    await kept(document, 1, 2, 3)
    assert await mesh.ask(TEXT, document, ocr="never") == first
    assert (await mesh.ask(TEXT, document, pages="2", include_hidden=True))["items"] == first["items"][1:2]
    assert (await mesh.ask(METADATA, document))["sampled_pages"] == 3
    assert (await mesh.ask(OUTLINE, document))["derived"]
    assert mesh.read() == []


async def test_only_pages_that_were_not_read_are(mesh: Mesh, stored: Stored, kept: Kept) -> None:
    document = await stored(*"abcdefg")
    await mesh.ask(TEXT, document, pages="2-3,5")
    await kept(document, 2, 3, 5)
    assert mesh.read() == [[(2, 3), (5, 5)]]
    assert [item["text"] for item in (await mesh.ask(TEXT, document))["items"]] == [f"{each}\n" for each in "abcdefg"]
    assert mesh.read() == [[(1, 1), (4, 4), (6, 7)]]


async def test_a_page_that_the_document_lacks_is_refused_from_what_is_kept(
    mesh: Mesh, stored: Stored, kept: Kept
) -> None:
    document = await stored("One.")
    await mesh.ask(TEXT, document)
    await kept(document, 1)
    mesh.read()
    with pytest.raises(Exception, match="page 2 is not in the document, which has 1 pages"):
        await mesh.ask(TEXT, document, pages="2")
    assert mesh.read() == []


@pytest.mark.parametrize(
    "bad", [b"", b"{}", b"[2]", b"\xff", b'[2,1,1,0,[],[],[["a",0,0,[1,1]]],1,0,"",false,false,""]']
)
async def test_a_reading_that_is_none_is_read_again_and_replaced(
    mesh: Mesh, stored: Stored, kept: Kept, bad: bytes
) -> None:
    document = await stored("One.", "Two.")
    good = await mesh.ask(TEXT, document)
    before = await kept(document, 1, 2)
    key = DocumentKey(document.namespace, document.sha256)
    await mesh.readings.keep(key, "plain", {2: bad}, shared=False)
    mesh.read()
    assert await mesh.ask(TEXT, document) == good
    assert mesh.read() == [[(2, 2)]]
    assert await kept(document, 1, 2) == before


async def test_nothing_is_kept_of_a_document_that_a_password_opens(mesh: Mesh, stored: Stored) -> None:
    document = replace(await stored("One."), password="any")  # noqa: S106  # of a document that needs none
    for _ in range(2):
        assert [item["text"] for item in (await mesh.ask(TEXT, document))["items"]] == ["One.\n"]
        assert mesh.read() == [[]]
    assert mesh.readings._disk.documents() == []


async def test_an_answer_that_a_worker_ends_early_is_gone_on_with(mesh: Mesh, stored: Stored) -> None:
    document = await stored(*"abcd")
    mesh.pools.result_bytes = 400
    assert len((await mesh.ask(TEXT, document))["items"]) == 4
    assert mesh.read() == [[], [(2, 4)], [(3, 4)], [(4, 4)]]
