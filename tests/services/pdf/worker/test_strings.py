from unicodedata import normalize

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.strings import fit, fold


@given(st.text(st.characters()))
def test_any_text_becomes_json(text: str) -> None:
    assert orjson.loads(orjson.dumps(fit(text))) == fit(text)


def test_control_characters_go_and_leave_a_blank_between_letters() -> None:
    assert fit("a\x00\x01b\x13\tc\r\nd\x0c\x7f\x85") == "a b\tc\nd"
    assert fit("\x01(\x02)\x03") == "()"


def test_what_two_control_characters_part_stays_apart_in_one_line() -> None:
    assert fold("Chapter 1\rGeneral\x0brules\x00") == "Chapter 1 General rules"


@given(st.characters())
def test_what_can_be_printed_is_fit_already(letter: str) -> None:
    assert not letter.isprintable() or fit(letter) == normalize("NFC", letter)


@given(st.text(st.characters()))
def test_fitting_again_changes_nothing(text: str) -> None:
    assert fit(fit(text)) == fit(text)


def test_letters_are_composed() -> None:
    assert fit("\u1112\u1161\u11ab\u1100\u1173\u11af e\u0301") == "한글 é"


def test_the_halves_of_a_pair_are_joined() -> None:
    assert fit("\ud83d\ude00\ude00a") == "\U0001f600\ufffda"


def test_what_is_no_character_is_doubt() -> None:
    assert fit("a\uffff\ufdd0\U0010fffe") == "a\ufffd\ufffd\ufffd"


def test_hancoms_symbols_are_those_that_everybody_has() -> None:
    assert fit("\U000f02b1 목적 \U000f02b2 범위 \U000f02c4 A\U000f02efB \U000f028a") == "① 목적 ② 범위 ⑳ A·B ②"
    assert fit("\U000f0827\ue000") == "\U000f0827\ue000", "what nobody knows stays as it is"


def test_a_lone_surrogate_is_replaced() -> None:
    for half in ("\ud800", "\udbff", "\udc00", "\udfff"):
        assert fit(f"a{half}b") == "a\ufffdb"


def test_korean_and_rare_characters_are_left_alone() -> None:
    assert fit("제12조 ② 연차휴가 \U0001f600") == "제12조 ② 연차휴가 \U0001f600"


def test_folding_makes_one_line() -> None:
    assert fold("  1.2\u00a0 Scope\n of  it ") == "1.2 Scope of it"
