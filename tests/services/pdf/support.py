"""What the tests of the document engine have in common: views, questions, and a look into pools."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import orjson
from google.protobuf import json_format

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore
from services.pdf.engine import Engine, Result
from services.pdf.operations import OPERATIONS, READ, Operation, Pages
from services.pdf.processes.kinds import View
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Reader
from services.pdf.readings.readings import Readings
from services.pdf.recognition import Recognition
from services.pdf.worker.documents import Document, open_document
from tests.services.pdf import probes
from tests.services.pdf.viewing import metadata_of

METADATA, OUTLINE, TEXT, *_ = OPERATIONS

REAL = {each.name: each.for_workers() for each in (*OPERATIONS, READ)}
"""What the service's workers know."""

PROBES = {name: View(f"{probes.__name__}:{name}", warm_up={"warm_up": True}) for name in probes.NAMES}

VIEWS = {**REAL, **PROBES}


def no_readings() -> Readings:
    """Keeps nothing."""
    return Readings(Path("/nowhere"), BlobStore("file:///nowhere"), "", 0)


def make_engine(pools: Pools, readings: Readings | None = None) -> Engine:
    """The engine of the service; without `readings`, none is kept."""
    kept = readings or no_readings()
    recognition = Recognition(pools, kept)
    return Engine(pools, recognition, Reader(pools, recognition, kept))


class Questions:
    """The service's three operations on one pool."""

    def __init__(self, pool: Any, **pages: int) -> None:
        """`pages` are other numbers than those of PDF_TEXT's declaration."""
        self._pool = pool
        self._text = replace(TEXT, pages=Pages(**pages))
        pools = cast("Pools", self)  # it has what the engine needs of them
        self._engine = make_engine(pools)

    def missing(self, _kind: str) -> str:
        """Recognition: there is one pool, of text workers."""
        return "Nothing is recognised here."

    async def of(self, _kind: str, _deadline: float) -> Any:
        """The pool."""
        return self._pool

    async def metadata(self, subject: Subject, timeout_s: float) -> bytes:
        return (await self.answer(METADATA, pb.GetMetadataRequest(), subject, timeout_s)).json

    async def outline(self, subject: Subject, timeout_s: float) -> bytes:
        return (await self.answer(OUTLINE, pb.GetOutlineRequest(), subject, timeout_s)).json

    async def text(self, subject: Subject, pages: str, timeout_s: float) -> bytes:
        return (await self.answer(self._text, pb.ExtractTextRequest(pages=pages), subject, timeout_s)).json

    async def answer(self, operation: Operation, request: Any, subject: Subject, timeout_s: float) -> Result:
        """As the engine has it."""
        return await self._engine.answer(operation, request, subject, timeout_s)


def open_path(path: Path, password: str = "") -> Document:
    """A document as a worker opens it, by a descriptor."""
    with path.open("rb") as file:
        return open_document(file.fileno(), password)


def describe(path: Path) -> dict[str, Any]:
    """What PDF_METADATA says of a document; its text must be that of the response."""
    text = metadata_of(open_path(path))
    json_format.Parse(text, pb.GetMetadataResponse())
    described: dict[str, Any] = orjson.loads(text)
    return described


def idle_in(pool: WorkerPool) -> int:
    """Requests that could begin at once: nobody is in their place, and a worker that is new is there for them."""
    return min(pool._places.free, len(pool._supervisor.spares))


def kept_in(pool: WorkerPool) -> int:
    """Workers that wait for the next question about their document."""
    return len(pool._supervisor.kept)


def waiting_in(pool: WorkerPool) -> int:
    """Requests that wait for a place."""
    return pool._places.waiting
