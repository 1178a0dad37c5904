"""How right the layout of documents is, and what it costs: `make bench-layout`; `python -m benchmarks.layout --help`.

Documents are made anew from seeds (`structured.py`), and each is read a second time with its content stream out of
order (`scramble.py`).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.layout_score import Found, Score
from benchmarks.options import ROOT, SHARED
from benchmarks.scramble import scramble
from benchmarks.tables import table
from services.pdf.worker.documents import open_document
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_TIMEOUT_S = 900
_TYPES = ("heading", "text", "list", "table", "caption")
BARS = {"accuracy": 0.90, "heading": 0.95, "list": 0.85, "table": 0.95, "caption": 0.80, "τ": 0.98}


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layout", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="the first seed; default: a fresh one")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-layout", help="where documents go")
    chosen = parser.parse_args()
    try:
        programs = ensure(chosen.work / "venv", _HERE / "structured.txt")
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    print(f"seeds {seeds.start} to {seeds.stop - 1}\n")
    scores: dict[str, tuple[Score, list[float]]] = {}
    for seed in seeds:
        for path in made_documents(programs, chosen.work / "documents", seed):
            truth = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
            mixed = path.with_name(f"{path.stem}.mixed.pdf")
            scramble(path, mixed)
            name = path.stem.rsplit("-", 1)[0]
            for order, each in (("as made", path), ("out of order", mixed)):
                for row in (f"{name}, {order}", f"all, {order}"):
                    score, costs = scores.setdefault(row, (Score(), []))
                    blocks, cost = _timed(readings_of(each))
                    score.add(truth, blocks)
                    costs.append(cost)
    rows = [_row(name, score, costs) for name, (score, costs) in sorted(scores.items())]
    bars = [f"{BARS[name]:.2f}" if name in BARS else "" for name in ("accuracy", *_TYPES, "τ")]
    rows.append(["bars", *bars, "0", "20"])
    print(table(["documents", "accuracy", *_TYPES, "τ", "leaked", "ms/page"], rows))
    return 0


def made_documents(programs: Path, folder: Path, seed: int) -> list[Path]:
    """Documents of a seed, one of each recipe, made by an interpreter that has what `structured.txt` names."""
    texts = SHARED / "corpus" / "text"
    command = [str(programs / "python"), str(_HERE / "structured.py"), str(folder), str(seed), str(texts)]
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603 - our own interpreter
    return sorted(path for path in folder.glob(f"*-{seed}.pdf"))


def readings_of(path: Path) -> dict[int, Reading]:
    """What is read of a document's pages, by their numbers."""
    file = os.open(path, os.O_RDONLY)
    try:
        document = open_document(file)
    finally:
        os.close(file)
    return {page: read_page_words(document, page) for page in range(1, document.page_count + 1)}


def _timed(readings: Mapping[int, Reading]) -> tuple[list[Found], float]:
    """The blocks, and milliseconds of CPU a page: the best of three, since others share the machine."""
    costs: list[float] = []
    for _ in range(3):
        began = time.process_time()
        blocks = blocks_of(readings)
        costs.append(1000 * (time.process_time() - began) / len(readings))
    return [Found(block.type, block.text) for block in blocks], min(costs)


def _row(name: str, score: Score, costs: Sequence[float]) -> list[str]:
    figures: list[Any] = [score.accuracy, *(score.f1(kind) for kind in _TYPES), mean(score.orders)]
    return [name, *(f"{figure:.3f}" for figure in figures), str(score.leaked), f"{median(costs):.1f}"]


if __name__ == "__main__":
    sys.exit(main())
