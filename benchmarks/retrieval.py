"""How well passages are found by what they mean, and by weights: `python -m benchmarks.retrieval --help`.

Questions in Korean and in English, each asked of passages in both languages: those of a guide, by which weights are
chosen, and then the chunks of `samples/library` (`retrieval_library.py`), which only confirm them. A passage of the
guide is right that has the words which the question's row names (`questions/guide.tsv`: Korean, English, and a pattern
for each).
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import SHARED
from benchmarks.retrieval_library import WAYS, Asked, Way, library
from benchmarks.tables import table
from services.pdf.embedding.models import Role, installed
from services.pdf.retrieval.bm25 import bm25
from services.pdf.worker.embed import Vectors, embed

_QUESTIONS = Path(__file__).parent / "questions" / "guide.tsv"

_SHORTEST = {"ko": 80, "en": 150}
"""Characters of a line of the guide that counts as a passage."""

_WEIGHTS = (0.0, 0.015, 0.03, 0.045, 0.06)


class Question(NamedTuple):
    """A row of the questions."""

    ko: str
    en: str
    ko_right: str
    en_right: str


def main() -> int:
    """Measures, prints a table and returns the exit status: 2 if something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    parser.add_argument("--text", type=Path, default=SHARED / "corpus" / "text", help="folder of guide.{ko,en}.txt")
    parser.add_argument("--passages", type=int, default=300, help="in each language (default 300)")
    parser.add_argument("--models", default=",".join(installed()), help="by name, with commas (default: all)")
    chosen = parser.parse_args()
    if not (chosen.text / "guide.ko.txt").exists() or not chosen.models:
        print("There is no guide.ko.txt, or no model is installed.", file=sys.stderr)
        return 2
    for name, found in (("guide", _guide(chosen.text, chosen.passages)), ("samples/library", library())):
        counts = (f"{' to '.join(way)} {len(each.questions)} of {len(each.passages)}" for way, each in found.items())
        print(f"\n{name}: questions of passages: {', '.join(counts)}\n")
        print(table(["hit@1 / hit@5 / MRR", *map(" to ".join, found)], _rows(found, chosen.models.split(","))))
    return 0


def _rows(found: Mapping[Way, Asked], models: Sequence[str]) -> list[list[str]]:
    words = {way: np.array([_by_words(question, each) for question in each.questions]) for way, each in found.items()}
    rows = [["BM25", *(_score(words[way], each.right) for way, each in found.items())]]
    for model in models:
        vectors = cache(partial(_vectors, model))
        close = {
            way: vectors(tuple(each.questions), "query") @ vectors(tuple(each.said), "passage").T
            for way, each in found.items()
        }
        rows += [
            [
                f"{model} + {weight:g} x BM25",
                *(_score(close[way] + weight * words[way], each.right) for way, each in found.items()),
            ]
            for weight in _WEIGHTS
        ]
    return rows


def _by_words(question: str, asked: Asked) -> NDArray[np.floating]:
    found = bm25(question, asked.passages)
    return found.known * np.array(found.scores)


def _guide(folder: Path, most: int) -> dict[Way, Asked]:
    questions = [Question(*row.split("\t")) for row in _QUESTIONS.read_text("utf-8").splitlines()]
    pools = {key: _pool(folder / f"guide.{key}.txt", key, questions, most) for key in ("ko", "en")}
    return {
        (asking, asked): Asked([getattr(each, asking) for each in questions], passages, passages, right)
        for asking, asked in WAYS
        for passages, right in [pools[asked]]
    }


def _pool(file: Path, language: str, questions: Sequence[Question], most: int) -> tuple[list[str], list[set[int]]]:
    """Passages of the guide, evenly spread, and all that answer a question."""
    every = [line for line in file.read_text("utf-8").splitlines() if len(line) >= _SHORTEST[language]]
    patterns = [re.compile(getattr(each, f"{language}_right")) for each in questions]
    answers = {line for line in every if any(pattern.search(line) for pattern in patterns)}
    others = [line for line in every if line not in answers]
    wanted = max(most - len(answers), 0)
    taken = {others[index * len(others) // wanted] for index in range(wanted)} if wanted < len(others) else set(others)
    passages = [line for line in dict.fromkeys(every) if line in answers or line in taken]
    right = [{index for index, line in enumerate(passages) if pattern.search(line)} for pattern in patterns]
    return passages, right


def _vectors(model: str, texts: Sequence[str], role: Role) -> Vectors:
    packed = embed({"model": model, "texts": texts, "role": role})
    return np.frombuffer(packed, "<f4").reshape(len(texts), installed()[model].dimension)


def _score(scores: NDArray[np.floating], right: Sequence[set[int]]) -> str:
    """The share of questions with a right passage first, among five, and the mean of its rank's inverse."""
    places = []
    for row, answers in zip(scores, right, strict=True):
        order = np.argsort(-row, kind="stable").tolist()
        places.append(1 + next(place for place, index in enumerate(order) if index in answers))
    count = len(places)
    first, five = sum(place == 1 for place in places), sum(place <= 5 for place in places)  # noqa: PLR2004
    return f"{first / count:.2f} / {five / count:.2f} / {sum(1 / place for place in places) / count:.2f}"


if __name__ == "__main__":
    sys.exit(main())
