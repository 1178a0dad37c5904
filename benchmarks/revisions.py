"""How right comparisons of revisions are, and what they cost: `python -m benchmarks.revisions --help`.

Pairs of revisions with the truth of every edit are made anew from seeds, and each comparison is scored by places, never
by text. What the summary does not count, the wording of running lines, is not scored as a change. The generator and the
scorer are those of the folder `tools` beside the corpus.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.options import ROOT, SHARED
from benchmarks.tables import table
from services.pdf.worker.boxes import Box
from services.pdf.worker.diff.compare import compare
from services.pdf.worker.diff.document import Picture
from services.pdf.worker.diff.result import described
from services.pdf.worker.documents import open_document
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_TOOLS = SHARED / "tools"
_TIMEOUT_S = 300
FIGURES = (
    "recall",
    "named",
    "address",
    "false",
    "hidden",
    "derived",
    "derived_counted",
    "furniture_counted",
    "amplification",
    "residue",
    "op_extra",
)


class _Pair(NamedTuple):
    """A pair of revisions to make."""

    language: str
    is_reset: bool
    columns: int
    edits: int
    seed: int

    @property
    def row(self) -> str:
        """The row of the table in which it counts."""
        edits = "" if self.edits else ", no edits"
        return f"{self.language}, {'re-set' if self.is_reset else 'same pages'}, {self.columns} col.{edits}"


class _Read(NamedTuple):
    """What was read of one side."""

    readings: dict[int, Reading]
    pictures: dict[int, list[Picture]]


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.revisions", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="the first seed; default: a fresh one")
    parser.add_argument("--seeds", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--edits", type=int, default=12, help="edits of each pair (default 12); 0 must show none")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-revisions", help="where documents go")
    chosen = parser.parse_args()
    try:
        programs = ensure(chosen.work / "venv", _HERE / "revisions.txt")
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    if not _TOOLS.is_dir():
        print(f"The generator is missing: {_TOOLS}", file=sys.stderr)
        return 2
    print(f"seeds {chosen.seed} to {chosen.seed + chosen.seeds - 1}\n")
    scores: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for pair in _pairs(range(chosen.seed, chosen.seed + chosen.seeds), chosen.edits):
        found = _scored(programs, chosen.work / "pairs", pair)
        scores[pair.row].append(found)
        scores["all"].append(found)
    rows = [
        [name, str(len(found)), *(f"{mean(each[figure] for each in found):.3f}" for figure in (*FIGURES, "s"))]
        for name, found in sorted(scores.items())
    ]
    print(table(["pairs", "n", *FIGURES, "s"], rows))
    return 0


def _pairs(seeds: range, edits: int) -> Iterator[_Pair]:
    for seed in seeds:
        for language in ("ko", "en"):
            for is_reset in (False, True):
                for columns in (1, 2):
                    yield _Pair(language, is_reset, columns, edits, seed)


def _scored(programs: Path, folder: Path, pair: _Pair) -> dict[str, float]:
    """The figures of one pair, and its seconds of CPU under `s`."""
    place = folder / "-".join(map(str, pair))
    if not (place / "truth.json").exists():
        command = [str(programs / "python"), str(_TOOLS / "policypair.py"), str(place), "--lang", pair.language]
        command += ["--seed", str(pair.seed), "--edits", str(pair.edits), "--columns", str(pair.columns)]
        command += ["--reset"] if pair.is_reset else []
        subprocess.run(command, check=True, timeout=_TIMEOUT_S, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter
    left, right = _read(place / "left.pdf"), _read(place / "right.pdf")
    began = time.process_time()
    result = described(compare(left.readings, right.readings, (left.pictures, right.pictures)))
    seconds = time.process_time() - began
    result["changes"] = [change for change in result["changes"] if change["kind"] != "furniture"]
    (place / "result.json").write_text(json.dumps(result, ensure_ascii=False), "utf-8")
    return _score(place) | {"s": seconds}


def _score(place: Path) -> dict[str, float]:
    command = [sys.executable, str(_TOOLS / "policyscore.py"), str(place / "truth.json"), str(place / "result.json")]
    answer = subprocess.run(command, check=True, timeout=_TIMEOUT_S, capture_output=True, text=True)  # noqa: S603 - likewise
    found: dict[str, float] = json.loads(answer.stdout)
    if not found["derived_true"]:
        found["derived"] = 1.0  # nothing was to be told as derived
    return found


def _read(path: Path) -> _Read:
    file = os.open(path, os.O_RDONLY)
    try:
        document = open_document(file)
    finally:
        os.close(file)
    pages = range(1, document.page_count + 1)
    return _Read(
        {page: read_page_words(document, page) for page in pages},
        _pictures(path),
    )


def _pictures(path: Path) -> dict[int, list[Picture]]:
    """The pictures of each page by their decoded pixels."""
    with pymupdf.open(path) as document:
        return {
            number: [Picture(Box(*each["bbox"]), each["digest"].hex()) for each in page.get_image_info(hashes=True)]
            for number, page in enumerate(document, start=1)
        }


if __name__ == "__main__":
    sys.exit(main())
