"""What each view of a document costs once its pages are read: `python -m benchmarks.views --help`.

All is done in this process as a worker does it: pages are read into bytes, and a view makes its answer of those. Beside
them stands PyMuPDF's bare `get_text("dict")` of the same pages. Times are of the processor; each is the least of
several rounds, in which everything takes its turn.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.options import SHARED
from benchmarks.tables import table
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import headings, text
from services.pdf.worker.chunks import view as chunks
from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.layout import view as layout
from services.pdf.worker.markdown import view as markdown
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.read import read_pages
from services.pdf.worker.readings import Readings
from services.pdf.worker.search import view as search
from services.pdf.worker.tables import view as tables

_MOST_PAGES = 120
_ROOM = 1 << 30
_BAR, _BAR_OF_DICT = 0.25, 1.5
_DICT, _READING, _MARKDOWN = "bare dict", "first reading", "PDF_MARKDOWN"


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 for a document that is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.views", description=__doc__)
    parser.add_argument("documents", nargs="*", type=Path, default=[SHARED / "corpus" / "text" / "geotopo.pdf"])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done (default 5)")
    chosen = parser.parse_args()
    if missing := [path for path in chosen.documents if not path.exists()]:
        print(f"There is no {missing[0]}. Name another document.", file=sys.stderr)
        return 2
    for path in chosen.documents:
        print(f"{path.name}, at most {_MOST_PAGES} pages\n")
        print(
            table(
                ["what", "CPU ms a page", "÷ reading", "bar", "with reading ÷ dict", "bar"],
                _measured(path, chosen.rounds),
            )
        )
        print()
    return 0


def _measured(path: Path, rounds: int) -> list[list[str]]:
    descriptor = os.open(path, os.O_RDONLY)
    document = open_document(descriptor)
    pages = min(document.page_count, _MOST_PAGES)
    given = _read(document, pages)
    work: dict[str, Callable[[], object]] = {
        _DICT: partial(_bare, path, pages),
        _READING: partial(_read, document, pages),
        "taking readings": lambda: Readings.take(given),
        "PDF_TEXT": lambda: text.describe(Readings.take(given), {}),
        "PDF_LAYOUT": lambda: layout.describe(Readings.take(given), {}),
        "PDF_TABLES": lambda: tables.describe(Readings.take(given), {}),
        _MARKDOWN: lambda: markdown.describe(Readings.take(given), {}),
        "PDF_CHUNK": lambda: chunks.describe(Readings.take(given), {"max_chars": 1000}),
        "PDF_SEARCH": lambda: search.describe(document, given | _QUESTION | {"pages": f"1-{pages}"}),
        "headings of PDF_OUTLINE": lambda: headings.find_headings(Readings.take(given)),
    }
    least = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, do in work.items():
            begun = time.process_time()
            do()
            least[name] = min(least[name], time.process_time() - begun)
    return [_row(name, seconds, least, pages) for name, seconds in least.items()]


_QUESTION = {
    "query": "the",
    "mode": "text",
    "max_hits": 20,
    "page_token": "",
    "include_hidden": False,
}


def _row(name: str, seconds: float, least: Mapping[str, float], pages: int) -> list[str]:
    row = [name, f"{1000 * seconds / pages:.2f}", "", "", "", ""]
    if name == _READING:
        row[4] = f"{seconds / least[_DICT]:.2f}"
    elif name != _DICT:
        row[2:4] = f"{seconds / least[_READING]:.2f}", f"{_BAR}"
        row[4] = f"{(seconds + least[_READING]) / least[_DICT]:.2f}"
    if name == _MARKDOWN:
        row[5] = f"{_BAR_OF_DICT}"
    return row


def _bare(path: Path, pages: int) -> None:
    with pymupdf.open(path) as document:
        for index in range(pages):
            document[index].get_text("dict")


def _read(document: Document, pages: int) -> dict[str, Any]:
    """The readings of the first pages, as the service hands them to a view."""
    asked: dict[str, Any] = {"ranges": [[1, pages]], "most": pages, "spread": pages, "ocr": "never", "bytes": _ROOM}
    header, content = read_pages(document, asked)
    found: Sequence[Any] = header["found"]
    readings = {
        "found": [[page, each[0]] for page, each in enumerate(found, 1) if isinstance(each, list)],
        "failures": [each for each in found if not isinstance(each, list)],
        "pages": document.page_count,
        "asked": list(range(1, pages + 1)),
        "with_scans": True,
    }
    return {"readings": readings, CONTENT: content}


if __name__ == "__main__":
    sys.exit(main())
