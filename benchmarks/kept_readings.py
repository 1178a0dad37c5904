"""What keeping readings costs: `python -m benchmarks.kept_readings --help`.

The words of a document's pages, as JSON, are kept and found again, as often as it takes to make so many pages. Beside
them stands what PyMuPDF takes to read as many pages. Then the store is asked which of many documents are gone, as every
replica asks it every half minute.
"""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.options import SHARED
from benchmarks.tables import table
from services.base.blobs import BlobStore, Namespace
from services.pdf.readings.readings import DocumentKey, Readings
from services.pdf.worker.mupdf import pymupdf

_PART = 32
"""Pages that a worker reads in one go, and that are kept together."""

_ROOM = 1024**3


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 for a document that is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kept_readings", description=__doc__)
    parser.add_argument("document", nargs="?", type=Path, default=SHARED / "corpus" / "text" / "geotopo.pdf")
    parser.add_argument("--pages", type=int, default=1000, help="pages of the document that is kept (default 1000)")
    parser.add_argument("--documents", type=int, default=10_000, help="documents that are swept (default 10000)")
    chosen = parser.parse_args()
    if not chosen.document.exists():
        print(f"There is no {chosen.document}. Name another document.", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="readings-") as folder:
        rows = asyncio.run(_measure(chosen.document, chosen.pages, chosen.documents, Path(folder)))
    print(table(["what", "CPU ms", "wall ms", ""], rows))
    return 0


async def _measure(path: Path, count: int, documents: int, folder: Path) -> list[list[str]]:
    with pymupdf.open(path) as opened:
        start = time.process_time()
        read = [_words(page) for page in opened]
        a_page = (time.process_time() - start) * 1000 / len(read)
    pages = {number: read[number % len(read)] for number in range(1, count + 1)}
    rows = [[f"reading {count} pages with PyMuPDF", f"{a_page * count:.0f}", "", f"{a_page:.2f} ms a page"]]
    blobs = BlobStore(f"file://{folder}/blobs")
    document = DocumentKey(Namespace.UPLOADS, secrets.token_hex(32))
    parts = [range(first, min(first + _PART, count + 1)) for first in range(1, count + 1, _PART)]

    async def keep(readings: Readings) -> str:
        for part in parts:
            await readings.keep(document, "words", {page: pages[page] for page in part}, shared=False)
        files = [file for file in (folder / "one").rglob("*") if file.is_file()]
        size, raw = sum(file.stat().st_size for file in files), sum(map(len, pages.values()))
        return f"{len(files)} files, {size / 1e6:.1f} MB of {raw / 1e6:.1f} MB"

    async def find(readings: Readings) -> str:
        found = [await readings.find(document, part, "words", shared=False) for part in parts]
        return f"{sum(map(len, found))} found"

    async def open_again(_: Readings) -> str:
        async with Readings(folder / "one", blobs, "engine", _ROOM):
            return "as at a restart"

    async def sweep(readings: Readings) -> str:
        await readings.sweep()
        return f"{documents} documents, all of them there"

    (folder / "page").write_bytes(b"%PDF-")
    await blobs.put(*document, folder / "page")
    async with Readings(folder / "one", blobs, "engine", _ROOM) as readings:
        for name, work in (("keeping them", keep), ("finding them", find), ("opening the folder", open_again)):
            rows.append(await _timed(name, work, readings))
        for _ in range(documents):
            other = DocumentKey(Namespace.UPLOADS, secrets.token_hex(32))
            place = folder / "blobs" / "uploads" / other.sha256[:2] / other.sha256
            place.parent.mkdir(exist_ok=True)
            place.touch()
            await readings.keep(other, "words", {1: b"{}"}, shared=False)
        rows += [await _timed("a sweep", sweep, readings), await _timed("opening the folder", open_again, readings)]
    return rows


async def _timed(name: str, work: Callable[[Readings], Awaitable[str]], readings: Readings) -> list[str]:
    cpu, wall = time.process_time(), time.perf_counter()
    said = await work(readings)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return [name, f"{cpu * 1000:.0f}", f"{wall * 1000:.0f}", said]


def _words(page: pymupdf.Page) -> bytes:
    """About what a reading holds of a page."""
    words = [
        {"text": text, "x0": x0, "y0": y0, "x1": x1, "y1": y1, "font": "Times", "size": 10.5, "confidence": 1}
        for x0, y0, x1, y1, text, *_ in page.get_text("words")
    ]
    return json.dumps({"words": words}, ensure_ascii=False).encode()


if __name__ == "__main__":
    sys.exit(main())
