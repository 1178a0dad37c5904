"""What documents of all kinds do to the engine: `python -m benchmarks.reading_engine --help`.

The pdf service's engine runs in this process, with its workers, without the mesh around it. All documents go through
every action, and PDF_TEXT once more with OCR forced; what is no answer and no typed error is counted. Then a number of
documents is read one after another, and the memory of the service at the end is compared with that after the first
hundred. At last, callers who read text are timed by themselves, and beside as many callers whose pages are recognised.
"""

import argparse
import asyncio
import hashlib
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.options import SHARED
from benchmarks.processes import own_rss
from benchmarks.tables import table
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf.engine import Engine
from services.pdf.ocr_kind import ocr_kind
from services.pdf.operations import OPERATIONS, STEPS
from services.pdf.processes.kinds import Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from services.pdf.reader import Reader
from services.pdf.readings.readings import Readings
from services.pdf.recognition import Recognition
from services.pdf.settings import PdfSettings

_TIMEOUT_S = 20.0
_CALLERS = 8
_METADATA, _OUTLINE, _TEXT, *_ = OPERATIONS
_QUESTIONS = (
    (_METADATA, pb.GetMetadataRequest()),
    (_OUTLINE, pb.GetOutlineRequest()),
    (_TEXT, pb.ExtractTextRequest(include_hidden=True)),
    (_TEXT, pb.ExtractTextRequest(ocr="force", pages="1")),
)
_SINCE = 100
"""Documents after which the memory is taken as the beginning."""


class _Bench:
    """The engine, and documents in its store."""

    def __init__(self, engine: Engine, blobs: BlobStore) -> None:
        self.engine = engine
        self._blobs = blobs
        self.outcomes: Counter[str] = Counter()
        self.untyped: list[str] = []

    async def put(self, path: Path, caller: str = "bench") -> Subject:
        """A document as a call has it."""
        digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
        await self._blobs.put(Namespace.UPLOADS, digest, path)
        return Subject(digest, partial(self._blobs.place, Namespace.UPLOADS, digest), Flow.of(caller, caller))

    async def ask(self, subject: Subject, operation: Any, request: Any, name: str) -> None:
        """Asks, and counts how it ended."""
        try:
            result = await self.engine.answer(operation, request, subject, _TIMEOUT_S)
            self.outcomes["partial" if result.is_partial else "answered"] += 1
        except PapermeshError as error:
            self.outcomes[error.code.value] += 1
            if error.code in (Code.INTERNAL, Code.UNAVAILABLE):
                self.untyped.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001  # that there is none is what is measured
            self.untyped.append(f"{name}: {error!r}")


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 1 if anything was neither answered nor refused."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_engine", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="folders of PDFs (default: the corpus)")
    parser.add_argument("--documents", type=int, default=1000, help="documents in a row (default 1000)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each kind of callers (default 30)")
    chosen = parser.parse_args()
    folders = chosen.folders or [SHARED / "corpus" / name for name in ("hostile", "cases", "mixed", "scan")]
    paths = sorted(path for folder in folders for path in folder.glob("*.pdf"))
    if not paths:
        print("There is no PDF in these folders.", file=sys.stderr)
        return 2
    rows, untyped = asyncio.run(_measure(paths, chosen.documents, chosen.seconds))
    print(table(["what", "figure", ""], rows))
    for line in untyped:
        print(f"untyped: {line}")
    return 1 if untyped else 0


async def _measure(paths: Sequence[Path], documents: int, seconds: float) -> tuple[list[list[str]], list[str]]:
    async with _running() as bench:
        rows = [*await _all_actions(bench, paths), *await _in_a_row(bench, paths, documents)]
        rows += await _beside_recognition(bench, paths, seconds)
    return rows, bench.untyped


@asynccontextmanager
async def _running() -> AsyncIterator[_Bench]:
    with TemporaryDirectory(prefix="engine-") as folder:
        root = Path(folder)
        settings = PdfSettings.model_construct(
            **{name: field.get_default(call_default_factory=True) for name, field in PdfSettings.model_fields.items()}
        )
        ocr, _ = ocr_kind(settings)
        if ocr.missing:
            print(f"Without recognition: {ocr.missing}", file=sys.stderr)
        blobs = BlobStore((root / "blobs").as_uri())
        async with (
            Readings(root / "readings", blobs, "bench", 1 << 30) as readings,
            Pools([Kind(size=settings.pdf_workers), ocr], [*OPERATIONS, *STEPS], root / "work") as pools,
            aclosing(Recognition(pools, readings)) as recognition,
        ):
            yield _Bench(Engine(pools, recognition, Reader(pools, recognition, readings)), blobs)


async def _all_actions(bench: _Bench, paths: Sequence[Path]) -> list[list[str]]:
    peak = 0.0
    for path in paths:
        subject = await bench.put(path)
        for operation, request in _QUESTIONS:
            await bench.ask(subject, operation, request, f"{path.name}, {operation.name}")
        peak = max(peak, own_rss())
    said = ", ".join(f"{count} {name}" for name, count in bench.outcomes.most_common())
    return [
        [f"{len(paths)} documents through every action", f"{len(bench.untyped)} untyped", said],
        ["the service's memory at its most", f"{peak:.0f} MiB", ""],
    ]


async def _in_a_row(bench: _Bench, paths: Sequence[Path], documents: int) -> list[list[str]]:
    first = 0.0
    for number in range(documents):
        path = paths[number % len(paths)]
        await bench.ask(await bench.put(path), _TEXT, pb.ExtractTextRequest(ocr="never"), path.name)
        if number == min(_SINCE, documents - 1):
            first = own_rss()
    last = own_rss()
    figure = f"{(last / first - 1) * 100:+.1f} %"
    return [[f"memory after {documents} documents", figure, f"{first:.0f} to {last:.0f} MiB"]]


async def _beside_recognition(bench: _Bench, paths: Sequence[Path], seconds: float) -> list[list[str]]:
    """Callers who read a page of text, by themselves and beside those whose pages are recognised again and again."""
    text, scan = (next(path for path in paths if path.name == name) for name in ("pdflatex-outline.pdf", "linn.pdf"))
    quiet = await _text_callers(bench, text, seconds)
    ends = time.monotonic() + seconds
    recognising = [asyncio.create_task(_recognise(bench, scan, number, ends)) for number in range(_CALLERS)]
    busy = await _text_callers(bench, text, seconds)
    await asyncio.gather(*recognising)
    before, after = (quantiles(times, n=20)[-1] * 1000 for times in (quiet, busy))
    said = f"{before:.1f} to {after:.1f} ms"
    return [
        [f"p95 of {_CALLERS} text callers beside {_CALLERS} whose pages are recognised", f"{after / before:.2f}", said]
    ]


async def _text_callers(bench: _Bench, path: Path, seconds: float) -> list[float]:
    ends = time.monotonic() + seconds
    times: list[float] = []

    async def call(number: int) -> None:
        subject = await bench.put(path, f"text-{number}")
        while time.monotonic() < ends:
            begun = time.monotonic()
            await bench.ask(subject, _TEXT, pb.ExtractTextRequest(pages="1"), path.name)
            times.append(time.monotonic() - begun)
            await asyncio.sleep(0.2)

    await asyncio.gather(*(call(number) for number in range(_CALLERS)))
    return times


async def _recognise(bench: _Bench, path: Path, number: int, ends: float) -> None:
    """Each time another document, since what was recognised is kept."""
    content = await asyncio.to_thread(path.read_bytes)
    with TemporaryDirectory(prefix="scan-") as folder:
        other = Path(folder, path.name)
        for copy in range(1_000_000):
            if time.monotonic() > ends:
                return
            await asyncio.to_thread(other.write_bytes, content + b"\n%% %d %d\n" % (number, copy))
            await bench.ask(await bench.put(other, f"scan-{number}"), _TEXT, pb.ExtractTextRequest(), path.name)


if __name__ == "__main__":
    sys.exit(main())
