"""What documents of all kinds do to the engine: `python -m benchmarks.reading_engine --help`.

The pdf service's engine runs in this process, with its workers, without the mesh around it. All documents go through
every action, and PDF_TEXT once more with OCR forced; what is no answer and no typed error is counted. Documents that
were damaged by seeds, each otherwise, go the same way, one in twenty of them recognised besides. Then a number of
documents is read one after another, and the memory of the service at the end is compared with that after the first
hundred. At last, callers who read text are timed by themselves, and beside as many callers whose pages are recognised.
"""

import argparse
import asyncio
import hashlib
import logging
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from benchmarks.damage import damaged
from benchmarks.options import SHARED
from benchmarks.processes import own_rss
from benchmarks.tables import table
from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf.engine import Engine
from services.pdf.model_kind import model_kind
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
_BY_NAME = {each.name: each for each in OPERATIONS}
_TEXT = _BY_NAME["text"]
_ASKED: Mapping[str, Mapping[str, Any]] = {
    "text": {"include_hidden": True},
    "search": {"query": "the"},
    "tables": {"csv": True, "html": True},
}
"""What is asked for besides, so that all of a view is made."""

_QUESTIONS = tuple((each, GetMessageClass(each.method.input_type)(**_ASKED.get(each.name, {}))) for each in OPERATIONS)
_FORCED = (_TEXT, pb.ExtractTextRequest(ocr="force", pages="1"))
_EACH_FORCED = 20
"""One of so many damaged documents is recognised too, which takes seconds."""

_SINCE = 100
"""Documents after which the memory is taken as the beginning."""


class _Bench:
    """The engine, and documents in its store."""

    def __init__(self, engine: Engine, blobs: BlobStore) -> None:
        self.engine = engine
        self._blobs = blobs
        self.outcomes: Counter[str] = Counter()
        self.untyped: list[str] = []
        self.crashed: list[str] = []
        """Typed as well, yet each is a fault to be mended."""

        self.slowest = (0.0, "")
        """Seconds, and of what."""

    async def put(self, path: Path, caller: str = "bench") -> Subject:
        """A document as a call has it."""
        digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
        await self._blobs.put(Namespace.UPLOADS, digest, path)
        return Subject(digest, partial(self._blobs.place, Namespace.UPLOADS, digest), Flow.of(caller, caller))

    async def ask(self, subject: Subject, operation: Any, request: Any, name: str) -> None:
        """Asks, and counts how it ended. What is answered must be the JSON text of the method's response."""
        begun = time.monotonic()
        try:
            result = await self.engine.answer(operation, request, subject, _TIMEOUT_S)
            json_format.Parse(result.json, GetMessageClass(operation.method.output_type)())
            self.outcomes["partial" if result.is_partial else "answered"] += 1
        except PapermeshError as error:
            self.outcomes[error.code.value] += 1
            if error.code in (Code.INTERNAL, Code.UNAVAILABLE):
                self.untyped.append(f"{name}: {error}")
            if error.details.get("reason") == "crash":
                self.crashed.append(f"{name}, {subject.sha256[:8]}")
        except Exception as error:  # noqa: BLE001  # that there is none is what is measured
            self.untyped.append(f"{name}: {error!r}")
        self.slowest = max(self.slowest, (time.monotonic() - begun, name))


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 1 if anything was neither answered nor refused."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_engine", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="folders of PDFs (default: the corpus)")
    parser.add_argument("--documents", type=int, default=1000, help="documents in a row (default 1000)")
    parser.add_argument("--damaged", type=int, default=2000, help="damaged documents (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage (default 0)")
    parser.add_argument("--keep", type=Path, help="a folder for damaged documents on which a worker crashed")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each kind of callers (default 30)")
    chosen = parser.parse_args()
    folders = chosen.folders or [SHARED / "corpus" / name for name in ("hostile", "cases", "mixed", "scan")]
    paths = sorted(path for folder in folders for path in folder.glob("*.pdf"))
    if not paths:
        print("There is no PDF in these folders.", file=sys.stderr)
        return 2
    logging.basicConfig(format="%(message)s", level=logging.ERROR)  # where and why a worker failed
    rows, bench = asyncio.run(_measure(paths, chosen))
    print(table(["what", "figure", ""], rows))
    for name in bench.untyped:
        print(f"untyped: {name}")
    for name in bench.crashed:
        print(f"crashed: {name}")
    return 1 if bench.untyped else 0


async def _measure(paths: Sequence[Path], chosen: argparse.Namespace) -> tuple[list[list[str]], "_Bench"]:
    async with _running() as bench:
        rows = await _all_actions(bench, paths)
        if chosen.damaged:
            rows += await _damaged(bench, paths, chosen)
        if chosen.documents:
            rows += await _in_a_row(bench, paths, chosen.documents)
        if chosen.seconds:
            rows += await _beside_recognition(bench, paths, chosen.seconds)
    return rows, bench


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
            Pools(
                [Kind(size=settings.pdf_workers), ocr, model_kind(settings)], [*OPERATIONS, *STEPS], root / "work"
            ) as pools,
            aclosing(Recognition(pools, readings)) as recognition,
        ):
            yield _Bench(Engine(pools, recognition, Reader(pools, recognition, readings)), blobs)


async def _all_actions(bench: _Bench, paths: Sequence[Path]) -> list[list[str]]:
    peak = 0.0
    for path in paths:
        subject = await bench.put(path)
        for operation, request in (*_QUESTIONS, _FORCED):
            await bench.ask(subject, operation, request, f"{path.name}, {operation.name}")
        peak = max(peak, own_rss())
    said = ", ".join(f"{count} {name}" for name, count in bench.outcomes.most_common())
    return [
        [f"{len(paths)} documents through every action", f"{len(bench.untyped)} untyped", said],
        ["the service's memory at its most", f"{peak:.0f} MiB", ""],
    ]


async def _damaged(bench: _Bench, paths: Sequence[Path], chosen: argparse.Namespace) -> list[list[str]]:
    begun, first, peak = own_rss(), 0.0, 0.0
    bench.outcomes.clear()
    bench.slowest = (0.0, "")
    untyped, crashed = len(bench.untyped), len(bench.crashed)
    with TemporaryDirectory(prefix="damaged-") as folder:
        path = Path(folder, "damaged.pdf")
        for number, (name, content) in enumerate(damaged(paths, chosen.damaged, chosen.seed)):
            await asyncio.to_thread(path.write_bytes, content)
            subject, before = await bench.put(path), len(bench.crashed)
            forced = (_FORCED,) if number % _EACH_FORCED == 0 else ()
            for operation, request in (*_QUESTIONS, *forced):
                await bench.ask(subject, operation, request, f"{name}, {operation.name}")
            if chosen.keep and len(bench.crashed) > before:
                await asyncio.to_thread(path.rename, chosen.keep / f"{subject.sha256[:8]}.pdf")
            if number == min(_SINCE, chosen.damaged - 1):
                first = own_rss()
            peak = max(peak, own_rss())
    said = ", ".join(f"{count} {name}" for name, count in bench.outcomes.most_common())
    seconds, slowest = bench.slowest
    return [
        [f"{chosen.damaged} damaged documents through every action", f"{len(bench.untyped) - untyped} untyped", said],
        ["of these, crashes of a worker", str(len(bench.crashed) - crashed), ""],
        ["the slowest answer", f"{seconds:.1f} s", slowest],
        [
            "memory after them",
            f"{(own_rss() / first - 1) * 100:+.1f} %",
            f"{begun:.0f}, {first:.0f}, at most {peak:.0f} MiB",
        ],
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
