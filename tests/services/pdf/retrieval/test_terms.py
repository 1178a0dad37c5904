"""What texts are compared by."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.retrieval.terms import terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("연차휴가는", ["연차", "차휴", "휴가", "가는"]),
        ("가", ["가"]),
        ("Annual LEAVE", ["annual", "leave"]),
        ("제12조(연차)", ["제12조", "제", "12", "조", "연차"]),
        ("3.1.2", ["3.1.2", "3", "1", "2"]),
        ("KS-A 12", ["ks", "a", "12"]),
        ("①", ["1"]),
        ("\uff26\uff35\uff2c\uff2c", ["full"]),
        ("snake_case", ["snake", "case"]),
        ("年次休暇", ["年次休暇"]),
        ("__ ··· -- .", []),
        ("", []),
    ],
)
def test_terms_are_words_and_pairs_of_syllables(text: str, found: list[str]) -> None:
    assert list(terms(text)) == found


@given(st.text(max_size=50))
def test_spelling_makes_no_difference(text: str) -> None:
    assert list(terms(unicodedata.normalize("NFD", text))) == list(terms(unicodedata.normalize("NFC", text)))


@given(st.text(max_size=200))
def test_no_term_is_empty_or_has_a_blank(text: str) -> None:
    assert all(term and not any(map(str.isspace, term)) for term in terms(text))


@pytest.mark.parametrize("text", ["a-" * 500_000, "1." * 500_000, "_" * 1_000_000, "가" * 1_000_000])
def test_a_long_text_comes_to_an_end_and_has_no_more_terms_than_letters(text: str) -> None:
    assert sum(1 for _ in terms(text)) <= len(text)
