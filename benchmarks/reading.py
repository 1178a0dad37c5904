"""What reading costs, and how right it is: `make bench-reading`; `python -m benchmarks.reading --help`.

Each document is read in turn by PyMuPDF's own `get_text("text")` and as PDF_TEXT reads it, in this one process, so that
a busy minute falls on both. What counts is the ratio of their CPU. Where a text file of the same name lies beside the
document, both are compared with it.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.options import SHARED
from benchmarks.tables import table
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.page_text import read_text

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
    chosen = parser.parse_args()
    if missing := [path for path in chosen.documents if not path.exists()]:
        print(f"There is no {missing[0]}. Name other documents.", file=sys.stderr)
        return 2
    header = ["document", "pages", "PyMuPDF, CPU ms a page", "PDF_TEXT", "ratio", "PyMuPDF, likeness", "PDF_TEXT"]
    print(table(header, [_row(path, chosen.rounds) for path in chosen.documents]))
    return 0


def _row(path: Path, rounds: int) -> list[str]:
    bare, ours = [], []
    plain: list[str] = []
    right: list[str] = []
    for _ in range(rounds):
        seconds, plain = _timed(_bare, path)
        bare.append(seconds)
        seconds, right = _timed(_as_pdf_text, path)
        ours.append(seconds)
    truth = path.with_suffix(".txt")
    alike = [f"{likeness(''.join(pages), truth.read_text()):.4f}" if truth.exists() else "" for pages in (plain, right)]
    each = [f"{1000 * median(times) / len(right):.2f}" for times in (bare, ours)]
    ratio = median(mine / other for mine, other in zip(ours, bare, strict=True))
    return [path.name, str(len(right)), *each, f"{ratio:.2f}", *alike]


def _as_pdf_text(path: Path) -> list[str]:
    with path.open("rb") as file:
        document = open_document(file.fileno())
    return [read_text(document, page) for page in range(1, document.page_count + 1)]


def _bare(path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        return [page.get_text("text") for page in document]


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
