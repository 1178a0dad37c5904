"""How right the Markdown of documents is, how many tokens it takes, and what it costs: `python -m benchmarks.markdown`.

Documents are made anew from seeds (`structured.py`, `made_tables.py`). Their Markdown is taken apart by markdown-it,
and what it says is compared with what was made: headings, items of lists, and cells by row, column and text. Tokens are
those of o200k_base, beside PyMuPDF's bare text of the same pages. The text of all of it is compared with PDF_TEXT
without running lines. Costs are measured on one document of 120 pages, made of these, and on those that are named.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import orjson

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.markdown_score import Counts, Said, parse, squeezed, truth_of
from benchmarks.options import ROOT, SHARED
from benchmarks.reading import likeness
from benchmarks.tables import table
from services.pdf.worker.documents import open_document
from services.pdf.worker.markdown.view import describe
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_TEXTS = SHARED / "corpus" / "text"
_TIMEOUT_S = 900
_PAGES = 120
_FOOT = re.compile(r"- \d+ -|\d+|Page \d+ of \d+|\d+ / \d+")
_RUNNING_OF_TABLES = "Rules of the company"
_BARS = ["bars", "", ".95", ".95", ".95", "1.1", ".98"]


@dataclass(slots=True)
class _Score:
    """Of one kind of document."""

    headings: Counts = field(default_factory=Counts)
    items: Counts = field(default_factory=Counts)
    cells: Counts = field(default_factory=Counts)
    markdowns: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    alike: list[float] = field(default_factory=list)


def main() -> int:
    """Measures, prints tables and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.markdown", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="the first seed; default: a fresh one")
    parser.add_argument("--seeds", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--rounds", type=int, default=5, help="how often costs are measured (default 5)")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-markdown", help="where documents go")
    parser.add_argument("documents", nargs="*", type=Path, default=[_TEXTS / "geotopo.pdf"], help="PDFs for the costs")
    chosen = parser.parse_args()
    try:
        python = ensure(chosen.work / "venv", _HERE / "markdown.txt") / "python"
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    seeds = range(chosen.seed, chosen.seed + chosen.seeds)
    print(f"seeds {seeds.start} to {seeds.stop - 1}\n")
    made = [path for seed in seeds for path in _made(python, chosen.work / "documents", seed)]
    scores: defaultdict[str, _Score] = defaultdict(_Score)
    for path in made:
        for row in (path.stem.rsplit("-", 1)[0], "all"):
            _score(scores[row], path)
    rows = [_row(name, score, python) for name, score in sorted(scores.items())]
    print(table(["documents", "count", "headings", "items", "cells", "tokens", "likeness"], [*rows, _BARS]))
    print()
    long = _long(made, chosen.work / "long.pdf")
    costs = [_costs(path, chosen.rounds) for path in (long, *chosen.documents)]
    header = ["document", "pages", "dict ms", "reading ms", "view ms", "view / reading", "all / dict"]
    print(table(header, [*costs, ["bars", "", "", "", "", ".25", "1.5"]]))
    return 0


def _made(python: Path, folder: Path, seed: int) -> list[Path]:
    paths = []
    for script in ("structured", "made_tables"):
        place = folder / script
        command = [str(python), str(_HERE / f"{script}.py"), str(place), str(seed), str(_TEXTS)]
        subprocess.run(command, check=True, timeout=_TIMEOUT_S)  # noqa: S603  # our own interpreter
        paths += sorted(place.glob(f"*-{seed}.pdf"))
    return paths


def _readings(path: Path) -> dict[int, Reading]:
    with path.open("rb") as file:
        document = open_document(file.fileno())
    return {page: read_page_words(document, page) for page in range(1, document.page_count + 1)}


def _markdown(readings: Mapping[int, Reading]) -> str:
    given = Readings(len(readings), list(readings), readings, [])
    markdown: str = orjson.loads(describe(given, {}))["markdown"]
    return markdown


def _score(score: _Score, path: Path) -> None:
    made = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))
    readings = _readings(path)
    markdown = _markdown(readings)
    said = parse(markdown)
    if isinstance(made, list):  # of tables alone: what else is there is not told
        cells = [(row, column, squeezed(text)) for each in made for row, column, _, _, text in each["cells"] if text]
        score.cells.add(cells, said.cells)
        running = _RUNNING_OF_TABLES
    else:
        truth: Said = truth_of(made)
        score.headings.add(truth.headings, said.headings)
        score.items.add(truth.items, said.items)
        score.cells.add(truth.cells, said.cells)
        (running,) = made["running"]
    score.markdowns.append(markdown)
    with pymupdf.open(path) as document:
        score.texts.append("".join(page.get_text() for page in document))
    score.alike.append(likeness(said.text, _without_running(readings, running)))


def _without_running(readings: Mapping[int, Reading], running: str) -> str:
    """PDF_TEXT, but for the line that is on all pages and their numbers."""
    lines = []
    for reading in readings.values():
        of_page = reading.text.splitlines()
        foot = next((at for at in range(len(of_page) - 1, -1, -1) if _FOOT.fullmatch(of_page[at])), -1)
        lines += [line for at, line in enumerate(of_page) if line != running and at != foot]
    return "\n".join(lines)


def _row(name: str, score: _Score, python: Path) -> list[str]:
    figures = [f"{each.f1:.3f}" if each.true else "" for each in (score.headings, score.items, score.cells)]
    tokens = _tokens(python, score.markdowns) / _tokens(python, score.texts)
    return [name, str(len(score.markdowns)), *figures, f"{tokens:.3f}", f"{mean(score.alike):.4f}"]


def _tokens(python: Path, texts: Sequence[str]) -> int:
    command = [str(python), str(_HERE / "markdown_tokens.py")]
    counted = subprocess.run(  # noqa: S603  # our own interpreter
        command, input=json.dumps(texts), stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT_S, check=True
    )
    return sum(json.loads(counted.stdout))


def _long(paths: Sequence[Path], target: Path) -> Path:
    """A document of as many pages as are measured, of those of others in turn."""
    with pymupdf.open() as joined:
        while joined.page_count < _PAGES:
            for path in paths:
                with pymupdf.open(path) as document:
                    joined.insert_pdf(document, to_page=min(document.page_count, _PAGES - joined.page_count) - 1)
                if joined.page_count == _PAGES:
                    break
        joined.save(target)
    return target


def _costs(path: Path, rounds: int) -> list[str]:
    """CPU of PyMuPDF's bare form, of a first reading, and of the view of it, in turn in this process."""
    found: list[tuple[float, float, float]] = []
    pages = 0
    for _ in range(rounds):
        begun = time.process_time()
        with pymupdf.open(path) as document:
            for page in document:
                page.get_text("dict")
        bare = time.process_time()
        readings = _readings(path)
        pages = len(readings)
        read = time.process_time()
        _markdown(readings)
        found.append((bare - begun, read - bare, time.process_time() - read))
    times = [median(each) for each in zip(*found, strict=True)]
    ratios: list[Any] = [median(v / r for _, r, v in found), median((r + v) / d for d, r, v in found)]
    return [path.name, str(pages), *(f"{1000 * each:.0f}" for each in times), *(f"{each:.2f}" for each in ratios)]


if __name__ == "__main__":
    sys.exit(main())
