"""What drawing pages costs: `python -m benchmarks.page_images --help`.

Each document's first pages are drawn as PDF_PAGE_IMAGE draws them, and by PyMuPDF's `get_pixmap` and `tobytes` bare, by
turns in this one process. Then pictures are kept in a store and read again, as dispatch does it.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.options import SHARED
from benchmarks.tables import table
from services.base.blobs import BlobStore, Namespace
from services.base.image_id import ImageId
from services.base.page_images import MOST_BYTES, Drawn, PageImages
from services.base.stored_blob import Key
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.page_image import render

_DOCUMENTS = ("text/geotopo.pdf", "mixed/normal_4pages.pdf", "mixed/right_to_left_01.pdf")


def main() -> int:
    """Measures, prints two tables and returns the exit status: 0, or 2 for a document that is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_images", description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path, default=[SHARED / "corpus" / name for name in _DOCUMENTS])
    parser.add_argument("--pages", type=int, default=10, help="pages of each document (default 10)")
    chosen = parser.parse_args()
    if missing := [path for path in chosen.documents if not path.exists()]:
        print(f"There is no {missing[0]}. Name other documents.", file=sys.stderr)
        return 2
    rows, pictures = [], []
    for path in chosen.documents:
        for dpi in (100, 200):
            drawn = _drawn(path, chosen.pages, dpi)
            rows.append([path.name, str(dpi), *drawn.cells()])
            pictures += drawn.png
    print(table(["document", "dpi", "PNG ms", "bare ms", "WebP ms", "PNG KB", "WebP KB"], rows))
    print(table(["a picture in a folder", "CPU ms", "wall ms"], asyncio.run(_kept(pictures))))
    return 0


class _Taken:
    """What drawing pages took."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {"png": [], "bare": [], "webp": []}
        self.png: list[bytes] = []
        self.webp: list[bytes] = []

    def time(self, what: str, draw: Callable[[], bytes]) -> bytes:
        began = time.process_time()
        made = draw()
        self.ms[what].append((time.process_time() - began) * 1000)
        return made

    def cells(self) -> list[str]:
        sizes = (median(map(len, each)) / 1024 for each in (self.png, self.webp))
        return [f"{median(each):.0f}" for each in self.ms.values()] + [f"{size:.0f}" for size in sizes]


def _drawn(path: Path, pages: int, dpi: int) -> _Taken:
    taken = _Taken()
    with path.open("rb") as file, pymupdf.open(path) as bare:
        document = open_document(file.fileno())
        for page in range(1, min(pages, document.page_count) + 1):
            asked = {"page": page, "dpi": dpi, "most_bytes": MOST_BYTES, "boxes": [[72, 72, 300, 100, "#e00070"]]}
            for packed_as, made in (("png", taken.png), ("webp", taken.webp)):
                told = json.loads(taken.time(packed_as, lambda: render(document, {**asked, "format": packed_as})))  # noqa: B023  # called at once
                made.append(base64.b64decode(told["base64"]))
            taken.time("bare", lambda: bytes(bare[page - 1].get_pixmap(dpi=dpi).tobytes("png")))  # noqa: B023  # likewise
    return taken


async def _kept(pictures: list[bytes]) -> list[list[str]]:
    with TemporaryDirectory(prefix="images-") as folder:
        blobs = BlobStore(f"file://{folder}/blobs")
        content = os.urandom(1000)
        source = Path(folder) / "document"
        source.write_bytes(content)
        document = Key(Namespace.UPLOADS, hashlib.sha256(content).hexdigest())
        await blobs.put(*document, source)
        images, key = PageImages(blobs), secrets.token_bytes(32)
        made = [(ImageId.make(key, document, b"%d" % number), each) for number, each in enumerate(pictures)]
        rows = []
        for what in ("kept", "read"):
            cpu, wall = time.process_time(), time.perf_counter()
            for image, picture in made:
                if what == "kept":
                    await images.put(image, Drawn("png", {"page": 1}), picture)
                else:
                    await images.record(image)
                    await images.content(image)
            spent = time.process_time() - cpu, time.perf_counter() - wall
            rows.append([what, *(f"{seconds * 1000 / len(made):.2f}" for seconds in spent)])
        return rows


if __name__ == "__main__":
    sys.exit(main())
