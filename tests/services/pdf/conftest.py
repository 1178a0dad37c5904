import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.base.flow import NOBODY, Flow
from services.pdf.processes.kinds import Kind, View
from services.pdf.processes.limits import Limits
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Place, Subject
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import VIEWS

MakePdf = Callable[..., Path]
MakePool = Callable[..., AbstractAsyncContextManager[WorkerPool]]


@pytest.fixture
def make_pdf(tmp_path: Path) -> MakePdf:
    """Writes a PDF with a page for each text, and returns its path."""

    def make(*texts: str, name: str = "sample.pdf", font: str = "helv", **save: Any) -> Path:
        path = tmp_path / name
        with pymupdf.open() as document:
            for text in texts:
                document.new_page().insert_text((72, 72), text, fontname=font)
            document.save(path, **save)
        return path

    return make


@pytest.fixture
def write_objects(tmp_path: Path) -> MakePdf:
    """Writes a PDF out of its objects, numbered from 1; the first is the catalogue."""

    def write(*objects: str, trailer: str = "") -> Path:
        parts = [b"%PDF-1.7\n"]
        parts += (b"%d 0 obj\n%b\nendobj\n" % (n, item.encode("latin-1")) for n, item in enumerate(objects, start=1))
        *offsets, start = itertools.accumulate(map(len, parts))
        table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        content = b"".join(parts)
        content += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
        content += b"trailer<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
            len(objects) + 1,
            trailer.encode("latin-1"),
            start,
        )
        path = tmp_path / "objects.pdf"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def place() -> Callable[[Path], Place]:
    """Makes the function that puts a document into a worker's folder."""

    def make(source: Path) -> Place:
        async def put(path: Path) -> None:
            shutil.copyfile(source, path)

        return put

    return make


@pytest.fixture
def subject(place: Callable[[Path], Place]) -> Callable[..., Subject]:
    """Makes what a call asks about: a document, by default under the digest of its bytes."""

    def make(source: Path, *, flow: Flow = NOBODY, request_id: str = "", password: str = "") -> Subject:
        return Subject(sha256(source.read_bytes()).hexdigest(), place(source), flow, request_id, password=password)

    return make


@pytest.fixture
def make_pool(tmp_path: Path) -> MakePool:
    """Makes pools of real processes that know the probes besides, and other `views` where they are given."""

    @asynccontextmanager
    async def make(
        size: int = 1, views: Mapping[str, View] = VIEWS, *, without_landlock: bool = False, **limits: Any
    ) -> AsyncIterator[WorkerPool]:
        kind = Kind(size=size, limits=Limits(**limits), without_landlock=without_landlock)
        async with WorkerPool(kind, views, tmp_path / "work") as pool:
            yield pool

    return make


@pytest.fixture
def ask(make_pdf: MakePdf, subject: Callable[..., Subject]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Runs one operation on a small document, or on another, and returns its payload, parsed."""
    sample = make_pdf("A sample.", name="asked.pdf")

    async def run(
        pool: WorkerPool,
        operation: str,
        *,
        seconds: float = 30,
        flow: Flow = NOBODY,
        source: Path = sample,
        request_id: str = "",
        password: str = "",
        **arguments: Any,
    ) -> Any:
        deadline = asyncio.get_running_loop().time() + seconds
        asked = subject(source, flow=flow, request_id=request_id, password=password)
        answer = await pool.run(operation, arguments, asked, deadline)
        return orjson.loads(answer.payload)

    return run


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Waits for a condition, which must come true."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110  # what happens in other processes sets no event here
                await asyncio.sleep(0.005)

    return wait
