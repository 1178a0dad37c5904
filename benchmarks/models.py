"""What the kind of worker that runs models costs: `python -m benchmarks.models --help`.

Its start and memory as the service has it, with a worker that is confined; and the processor time of each model by
itself, in one thread, on text of a guide and on the pages of PDFs.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.options import SHARED
from benchmarks.tables import table
from services.pdf.embedding.embedding import Embedding
from services.pdf.embedding.models import installed
from services.pdf.model_kind import model_kind
from services.pdf.operations import EMBED, LAYOUT_BOXES
from services.pdf.processes.kinds import MODEL, ONE_THREAD
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject, nothing
from services.pdf.settings import PdfSettings
from services.pdf.worker.documents import open_document
from services.pdf.worker.embed import embed
from services.pdf.worker.layout_model import find_boxes

_LENGTHS = (50, 500, 2000)
_CALLS = 30


def main() -> int:
    """Measures, prints tables and returns the exit status: 2 if something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("pdfs", nargs="*", type=Path, help="whose pages the layout model reads")
    parser.add_argument("--text", type=Path, default=SHARED / "corpus" / "text", help="folder of guide.{ko,en}.txt")
    chosen = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():  # which counts from the import of numpy on
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.models", *sys.argv[1:]], os.environ | ONE_THREAD)  # noqa: S606
    if not (chosen.text / "guide.ko.txt").exists() or not installed():
        print("There is no guide.ko.txt, or no model is installed.", file=sys.stderr)
        return 2
    asyncio.run(_as_a_service())
    rows = [
        [f"{model}, {language}", *(f"{_a_text(model, chosen.text / f'guide.{language}.txt', n):.1f}" for n in _LENGTHS)]
        for model in installed()
        for language in ("ko", "en")
    ]
    print(table(["ms of CPU a text of", *(f"{length} characters" for length in _LENGTHS)], rows))
    if chosen.pdfs:
        print(table(["layout model", "pages", "s of CPU a page"], [_pages(each) for each in chosen.pdfs]))
    return 0


async def _as_a_service() -> None:
    settings = PdfSettings.model_construct(
        pdf_model_workers=1, pdf_worker_memory_bytes=1 << 30, pdf_without_landlock=False
    )
    subject = Subject("", nothing)
    now = asyncio.get_running_loop().time
    with tempfile.TemporaryDirectory() as folder:
        async with Pools([model_kind(settings)], [EMBED, LAYOUT_BOXES], Path(folder)) as pools:
            embedding = Embedding(pools, installed(), None)
            began = time.perf_counter()
            await embedding.vectors(["한 문장"], "", "query", subject, now() + 120)
            start = time.perf_counter() - began
            zygote = Path("/proc", str(_zygote(pools)))
            ticks = sum(map(int, (zygote / "stat").read_text("ascii").rpartition(")")[2].split()[11:13]))
            print(f"start: {start:.1f} s until the first vector, {ticks / os.sysconf('SC_CLK_TCK'):.1f} s of CPU")
            pages = int((zygote / "statm").read_text("ascii").split()[1])
            print(f"memory: the zygote has {pages * os.sysconf('SC_PAGE_SIZE') >> 20} MiB, which workers share")
            calls = [await _timed(embedding, subject, now) for _ in range(_CALLS)]
            print(f"one sentence through a new worker: {sorted(calls)[_CALLS // 2] * 1000:.0f} ms, the median\n")


async def _timed(embedding: Embedding, subject: Subject, now: Callable[[], float]) -> float:
    began = time.perf_counter()
    await embedding.vectors(["개인정보의 수집과 이용"], "", "query", subject, now() + 60)
    return time.perf_counter() - began


def _zygote(pools: Pools) -> int:
    zygote = pools._started[MODEL].result()._supervisor.zygote  # noqa: SLF001  # nobody else asks for it
    assert zygote is not None  # noqa: S101  # it has just answered
    return zygote.pid


def _a_text(model: str, guide: Path, length: int) -> float:
    """Milliseconds of processor time for a text of this length, among others."""
    text = guide.read_text("utf-8")
    texts = [text[start : start + length] for start in range(0, 12 * length, length)]
    began = time.process_time()
    embed({"model": model, "texts": texts[:2], "role": "passage"})  # loads it
    began = time.process_time()
    embed({"model": model, "texts": texts[2:], "role": "passage"})
    return (time.process_time() - began) / 10 * 1000


def _pages(path: Path) -> Sequence[str]:
    with path.open("rb") as file:
        document = open_document(file.fileno())
        find_boxes(document, {"page": 1})  # loads the model
        began = time.process_time()
        for page in range(1, document.page_count + 1):
            find_boxes(document, {"page": page})
        return [path.name, str(document.page_count), f"{(time.process_time() - began) / document.page_count:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
