"""BM25: how well each of some passages answers a question by the terms that both have.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the usual constants.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from services.pdf.retrieval.function_words import FUNCTION_WORDS
from services.pdf.retrieval.terms import terms

_SATURATION = 1.5
"""k1: how soon another occurrence of a term adds little."""

_LENGTH = 0.75
"""b: how much a long passage must have more of them."""

_QUESTION_TERMS = 256
"""What of a question counts: it must end, whoever wrote it."""


class Bm25(NamedTuple):
    """How well passages answer a question by its terms."""

    scores: list[float]
    """For each passage, from 0 (no term in common) upwards."""

    known: float
    """The share of the question, by the weight of its terms, that the passages have at all: from 0 to 1. It is small
    where they are in another language."""


def bm25(question: str, passages: Sequence[str]) -> Bm25:
    """The scores of passages for a question, and how much of it they know."""
    asked = dict.fromkeys(term for term in islice(terms(question), _QUESTION_TERMS) if term not in FUNCTION_WORDS)
    found: list[Counter[str]] = []
    lengths: list[int] = []
    for passage in passages:  # of each, only what is asked is held: a long document has millions of terms
        every = list(terms(passage))
        found.append(Counter(term for term in every if term in asked))
        lengths.append(len(every))
    mean = sum(lengths) / len(lengths) if any(lengths) else 1.0
    having = {term: sum(term in counts for counts in found) for term in asked}
    weights = {term: _rarity(count, len(found)) for term, count in having.items()}
    room = [_SATURATION * (1 - _LENGTH + _LENGTH * length / mean) for length in lengths]
    scores = [
        sum(weights[term] * counts[term] * (_SATURATION + 1) / (counts[term] + own) for term in asked if term in counts)
        for counts, own in zip(found, room, strict=True)
    ]
    known = sum(weights[term] for term, count in having.items() if count)
    return Bm25(scores, known / sum(weights.values()) if weights else 0.0)


def _rarity(having: int, of: int) -> float:
    """The weight of a term: never below 0, also where most passages have it."""
    return math.log(1 + (of - having + 0.5) / (having + 0.5))
