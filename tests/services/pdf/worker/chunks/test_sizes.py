from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from services.pdf.worker.chunks.sizes import Size, Splitting, by, by_tokens

TEXTS = st.text(st.sampled_from("ab가나 .\n①\u0301🇰"), max_size=400) | st.text(max_size=200)


def bare(text: str) -> str:
    return "".join(text.split())


def count_pairs(text: str) -> int:
    """A tokenizer of a kind: two letters a token, and blanks for nothing."""
    return sum((len(word) + 1) // 2 for word in text.split())


@given(TEXTS, st.integers(1, 60), st.sampled_from([TextSplitter, by(count_pairs)]))
def test_pieces_are_within_the_limit_and_lose_nothing_but_white_space(
    text: str, limit: int, splitting: Splitting
) -> None:
    size = Size(limit, splitting)
    pieces = list(size.split(text))
    assert all(start < end and size.fits(text[start:end]) for start, end in pieces)
    assert all(before[1] <= after[0] for before, after in pairwise(pieces))
    assert bare("".join(text[start:end] for start, end in pieces)) == bare(text)


def test_a_text_is_cut_where_most_line_feeds_are() -> None:
    text = "One. Two.\n\n\nThree.\nFour."
    assert [text[start:end] for start, end in Size(15).split(text)] == ["One. Two.", "Three.\nFour."]


def test_korean_is_cut_at_the_end_of_a_sentence_before_one_of_an_eojeol() -> None:
    text = "이 규정은 휴가를 정한다. 팀장이 승인한다."
    assert [text[start:end] for start, end in Size(18).split(text)] == ["이 규정은 휴가를 정한다.", "팀장이 승인한다."]
    text = "연차휴가 승인절차"
    assert [text[start:end] for start, end in Size(8).split(text)] == ["연차휴가", "승인절차"]


@pytest.mark.parametrize("unit", ["a", "a b ", "가\n", "\n", " ", "①", "e\u0301"])
@pytest.mark.parametrize("limit", [100, 1_200])
def test_a_text_of_a_million_characters_is_cut(unit: str, limit: int) -> None:
    text = unit * (1_000_000 // len(unit))
    pieces = [text[start:end] for start, end in Size(limit).split(text)]
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert sum(map(len, map(bare, pieces))) == len(bare(text))


def test_tokens_are_those_of_gpt_4o() -> None:
    assert Size(2, by_tokens).fits("Hello world")
    assert not Size(2, by_tokens).fits("Hello world!")
    text = "이 규정은 휴가를 정한다. 팀장이 승인한다. " * 40
    pieces = [text[start:end] for start, end in Size(30, by_tokens).split(text)]
    assert len(pieces) > 10
    assert all(Size(30, by_tokens).fits(piece) for piece in pieces)


@pytest.mark.parametrize("unit", ["a", "가나 ", "\n"])
def test_a_text_of_a_hundred_thousand_characters_is_cut_by_tokens(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    pieces = [text[start:end] for start, end in Size(400, by_tokens).split(text)]
    assert sum(map(len, map(bare, pieces))) == len(bare(text))


def test_a_limit_may_be_longer_than_any_text() -> None:
    assert list(Size(1 << 40).split("Some text.")) == [(0, 10)]
    assert list(Size(1).split("ab")) == [(0, 1), (1, 2)]
