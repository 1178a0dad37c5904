"""How much of what stands in documents PDF_SEARCH finds, and where: `make bench-search`; `--help` tells more.

Words and phrases are drawn from documents made from seeds (`made_flows.py`), where each word's place is known: phrases
within lines and over their ends, over hyphens, words cut by Korean lines, ends of columns and of pages. A query counts
as found if a hit has a box on each of its lines that covers the known place by an IoU of 0.8. The truth is also
searched by plain comparison; hits beyond that are false. Beside it MuPDF's own search, page by page.
"""

import argparse
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise
from typing import Any

from benchmarks.made_flows import HEAD, Made, Word, make
from benchmarks.tables import table
from services.pdf.processes.wire import CONTENT
from services.pdf.worker.boxes import Box
from services.pdf.worker.documents import Document, open_document
from services.pdf.worker.layout.line_ends import LineEnds
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.reading import read_page_words
from services.pdf.worker.readings import Readings
from services.pdf.worker.search import patterns
from services.pdf.worker.search.flows import flows_of
from services.pdf.worker.search.hits import describe as describe_hit
from services.pdf.worker.search.hits import find
from services.pdf.worker.search.spelling import Spelling, folded, plain
from services.pdf.worker.search.view import describe
from services.pdf.worker.words import to_bytes

_COVERS = 0.8
_EDGES = "\"'()[]{}<>.,:;!?“”‘’「」"  # noqa: RUF001  # quotes as they stand in the texts
_SHAPES = tuple((language, columns, shuffled) for language in ("ko", "en") for columns in (1, 2) for shuffled in (0, 1))
KINDS = ("word", "cut word", "in a line", "over a line", "over a hyphen or cut", "over a column", "over a page")


@dataclass(slots=True)
class _Opened:
    """A made document, ready to be searched."""

    made: Made
    document: Document
    peer: Any
    given: dict[str, Any]
    spellings: list[Spelling]
    ends: LineEnds

    def search(self) -> None:
        """A whole answer, of which nothing is kept."""
        asked = {
            "query": "nowhere",
            "mode": "text",
            "max_hits": 20,
            "page_token": "",
            "pages": "",
            "include_hidden": False,
        }
        describe(self.document, asked | self.given)

    def hits(self, query: str) -> list[list[tuple[int, Box]]]:
        """The boxes of all hits."""
        found = find(patterns.of_words(query), self.spellings).matches
        spelled = cache(partial(plain, ends=self.ends))
        told = [describe_hit(match, spelled) for match in found]
        return [[(box["page"], Box(*box["bbox"].values())) for box in hit["boxes"]] for hit in told]

    def count(self, query: str) -> int:
        """How often it stands in the text, by plain comparison."""
        text = " ".join(word.text for word in self.made.words).casefold()
        return text.count(query.casefold()) + self.made.pages * HEAD[self.made.language].casefold().count(
            query.casefold()
        )


@dataclass(slots=True)
class _Score:
    asked: int = 0
    found: int = 0
    peer: int = 0
    false: int = 0
    missed: list[str] = field(default_factory=list)


def main() -> int:
    """Measures, prints tables and returns the exit status: 0, or 1 where something that is asked for is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    fresh = int(time.time()) % 100_000
    parser.add_argument("--seed", type=int, default=fresh, help="default: a fresh one")
    parser.add_argument("--words", type=int, default=500)
    parser.add_argument("--phrases", type=int, default=200)
    parser.add_argument("--show", action="store_true", help="what was missed, and what was found that is not there")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)  # noqa: S311  # not a secret: the same queries for the same seed
    opened = [_open(make(*shape[:2], chosen.seed, shuffled=bool(shape[2]))) for shape in _SHAPES]
    scores: defaultdict[str, _Score] = defaultdict(_Score)
    for number in range(chosen.words + chosen.phrases):
        each = opened[number % len(opened)]
        kind = KINDS[number % 2] if number < chosen.words else KINDS[2 + number % (len(KINDS) - 2)]
        words = _drawn(each.made, kind, chance)
        if words:
            _ask(each, words, scores[kind])
    absent = _absent(opened, chance)
    print(f"seed {chosen.seed}; {len(opened)} documents of {opened[0].made.pages} pages\n")
    print(
        table(
            ["queries", "asked", "found", "MuPDF's search", "false hits"], [_row(kind, scores[kind]) for kind in KINDS]
        )
    )
    print(f"\n{absent[1]} of {absent[0]} queries that stand nowhere were found.")
    print(f"{_cost(opened):.1f} ms of CPU a page for a search of pages that were read, their layout included.")
    if chosen.show:
        print("\n".join(line for score in scores.values() for line in score.missed))
    return int(absent[1] > 0 or any(score.found < score.asked or score.false for score in scores.values()))


def _open(made: Made) -> _Opened:
    file = os.memfd_create("made")
    os.write(file, made.content)
    document = open_document(file)
    os.close(file)
    contents = [to_bytes(read_page_words(document, page)) for page in range(1, made.pages + 1)]
    given = {
        "pages": made.pages,
        "asked": [*range(1, made.pages + 1)],
        "found": [[page, len(content)] for page, content in enumerate(contents, 1)],
        "failures": [],
        "with_scans": False,
    }
    peer = pymupdf.open(stream=made.content, filetype="pdf")
    arguments = {"readings": given, CONTENT: b"".join(contents)}
    readings = Readings.take(arguments)
    spellings = [folded(flow) for flow in flows_of(readings, include_hidden=False)]
    return _Opened(made, document, peer, arguments, spellings, LineEnds(readings.values()))


def _drawn(made: Made, kind: str, chance: random.Random) -> Sequence[Word]:
    """Words of the document that make a query of this kind; none if it has none."""
    words = made.words
    if kind in {"word", "cut word"}:
        fit = [
            word
            for word in words
            if (len(word.pieces) > 1) == (kind == "cut word") and len(word.text.strip(_EDGES)) > 1
        ]
        return [chance.choice(fit)] if fit else []
    fit_at = [at for at in range(len(words) - 6) if _kind(words, at) == kind]
    if not fit_at:
        return []
    at = chance.choice(fit_at)
    first = max(at - chance.randint(0, 2), 0)
    return words[first : at + 2 + chance.randint(0, 3)]


def _kind(words: Sequence[Word], at: int) -> str:
    """What lies between a word and the next."""
    if len(words[at].pieces) > 1:
        return "over a hyphen or cut"
    last, first = words[at].pieces[-1], words[at + 1].pieces[0]
    if last.page != first.page:
        return "over a page"
    if last.column != first.column:
        return "over a column"
    return "in a line" if last.line == first.line else "over a line"


def _ask(opened: _Opened, words: Sequence[Word], score: _Score) -> None:
    whole = " ".join(word.text for word in words)
    query = whole.strip(_EDGES)
    truth = _lines(words, opened.made, len(whole) - len(whole.lstrip(_EDGES)), len(whole) - len(whole.rstrip(_EDGES)))
    hits = opened.hits(query)
    wanted = len(truth)
    is_found = any(len(hit) == wanted and all(map(_covers, hit, truth)) for hit in hits)
    score.asked += 1
    score.found += is_found
    score.peer += _peer_finds(opened.peer, query, truth)
    false = max(len(hits) - opened.count(query), 0)
    score.false += false
    if not is_found or false:
        score.missed.append(
            f"{opened.made.language} {query!r}: {len(hits)} hits for {opened.count(query)}; {truth}; {hits[:2]}"
        )


def _lines(words: Sequence[Word], made: Made, before: int, after: int) -> list[tuple[int, Box]]:
    """A box for each line that the words stand on, but for so many letters `before` and `after` them."""
    pieces = [piece for word in words for piece in word.pieces]
    while before >= len(pieces[0].text):
        before -= len(pieces.pop(0).text)
    while after >= len(pieces[-1].text):
        after -= len(pieces.pop().text)
    pieces[0] = made.without(pieces[0], before, 0)
    pieces[-1] = made.without(pieces[-1], 0, after)
    found: list[tuple[int, int, Box]] = []
    for piece in pieces:
        if found and found[-1][0] == piece.line:
            found[-1] = (piece.line, piece.page, found[-1][2].around(piece.box))
        else:
            found.append((piece.line, piece.page, piece.box))
    return [(page, box) for _, page, box in found]


def _covers(hit: tuple[int, Box], truth: tuple[int, Box]) -> bool:
    common = hit[1].common(truth[1]).area
    return hit[0] == truth[0] and common / (hit[1].area + truth[1].area - common) >= _COVERS


def _peer_finds(peer: Any, query: str, truth: Sequence[tuple[int, Box]]) -> bool:
    """Whether MuPDF's search has a rectangle for each line of the truth, hyphens at line ends taken away."""
    for page, box in truth:
        rectangles = peer[page - 1].search_for(query, flags=pymupdf.TEXT_DEHYPHENATE)
        if not any(_covers((page, Box(*each)), (page, box)) for each in rectangles):
            return False
    return True


def _absent(opened: Sequence[_Opened], chance: random.Random) -> tuple[int, int]:
    """Of pairs of words that stand nowhere next to each other, how many there are, and how many are found."""
    asked = found = 0
    for each in opened:
        words = [word.text for word in each.made.words]
        pairs = {f"{one} {other}" for one, other in pairwise(words)}
        for _ in range(25):
            query = f"{chance.choice(words)} {chance.choice(words)}".strip(_EDGES)
            if query in pairs or each.count(query):
                continue
            asked += 1
            found += bool(each.hits(query))
    return asked, found


def _cost(opened: Sequence[_Opened]) -> float:
    """Milliseconds of CPU a page, the best of three searches of each document."""
    return sum(min(_costs(each)) for each in opened) / sum(each.made.pages for each in opened)


def _costs(opened: _Opened) -> Iterator[float]:
    for _ in range(3):
        began = time.process_time()
        opened.search()
        yield 1000 * (time.process_time() - began)


def _row(kind: str, score: _Score) -> list[str]:
    return [kind, *map(str, (score.asked, score.found, score.peer, score.false))]


if __name__ == "__main__":
    sys.exit(main())
