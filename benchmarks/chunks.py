"""Whether chunks keep what they promise, and what they cost: `python -m benchmarks.chunks --help`.

The documents are those of `samples/library`, and others that are made anew from seeds (`structured.py`).
"""

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.environments import EnvironmentMissingError, ensure
from benchmarks.layout import made_documents, readings_of
from benchmarks.options import ROOT
from benchmarks.tables import table
from services.pdf.worker.chunks.chunks import Chunk, chunks_of
from services.pdf.worker.chunks.passages import DocumentText
from services.pdf.worker.chunks.sections import sections_of
from services.pdf.worker.chunks.sizes import Size
from services.pdf.worker.words import Reading

_HERE = Path(__file__).parent
_LIMITS = (100, 1_200)
_ARTICLE = re.compile(r"^(?:제\s?\d+조(?:의\s?\d+)?\s?[(\[]|Article \d+\b)", re.MULTILINE)


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, or 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunks", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=int(time.time()) % 100_000, help="the first seed; default: a fresh one"
    )
    parser.add_argument("--seeds", type=int, default=16, help="how many (default 16), of five documents each")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench-layout", help="where documents go")
    chosen = parser.parse_args()
    try:
        programs = ensure(chosen.work / "venv", _HERE / "structured.txt")
    except EnvironmentMissingError as error:
        print(error, file=sys.stderr)
        return 2
    paths = [path for path in sorted((ROOT / "samples" / "library").glob("*.pdf")) if ".scan" not in path.name]
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        paths += made_documents(programs, chosen.work / "documents", seed)
    documents = [readings_of(path) for path in paths]
    print(f"{len(documents)} documents of {sum(map(len, documents))} pages, seeds from {chosen.seed}\n")
    report(documents)
    return 0


def report(documents: Sequence[Mapping[int, Reading]]) -> None:
    """Prints what becomes of these documents at each limit."""
    body = [_body(readings) for readings in documents]
    head = ["limit", "chunks", "over it", "of two articles", "offsets wrong", "letters lost", "ms/page"]
    print(table(head, [_row(documents, body, limit) for limit in _LIMITS]))


def _row(documents: Sequence[Mapping[int, Reading]], body: Sequence[set[int]], limit: int) -> list[str]:
    count = over = crossing = wrong = lost = 0
    cost = 0.0
    for readings, its_body in zip(documents, body, strict=True):
        began = time.process_time()
        found = chunks_of(readings, Size(limit))
        cost += time.process_time() - began
        text = "".join(reading.text for reading in readings.values())
        count += len(found)
        over += sum(len(chunk.text) > limit for chunk in found)
        crossing += sum(len(_ARTICLE.findall(chunk.text)) > 1 for chunk in found)
        wrong += sum(not _gives_back(chunk, text) for chunk in found)
        lost += len(its_body.difference(*(range(place.start, place.end) for chunk in found for place in chunk.places)))
    pages = sum(map(len, documents))
    return [f"{limit:,}", *map(str, (count, over, crossing, wrong, lost)), f"{1000 * cost / pages:.1f}"]


def _gives_back(chunk: Chunk, text: str) -> bool:
    """Whether the document's text at the chunk's places is the chunk's, white space aside."""
    said = "".join(text[place.start : place.end] for place in chunk.places)
    return "".join(said.split()) == "".join(chunk.text.split())


def _body(readings: Mapping[int, Reading]) -> set[int]:
    """Where the document's text has letters of its sections."""
    return {
        at
        for section in sections_of(readings, DocumentText(readings))
        for passage in section.passages
        for mark in passage.marks
        for at in range(mark.offset, mark.offset + mark.length)
    }


if __name__ == "__main__":
    sys.exit(main())
