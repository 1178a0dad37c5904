"""How right the layout of documents is, and what it costs: `make bench-layout`; `python -m benchmarks.layout --help`.

Documents are made anew from seeds (`structured.py`), and each is read a second time with its content stream out of
order (`scramble.py`). What counts is PDF_LAYOUT as a worker makes it of kept readings, tables included. Other engines
(`layout_peers.py`) get the documents of the first seeds in the same run.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.layout_peers import PEERS
from benchmarks.layout_score import Found, Score
from benchmarks.options import ROOT, SHARED
from benchmarks.scramble import scramble
from benchmarks.tables import table
from services.pdf.worker.documents import open_document
from services.pdf.worker.layout.view import describe
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings

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
    parser.add_argument("--peer-seeds", type=int, default=2, help="how many others read, being slower (default 2)")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-layout", help="where documents go")
    chosen = parser.parse_args()
    try:
        programs = ensure(chosen.work / "venv", _HERE / "structured.txt")
        peers = ensure(chosen.work / "peers", _HERE / "layout_peers.txt") if chosen.peer_seeds else programs
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    print(f"seeds {seeds.start} to {seeds.stop - 1}, peers {seeds.start} to {seeds[: chosen.peer_seeds].stop - 1}\n")
    made = {seed: _made(programs, chosen.work / "documents", seed) for seed in seeds}
    rows: dict[str, _Row] = defaultdict(_Row)
    for path in (path for seed in seeds for path in made[seed]):
        for order, each in _orders(path):
            found, milliseconds = _timed(_readings(each))
            for name in (f"{path.stem.rsplit('-', 1)[0]}, {order}", f"all, {order}"):
                rows[name].add(path, found, milliseconds)
    few = [(path, *each) for seed in seeds[: chosen.peer_seeds] for path in made[seed] for each in _orders(path)]
    for peer in PEERS if few else ():
        for (path, order, _), answer in zip(few, _ask(peers, peer, [each for *_, each in few]), strict=True):
            if answer:
                found = [Found(*block) for block in answer["blocks"]]
                rows[f"{peer}, {order}"].add(path, found, 1000 * answer["seconds"] / _page_count(path))
    bars = [f"{BARS[name]:.2f}" if name in BARS else "" for name in ("accuracy", *_TYPES, "τ")]
    cells = [
        [name, *rows[name].cells()] for name in sorted(rows, key=lambda name: (name.startswith(tuple(PEERS)), name))
    ]
    print(table(["documents", "accuracy", *_TYPES, "τ", "leaked", "ms/page"], [*cells, ["bars", *bars, "0", "20"]]))
    return 0


@dataclass(slots=True)
class _Row:
    score: Score = field(default_factory=Score)
    costs: list[float] = field(default_factory=list)

    def add(self, path: Path, found: Sequence[Found], milliseconds: float) -> None:
        """Adds what was found in a document, and what a page of it cost."""
        self.score.add(json.loads(path.with_suffix(".truth.json").read_text("utf-8")), found)
        self.costs.append(milliseconds)

    def cells(self) -> list[str]:
        score = self.score
        figures = [score.accuracy, *(score.f1(kind) for kind in _TYPES), mean(score.orders)]
        return [*(f"{figure:.3f}" for figure in figures), str(score.leaked), f"{median(self.costs):.1f}"]


def _orders(path: Path) -> tuple[tuple[str, Path], ...]:
    """A document as it was made, and drawn anew out of order."""
    mixed = path.with_name(f"{path.stem}.mixed.pdf")
    if not mixed.exists():
        scramble(path, mixed)
    return ("as made", path), ("out of order", mixed)


def _made(programs: Path, folder: Path, seed: int) -> list[Path]:
    texts = SHARED / "corpus" / "text"
    command = [str(programs / "python"), str(_HERE / "structured.py"), str(folder), str(seed), str(texts)]
    subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603 - our own interpreter
    return sorted(path for path in folder.glob(f"*-{seed}.pdf"))


def _readings(path: Path) -> Readings:
    with path.open("rb") as file:
        document = open_document(file.fileno())
    pages = range(1, document.page_count + 1)
    return Readings(document.page_count, pages, {page: read_page_words(document, page) for page in pages}, [])


def _page_count(path: Path) -> int:
    with path.open("rb") as file:
        return open_document(file.fileno()).page_count


def _timed(readings: Readings) -> tuple[list[Found], float]:
    """The blocks, and milliseconds of CPU a page: the best of three, since others share the machine."""
    costs: list[float] = []
    for _ in range(3):
        began = time.process_time()
        answer = describe(readings, {})
        costs.append(1000 * (time.process_time() - began) / len(readings))
    pages = json.loads(answer)["pages"]
    return [Found(block["type"], block["text"]) for page in pages for block in page["blocks"]], min(costs)


def _ask(programs: Path, peer: str, paths: Sequence[Path]) -> list[Any]:
    command = [str(programs / "python"), str(_HERE / "layout_peers.py"), peer, *map(str, paths)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, timeout=_TIMEOUT_S, check=True).stdout  # noqa: S603 - our own interpreter
    found: list[Any] = json.loads(answer.splitlines()[-1])  # some peers print before
    return found


if __name__ == "__main__":
    sys.exit(main())
