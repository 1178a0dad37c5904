"""What a first reading costs the service, with one worker and with two: `python -m benchmarks.reading_workers --help`.

The engine of the pdf service runs in this process, with its workers, without the mesh around it. A bare loop of PyMuPDF
over what a reading needs runs here by turns with it, in one process, so that a busy minute falls on all. CPU is that of
the service and its workers together. The second core is of use only where nothing else is running.
"""

import argparse
import asyncio
import hashlib
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.options import SHARED
from benchmarks.processes import cpu
from benchmarks.tables import table
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.flow import Flow
from services.pdf.engine import Engine
from services.pdf.operations import OPERATIONS, STEPS
from services.pdf.processes.kinds import TEXT, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Reader
from services.pdf.readings.readings import Readings
from services.pdf.recognition import Recognition
from services.pdf.worker.mupdf import pymupdf

_DOCUMENTS = (
    "text/geotopo.pdf",
    "diff/opencore/configuration-c736e498.pdf",
    "diff/riscv/riscv-privileged-v1.9.1.pdf",
)
_FOR_TEXT = [each for each in (*OPERATIONS, *STEPS) if each.kind == TEXT]
_TEXT = next(each for each in OPERATIONS if each.name == "text")
_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE


class _Spent(NamedTuple):
    cpu_s: float
    wall_s: float


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 for a document that is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_workers", description=__doc__)
    default = [SHARED / "corpus" / name for name in _DOCUMENTS]
    parser.add_argument("documents", nargs="*", type=Path, default=default, help="PDFs of up to 150 pages")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is read in each way (default 5)")
    chosen = parser.parse_args()
    if missing := [path for path in chosen.documents if not path.exists()]:
        print(f"There is no {missing[0]}. Name other documents.", file=sys.stderr)
        return 2
    rows = asyncio.run(_measure(chosen.documents, chosen.rounds))
    print(table(["document", *_HEADER], rows))
    return 0


_HEADER = ("CPU ÷ bare, 1 worker", "CPU, 2 workers", "wall, 1 worker", "wall, 2 workers", "CPU ÷ bare text, 1 worker")


async def _measure(paths: list[Path], rounds: int) -> list[list[str]]:
    async with _running(1) as one, _running(2) as two:
        rows = []
        for path in paths:
            spent: dict[str, list[_Spent]] = {}
            for number in range(rounds + 1):
                ways = {"one": partial(one.read, path, number), "two": partial(two.read, path, number)}
                for name, way in ways.items():
                    spent.setdefault(name, []).append(await way())
                for name, loop in {"bare": _needed, "text": _text}.items():
                    spent.setdefault(name, []).append(_timed(loop, path))
            rows.append([path.name, *_ratios({name: each[1:] for name, each in spent.items()})])
        return rows


def _ratios(spent: dict[str, list[_Spent]]) -> list[str]:
    def ratio(name: str, other: str, field: int) -> str:
        pairs = zip(spent[name], spent[other], strict=True)
        return f"{median(mine[field] / others[field] for mine, others in pairs):.2f}"

    cpu_and_wall = [ratio(name, "bare", field) for field in (0, 1) for name in ("one", "two")]
    return [*cpu_and_wall, ratio("one", "text", 0)]


def _needed(path: Path) -> None:
    with pymupdf.open(path) as document:
        for page in document:
            page.get_text("rawdict", flags=_FLAGS)
            page.get_texttrace()
            page.get_cdrawings()


def _text(path: Path) -> None:
    with pymupdf.open(path) as document:
        for page in document:
            page.get_text("text", flags=_FLAGS)


def _timed(loop: Callable[[Path], None], path: Path) -> _Spent:
    cpu_s, wall_s = time.process_time(), time.monotonic()
    loop(path)
    return _Spent(time.process_time() - cpu_s, time.monotonic() - wall_s)


class _Service:
    """The engine, and documents in its store."""

    def __init__(self, engine: Engine, blobs: BlobStore, folder: Path) -> None:
        self._engine = engine
        self._blobs = blobs
        self._folder = folder

    async def read(self, path: Path, number: int) -> _Spent:
        """PDF_TEXT of a document that was not read before: as the other, but for a comment at its end."""
        other = self._folder / path.name
        content = await asyncio.to_thread(path.read_bytes) + b"\n%% %d\n" % number
        other.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        await self._blobs.put(Namespace.UPLOADS, digest, other)
        subject = Subject(digest, partial(self._blobs.place, Namespace.UPLOADS, digest), Flow.of("bench", "bench"))
        used, begun = cpu(os.getpid()), time.monotonic()
        await self._engine.answer(_TEXT, pb.ExtractTextRequest(ocr="never"), subject, 60)
        wall_s, now = time.monotonic() - begun, cpu(os.getpid())
        return _Spent(now.own + now.children - used.own - used.children, wall_s)


@asynccontextmanager
async def _running(workers: int) -> AsyncIterator[_Service]:
    with TemporaryDirectory(prefix="engine-") as folder:
        root = Path(folder)
        blobs = BlobStore((root / "blobs").as_uri())
        async with (
            Readings(root / "readings", blobs, "bench", 1 << 30) as readings,
            Pools([Kind(size=workers)], _FOR_TEXT, root / "work") as pools,
            aclosing(Recognition(pools, readings)) as recognition,
        ):
            yield _Service(Engine(pools, recognition, Reader(pools, recognition, readings)), blobs, root)


if __name__ == "__main__":
    sys.exit(main())
