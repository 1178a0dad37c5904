from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.ocr.doubt import Doubt, doubts_of, settled
from services.pdf.worker.ocr.numeric import Mask, np
from services.pdf.worker.ocr.words import Line, Word, whole

PAPER: Mask = np.zeros((200, 2000), np.bool_)
SURE = Word("설정", (0, 0, 40, 20), 0.95)


def fragments(left: int, *parts: tuple[str, float]) -> Word:
    """A word whose characters have 20 pixels each."""
    at, found = left, []
    for text, confidence in parts:
        for character in text:
            found.append(Word(character, (at, 0, at + 20, 20), confidence))
            at += 20
    return whole(found)


def read_again(lines: Sequence[Line], korean: Sequence[Line], *slips: Line) -> list[list[str]]:
    """The words, when the slips say this."""
    found = settled(lines, doubts_of(lines, korean, PAPER, set()), slips)
    return [[word.text for word in line] for line in found]


def doubts(word: Word, korean: Sequence[Word], ink: Mask = PAPER) -> list[Doubt]:
    return doubts_of([[SURE, word]], [korean] if korean else [], ink, set())


def test_hangul_that_was_taken_for_latin_letters_needs_no_reading() -> None:
    first = [[SURE, Word("AES", (100, 0, 160, 20), 0.65)]]
    assert read_again(first, [[fragments(100, ("커", 0.92), ("널", 0.91), ("을", 0.97))]]) == [["설정", "커널을"]]


def test_two_pieces_of_one_word_become_one() -> None:
    first = [[SURE, Word("EW", (100, 0, 160, 20), 0.1), Word("Yh,", (160, 0, 240, 20), 0.4)]]
    assert read_again(first, [[fragments(100, ("드러냈", 0.93), ("습니다.", 0.97))]]) == [["설정", "드러냈습니다."]]


def test_what_stands_before_sure_hangul_is_read_and_joined_to_it() -> None:
    word = Word("Enters", (100, 0, 180, 20), 0.68)
    korean = [fragments(100, ("806", 0.1), ("를", 0.93))]
    assert doubts(word, korean)[0].slips == [(100, 0, 160, 20)]
    assert read_again([[SURE, word]], [korean], [Word("Enter", (0, 0, 60, 20), 0.95)]) == [["설정", "Enter를"]]


def test_what_stands_between_is_read() -> None:
    word = Word("미닉스M1ㅁx를", (100, 0, 260, 20), 0.6)
    korean = [fragments(100, ("미닉스", 0.93), ("(\\%4", 0.2), ("를", 0.93))]
    assert doubts(word, korean)[0].slips == [(160, 0, 240, 20)]
    assert read_again([[SURE, word]], [korean], [Word("(Minix)", (0, 0, 80, 20), 0.9)]) == [["설정", "미닉스(Minix)를"]]


def test_blanks_stay_where_the_korean_reading_has_them() -> None:
    word = Word("XMLZol", (100, 0, 200, 20), 0.3)
    korean = [fragments(100, ("쏘6", 0.1)), fragments(160, ("기", 0.9), ("능", 0.9))]
    assert read_again([[SURE, word]], [korean], [Word("XML", (0, 0, 60, 20), 0.9)]) == [["설정", "XML", "기능"]]


def test_a_cut_goes_where_there_is_no_ink() -> None:
    ink = PAPER.copy()
    ink[0:20, 100:157] = ink[0:20, 158:163] = ink[0:20, 166:180] = True
    word = Word("Enters", (100, 0, 180, 20), 0.68)
    assert doubts(word, [fragments(100, ("806", 0.1), ("를", 0.93))], ink)[0].slips == [(100, 0, 157, 20)]


@pytest.mark.parametrize(("text", "confidence"), [("Enter", 0.9), ("메뉴를", 0.5), ("없습니다.", 0.5)])
def test_sure_words_and_words_of_hangul_are_not_doubtful(text: str, confidence: float) -> None:
    assert doubts(Word(text, (100, 0, 180, 20), confidence), []) == []


def test_lines_without_hangul_and_known_marks_are_not_doubtful() -> None:
    word = Word("@", (100, 0, 120, 20), 0.4)
    assert doubts_of([[word]], [], PAPER, set()) == []
    assert doubts_of([[SURE, word]], [], PAPER, {(0, 1)}) == []


def test_a_word_stays_where_a_slip_says_nothing_or_is_less_sure() -> None:
    first = [[SURE, Word("104s", (100, 0, 180, 20), 0.63)]]
    assert read_again(first, [], []) == [["설정", "104s"]]
    assert read_again(first, [], [Word("noises", (0, 0, 80, 20), 0.5)]) == [["설정", "104s"]]
    assert read_again(first, [], [Word("ncurses", (0, 0, 80, 20), 0.9)]) == [["설정", "ncurses"]]


def test_words_left_of_others_are_exchanged_at_their_own_places() -> None:
    first = [[Word("AES", (0, 0, 60, 20), 0.5), Word("값", (80, 0, 100, 20), 0.9), Word("JRE", (120, 0, 180, 20), 0.5)]]
    korean = [[fragments(0, ("커널이", 0.9)), fragments(80, ("값", 0.9)), fragments(120, ("정보를", 0.9))]]
    assert read_again(first, korean) == [["커널이", "값", "정보를"]]


def test_not_more_than_some_hundred_slips_are_read() -> None:
    lines = [[SURE, Word("x", (100, 0, 120, 20), 0.1)]] * 1000
    assert len(doubts_of(lines, [], PAPER, set())) == 300


characters = st.tuples(st.sampled_from("가를Ax(.9"), st.floats(0, 1))
words = st.builds(
    lambda left, parts: fragments(left, *parts), st.integers(0, 900), st.lists(characters, min_size=1, max_size=4)
)
readings = st.lists(st.lists(words, min_size=1, max_size=3), max_size=3)


@given(lines=readings, korean=readings, confidence=st.floats(0, 1))
def test_only_lines_in_doubt_change_and_every_slip_is_a_place(
    lines: list[Line], korean: list[Line], confidence: float
) -> None:
    found = doubts_of(lines, korean, PAPER, set())
    slips = [[Word("x", box, confidence)] for doubt in found for box in doubt.slips]
    assert all(word.box[0] < word.box[2] and word.box[1] < word.box[3] for line in slips for word in line)
    after = settled(lines, found, slips)
    assert {index for index, line in enumerate(lines) if after[index] != line} <= {doubt.line for doubt in found}
    assert all(after)
