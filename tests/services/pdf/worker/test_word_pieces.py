from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.strings import fit
from services.pdf.worker.word_pieces import match_pieces

LETTERS = "abcdef가나다"


@given(st.lists(st.lists(st.text(LETTERS, min_size=1), min_size=1), max_size=8))
def test_a_word_is_made_of_its_pieces(words: list[list[str]]) -> None:
    matched = match_pieces(["".join(pieces) for pieces in words], [piece for pieces in words for piece in pieces])
    assert matched is not None
    assert [len(each) for each in matched] == [len(pieces) for pieces in words]
    assert [index for each in matched for index in each] == list(range(sum(map(len, words))))


def test_pieces_are_made_fit_first() -> None:
    assert match_pieces(["é", "1"], ["e\u0301", "1\x00"]) == [range(1), range(1, 2)]


@given(st.lists(st.text(min_size=1)), st.lists(st.text()))
def test_each_word_has_pieces_that_say_it_or_nothing_has_any(words: list[str], pieces: list[str]) -> None:
    matched = match_pieces(words, pieces)
    if matched is not None:
        assert ["".join(fit(pieces[index]) for index in each) for each in matched] == words


def test_other_text_has_no_match() -> None:
    assert match_pieces(["one"], ["on"]) is None
    assert match_pieces(["one"], ["one", "two"]) is None
    assert match_pieces(["one"], ["only"]) is None
