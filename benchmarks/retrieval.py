"""How well passages are found by what they mean, and by weights: `python -m benchmarks.retrieval --help`.

Questions in Korean and in English, each asked of the passages of a guide in both languages. A passage is right that has
the words which the question's row names (`questions/guide.tsv`: Korean, English, and a pattern for each).
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import SHARED
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


class Pool(NamedTuple):
    """The passages of a language, and which of them answer each question."""

    passages: list[str]
    right: list[set[int]]


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
    rows = _QUESTIONS.read_text("utf-8").splitlines()
    questions = [Question(*row.split("\t")) for row in rows]
    pools = {
        language: _pool(chosen.text / f"guide.{language}.txt", language, questions, chosen.passages)
        for language in ("ko", "en")
    }
    print(f"{len(questions)} questions, {', '.join(f'{len(pool.passages)} {key}' for key, pool in pools.items())}\n")
    ways = [("ko", "ko"), ("en", "en"), ("ko", "en"), ("en", "ko")]
    found_by_words = {
        (asking, asked): [bm25(getattr(each, asking), pools[asked].passages) for each in questions]
        for asking, asked in ways
    }
    words = {way: np.array([each.known * np.array(each.scores) for each in found_by_words[way]]) for way in ways}
    found = [["BM25", *(_score(words[asking, asked], pools[asked].right) for asking, asked in ways)]]
    for model in chosen.models.split(","):
        asked_by = {key: _vectors(model, [getattr(each, key) for each in questions], "query") for key in pools}
        vectors = {key: _vectors(model, pool.passages, "passage") for key, pool in pools.items()}
        close = {(asking, asked): asked_by[asking] @ vectors[asked].T for asking, asked in ways}
        found += [
            [
                f"{model} + {weight:g} x BM25",
                *(_score(close[way] + weight * words[way], pools[way[1]].right) for way in ways),
            ]
            for weight in _WEIGHTS
        ]
    print(table(["hit@1 / hit@5 / MRR", *(f"{asking} to {asked}" for asking, asked in ways)], found))
    return 0


def _pool(file: Path, language: str, questions: Sequence[Question], most: int) -> Pool:
    """Passages of the guide, evenly spread, and all that answer a question."""
    every = [line for line in file.read_text("utf-8").splitlines() if len(line) >= _SHORTEST[language]]
    patterns = [re.compile(getattr(each, f"{language}_right")) for each in questions]
    answers = {line for line in every if any(pattern.search(line) for pattern in patterns)}
    others = [line for line in every if line not in answers]
    wanted = max(most - len(answers), 0)
    taken = {others[index * len(others) // wanted] for index in range(wanted)} if wanted < len(others) else set(others)
    passages = [line for line in dict.fromkeys(every) if line in answers or line in taken]
    right = [{index for index, line in enumerate(passages) if pattern.search(line)} for pattern in patterns]
    return Pool(passages, right)


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
