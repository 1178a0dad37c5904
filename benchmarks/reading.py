"""What reading costs, and how right it is: `make bench-reading`; `python -m benchmarks.reading --help`.

Each document is read in turn by PyMuPDF's own `get_text("text")`, in its other forms, as the service's workers read it
and make PDF_TEXT of it, in this one process, so that a busy minute falls on all. What counts is the ratio of their CPU.
Where a text file of the same name lies beside the document, its text and PDF_TEXT's are compared with it. Other readers
of text (`reading_peers.py`) read the same documents in the same run.

A reading tells words, their looks and places, what is hidden and what must be recognised. PyMuPDF tells that in three
forms, "rawdict", the trace of the text and the drawings; words alone in two, "dict" and "words".
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.options import ROOT, SHARED
from benchmarks.reading_peers import PEERS
from benchmarks.tables import table
from services.pdf.processes.wire import CONTENT
from services.pdf.worker import text
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.read import read_pages
from services.pdf.worker.readings import Readings

_DOCUMENTS = (
    "text/geotopo.pdf",
    "diff/opencore/configuration-c736e498.pdf",
    "diff/riscv/riscv-privileged-v1.9.1.pdf",
    "mixed/normal_4pages.pdf",
    "mixed/right_to_left_01.pdf",
)


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 for a document that is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument(
        "documents",
        nargs="*",
        type=Path,
        default=[SHARED / "corpus" / name for name in _DOCUMENTS],
        help="PDFs to read",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each is read in each way (default 5)")
    parser.add_argument("--no-peers", action="store_true", help="leave the other readers out")
    chosen = parser.parse_args()
    if missing := [path for path in chosen.documents if not path.exists()]:
        print(f"There is no {missing[0]}. Name other documents.", file=sys.stderr)
        return 2
    peers = []
    if not chosen.no_peers:
        try:
            python = ensure(ROOT / "var" / "bench-reading", _HERE / "reading_peers.txt") / "python"
        except EnvironmentMissingError as error:
            print(error, file=sys.stderr)
            return 2
        peers = _peers(python, chosen.documents)
    rows = [_row(path, chosen.rounds) for path in chosen.documents]
    print(table(_TEXT_HEADER, [text for text, _ in rows]))
    print()
    print(table([*_READING_HEADER, *_FORMS, "reading", *_COMPARED], [ratios for _, ratios in rows]))
    if peers:
        print()
        print(table(["document", *(f"{name}, {what}" for name in PEERS for what in _OF_PEERS)], peers))
    return 0


_HERE = Path(__file__).parent
_OF_PEERS = ("CPU ms a page", "likeness")


def _peers(python: Path, paths: Sequence[Path]) -> list[list[str]]:
    """A row for each document: what each of the others took for a page, and how like the truth its text is."""
    rows = [[path.name] for path in paths]
    for name in PEERS:
        command = [str(python), str(_HERE / "reading_peers.py"), name, *map(str, paths)]
        # Some of them warn of every font.
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout  # noqa: S603  # our own
        for row, path, each in zip(rows, paths, json.loads(found), strict=True):
            row.extend(["", ""] if each is None else [_per_page(path, each["seconds"]), _likeness(each["text"], path)])
    return rows


def _per_page(path: Path, seconds: float) -> str:
    with pymupdf.open(path) as document:
        return f"{1000 * seconds / document.page_count:.2f}"


def _likeness(text: str, path: Path) -> str:
    truth = path.with_suffix(".txt")
    return f"{likeness(text, truth.read_text()):.4f}" if truth.exists() else ""


def _row(path: Path, rounds: int) -> tuple[list[str], list[str]]:
    """One of the rows of each table."""
    times: dict[str, list[float]] = {name: [] for name in _WAYS}
    found: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, read in _WAYS.items():
            seconds, found[name] = _timed(read, path)
            times[name].append(seconds)

    def ratio(name: str, *others: str) -> str:
        bare = (sum(each) for each in zip(*(times[other] for other in others), strict=True))
        return f"{median(mine / other for mine, other in zip(times[name], bare, strict=True)):.2f}"

    pages = len(found["PDF_TEXT"])
    alike = [_likeness("".join(found[name]), path) for name in _TEXTS]
    each = [f"{1000 * median(times[name]) / pages:.2f}" for name in _TEXTS]
    forms = [ratio(name, "text") for name in (*_FORMS, "reading")]
    compared = [ratio("reading", "rawdict", "trace", "drawings"), ratio("reading", "dict", "words")]
    view = ratio("PDF_TEXT", "reading")
    return [path.name, str(pages), *each, *alike], [path.name, each[0], *forms, *compared, view]


def _as_reading(path: Path) -> list[str]:
    with path.open("rb") as file:
        document = open_document(file.fileno())
    count = document.page_count
    header, content = read_pages(document, _ASKED | {"most": count, "spread": count})
    _READINGS[path] = {"readings": _given(header), CONTENT: content}
    return [""] * count


def _as_view(path: Path) -> list[str]:
    """PDF_TEXT of what was read before."""
    found = orjson.loads(text.describe(Readings.take(_READINGS[path]), {}))
    return [item["text"] for item in found["items"]]


def _given(header: Mapping[str, Any]) -> dict[str, Any]:
    found = [[page, each[0]] for page, each in enumerate(header["found"], 1) if isinstance(each, list)]
    failures = [each for each in header["found"] if isinstance(each, dict)]
    return {"pages": header["pages"], "asked": [], "found": found, "failures": failures, "with_scans": False}


def _trace(path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        for page in document:
            page.get_texttrace()
    return []


def _drawings(path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        for page in document:
            page.get_cdrawings()
    return []


_ASKED = {"ranges": [], "ocr": "never", "bytes": 1 << 30}
_READINGS: dict[Path, Any] = {}


def _bare(form: str, path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        return [page.get_text(form, flags=_FLAGS) for page in document]


_FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
_FORMS = ("dict", "words", "rawdict", "trace", "drawings")
_TEXTS = ("text", "PDF_TEXT")
_TEXT_HEADER = ["document", "pages", "PyMuPDF, CPU ms a page", "second view", "PyMuPDF, likeness", "PDF_TEXT"]
_COMPARED = ["÷ rawdict, trace and drawings", "÷ dict and words", "second view ÷ reading"]
_READING_HEADER = ["CPU ÷ text", "text, ms a page"]
_WAYS: Mapping[str, Callable[[Path], list[str]]] = {
    **{form: partial(_bare, form) for form in ("text", "dict", "words", "rawdict")},
    "trace": _trace,
    "drawings": _drawings,
    "reading": _as_reading,
    "PDF_TEXT": _as_view,
}


def _timed(read: Callable[[Path], list[str]], path: Path) -> tuple[float, list[str]]:
    began = time.process_time()
    found = read(path)
    return time.process_time() - began, found


def likeness(one: str, other: str) -> float:
    """1 − indel distance ÷ length of both, white space folded: 1 for equal texts.

    The longest common subsequence by bits (H. Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
    """
    first, second = (" ".join(text.split()) for text in (one, other))
    places: dict[str, int] = {}
    for index, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | 1 << index
    every = (1 << len(first)) - 1
    row = every
    for letter in second:
        met = row & places.get(letter, 0)
        row = ((row + met) | (row - met)) & every
    common = (every & ~row).bit_count()
    return 2 * common / (len(first) + len(second)) if first or second else 1.0


if __name__ == "__main__":
    sys.exit(main())
