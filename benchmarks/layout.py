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
from services.pdf.processes.kinds import ONE_THREAD
from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.layout.blocks import Block
from services.pdf.worker.layout.modelled import blocks_in
from services.pdf.worker.layout.rules import blocks_of
from services.pdf.worker.layout_model import find_boxes
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_TIMEOUT_S = 900
_TYPES = ("heading", "text", "list", "table", "caption")
_MORE = ("τ", "leaked", "ms")
BARS: Mapping[str, Mapping[str, float]] = {
    "rules": {
        "accuracy": 0.90,
        "heading": 0.95,
        "list": 0.85,
        "table": 0.95,
        "caption": 0.80,
        "τ": 0.98,
        "leaked": 0,
        "ms": 20,
    },
    "model": {"accuracy": 0.98, "τ": 0.99, "leaked": 0, "ms": 700},
}
"""By mode."""


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layout", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="the first seed; default: a fresh one")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--mode", choices=("rules", "model"), default="rules", help="as of PDF_LAYOUT (default rules)")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-layout", help="where documents go")
    chosen = parser.parse_args()
    if chosen.mode == "model" and not ONE_THREAD.items() <= os.environ.items():  # it counts from the import of numpy on
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.layout", *sys.argv[1:]], os.environ | ONE_THREAD)  # noqa: S606
    find = {"rules": _by_rules, "model": _by_model}[chosen.mode]
    try:
        programs = ensure(chosen.work / "venv", _HERE / "structured.txt")
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    print(f"seeds {seeds.start} to {seeds.stop - 1}\n")
    scores: dict[str, tuple[Score, list[float]]] = {}
    for seed in seeds:
        for path in _made(programs, chosen.work / "documents", seed):
            truth = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
            mixed = path.with_name(f"{path.stem}.mixed.pdf")
            scramble(path, mixed)
            name = path.stem.rsplit("-", 1)[0]
            for order, each in (("as made", path), ("out of order", mixed)):
                blocks, cost = find(each)
                for row in (f"{name}, {order}", f"all, {order}"):
                    score, costs = scores.setdefault(row, (Score(), []))
                    score.add(truth, blocks)
                    costs.append(cost)
    rows = [_row(name, score, costs) for name, (score, costs) in sorted(scores.items())]
    bars = BARS[chosen.mode]
    rows.append(["bars", *(f"{bars[name]:g}" if name in bars else "" for name in ("accuracy", *_TYPES, *_MORE))])
    print(table(["documents", "accuracy", *_TYPES, "τ", "leaked", "ms/page"], rows))
    return 0


def _made(programs: Path, folder: Path, seed: int) -> list[Path]:
    texts = SHARED / "corpus" / "text"
    command = [str(programs / "python"), str(_HERE / "structured.py"), str(folder), str(seed), str(texts)]
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603 - our own interpreter
    return sorted(path for path in folder.glob(f"*-{seed}.pdf"))


def _by_rules(path: Path) -> tuple[list[Found], float]:
    """The blocks, and milliseconds of CPU a page: the best of three, since others share the machine."""
    with path.open("rb") as file:
        readings = _readings(open_document(file.fileno()))
    costs: list[float] = []
    for _ in range(3):
        began = time.process_time()
        blocks = blocks_of(readings)
        costs.append(1000 * (time.process_time() - began) / len(readings))
    return _found(blocks), min(costs)


def _by_model(path: Path) -> tuple[list[Found], float]:
    """The same with the layout model, whose boxes are found once."""
    with path.open("rb") as file:
        document = open_document(file.fileno())
        readings = _readings(document)
        find_boxes(document, {"page": 1})  # loads the model
        began = time.process_time()
        boxes = {page: json.loads(find_boxes(document, {"page": page})[1]) for page in readings}
        blocks = blocks_in(readings, boxes)
        return _found(blocks), 1000 * (time.process_time() - began) / len(readings)


def _readings(document: Document) -> dict[int, Reading]:
    return {page: read_page_words(document, page) for page in range(1, document.page_count + 1)}


def _found(blocks: Sequence[Block]) -> list[Found]:
    return [Found(block.type, block.text) for block in blocks]


def _row(name: str, score: Score, costs: Sequence[float]) -> list[str]:
    figures: list[Any] = [score.accuracy, *(score.f1(kind) for kind in _TYPES), mean(score.orders)]
    return [name, *(f"{figure:.3f}" for figure in figures), str(score.leaked), f"{median(costs):.1f}"]


if __name__ == "__main__":
    sys.exit(main())
