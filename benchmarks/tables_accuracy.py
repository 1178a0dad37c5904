"""How right the tables of documents are, and what finding them costs: `make bench-tables`.

Documents are made anew from seeds (`made_tables.py`); other finders read those of the first seeds in the same run
(`tables_peers.py`). `python -m benchmarks.tables_accuracy --help` tells more.

A table's score is the F1 of its cells, each by its row, its column and its text without white space.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any, TypeAlias

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.options import ROOT, SHARED
from benchmarks.tables import table
from services.pdf.worker.documents import open_document
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.tables.find import find_tables
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_TIMEOUT_S = 1200
_FOUND = 0.3
"""The F1 by text alone from which a table counts as found."""

_KINDS = ("ruled", "half", "unruled", "long", "none")
_PEERS = ("pdfplumber", "camelot", "pymupdf")

_Place: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class Score:
    """Of one finder on one kind of document."""

    cells: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)
    heads: list[bool] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    """Whether a table is one, with all of its rows."""

    extra: int = 0
    """Tables that are none, or parts of others."""

    pages: int = 0
    """Of the documents that it read."""

    bare: int = 0
    """Pages without a table, of documents that have none."""

    seconds: float = 0.0


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables_accuracy", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="the first seed; default: a fresh one")
    parser.add_argument("--seeds", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--peer-seeds", type=int, default=2, help="how many others read, being slower (default 2)")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-tables", help="where documents go")
    parser.add_argument("--python", type=Path, help="an interpreter that has the packages of tables_accuracy.txt")
    chosen = parser.parse_args()
    try:
        python = chosen.python or ensure(chosen.work / "venv", _HERE / "tables_accuracy.txt") / "python"
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    folder = chosen.work / "documents"
    for seed in seeds:
        _call(python, "made_tables.py", folder, seed, SHARED / "corpus" / "text")
    paths = [path for seed in seeds for path in sorted(folder.glob(f"*-{seed}.pdf"))]
    print(f"seeds {seeds.start} to {seeds.stop - 1}\n")
    scores: dict[tuple[str, str], Score] = defaultdict(Score)
    pages: dict[Path, int] = {}
    for path in paths:
        readings = _readings(path)
        begin = time.process_time()
        tables = find_tables(readings)
        seconds = time.process_time() - begin
        _judge(_score(scores, "papermesh", path), _truth(path), [_cells(each) for each in tables], seconds)
        of_kind = _score(scores, "papermesh", path)
        pages[path] = len(readings)
        of_kind.pages += len(readings)
        of_kind.bare += len(readings) - len({each.page for each in tables})
        _judge_more(of_kind, _truth(path), tables)
    few = [path for seed in seeds[: chosen.peer_seeds] for path in sorted(folder.glob(f"*-{seed}.pdf"))]
    for peer in _PEERS if few else ():
        for path, found in zip(few, json.loads(_call(python, "tables_peers.py", peer, *few)), strict=True):
            if found:
                _judge(
                    _score(scores, peer, path),
                    _truth(path),
                    [_flat(each) for each in found["tables"]],
                    found["seconds"],
                )
                _score(scores, peer, path).pages += pages[path]
    print(
        table(
            _HEADER,
            [_row(kind, name, score) for (name, kind), score in sorted(scores.items(), key=_order)],
        )
    )
    return 0


_HEADER = [
    "documents",
    "finder",
    "tables",
    "cells F1",
    "spans F1",
    "heads",
    "whole",
    "extra",
    "bare pages",
    "ms a page",
]


def _order(item: tuple[tuple[str, str], Score]) -> tuple[int, int]:
    (name, kind), _ = item
    return _KINDS.index(kind), ("papermesh", *_PEERS).index(name)


def _row(kind: str, name: str, score: Score) -> list[str]:
    def share(values: Sequence[float]) -> str:
        return f"{mean(values):.3f}" if values else ""

    bare = f"{score.bare}/{score.pages}" if kind == "none" and name == "papermesh" else ""
    figures = [share(score.cells), share(score.spans), share(score.heads), share(score.whole)]
    return [
        kind,
        name,
        str(len(score.cells)),
        *figures,
        str(score.extra),
        bare,
        f"{1000 * score.seconds / max(score.pages, 1):.1f}",
    ]


def _score(scores: dict[tuple[str, str], Score], name: str, path: Path) -> Score:
    return scores[name, path.name.partition("-")[0]]


def _truth(path: Path) -> list[Mapping[str, Any]]:
    truth: list[Mapping[str, Any]] = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
    return truth


def _readings(path: Path) -> dict[int, Reading]:
    with path.open("rb") as file:
        document = open_document(file.fileno())
    return {page: read_page_words(document, page) for page in range(1, document.page_count + 1)}


def _judge(score: Score, truth: Sequence[Mapping[str, Any]], found: Sequence[Sequence[_Place]], seconds: float) -> None:
    for cells, mine in _matched(truth, found):
        score.cells.append(_f1(_filled(cells), mine))
        score.whole.append(_filled(cells) == sorted(mine))
    score.extra += len(found) - sum(bool(mine) for _, mine in _matched(truth, found))
    score.seconds += seconds


def _judge_more(score: Score, truth: Sequence[Mapping[str, Any]], tables: Sequence[Any]) -> None:
    """Spans and heads, which other finders do not say."""
    found = [_cells(each) for each in tables]
    for wanted, (cells, mine) in zip(truth, _matched(truth, found), strict=True):
        index = next((index for index, each in enumerate(found) if mine and each == mine), None)
        spans = [tuple(cell[:4]) for cell in cells if cell[2] * cell[3] > 1]
        if index is None:
            score.heads.append(False)
            continue
        mine_spans = [
            (row, cell.column, cell.row_span, cell.column_span)
            for row, each in enumerate(tables[index].rows)
            for cell in each
            if cell.row_span * cell.column_span > 1
        ]
        if spans or mine_spans:
            score.spans.append(_f1(spans, mine_spans))
        score.heads.append(tables[index].header_rows == wanted["header_rows"])


def _matched(
    truth: Sequence[Mapping[str, Any]], found: Sequence[Sequence[_Place]]
) -> Iterable[tuple[list[Any], Sequence[_Place]]]:
    """For each true table its cells, and those of what was found for it; none for a table that was missed."""
    left = list(found)
    for each in truth:
        texts = [cell[2] for cell in _filled(each["cells"])]
        best = max(left, key=lambda cells: _f1(texts, [cell[2] for cell in cells]), default=[])
        if best and _f1(texts, [cell[2] for cell in best]) > _FOUND:
            left.remove(best)
            yield each["cells"], best
        else:
            yield each["cells"], []


def _filled(cells: Iterable[Sequence[Any]]) -> list[_Place]:
    return sorted((row, column, "".join(text.split())) for row, column, _, _, text in cells if text.strip())


def _cells(found: Any) -> list[_Place]:
    return [
        (row, cell.column, "".join(cell.text.split()))
        for row, cells in enumerate(found.rows)
        for cell in cells
        if cell.text
    ]


def _flat(rows: Sequence[Sequence[str | None]]) -> list[_Place]:
    return [
        (row, column, text)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if (text := "".join((cell or "").split()))
    ]


def _f1(wanted: Iterable[Any], found: Iterable[Any]) -> float:
    one, other = Counter(wanted), Counter(found)
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0


def _call(python: Path, script: str, *arguments: object) -> str:
    command = [str(python), str(_HERE / script), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT_S, check=True).stdout  # noqa: S603  # our own interpreter


if __name__ == "__main__":
    sys.exit(main())
