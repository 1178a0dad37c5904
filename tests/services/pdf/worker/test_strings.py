import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.strings import fit, fold


@given(st.text(st.characters()))
def test_any_text_becomes_json(text: str) -> None:
    assert orjson.loads(orjson.dumps(fit(text))) == fit(text)


def test_control_characters_go_and_line_ends_stay() -> None:
    assert fit("a\x00b\x13\tc\r\nd\x0c\x7f") == "ab\tc\nd"


def test_a_lone_surrogate_is_replaced() -> None:
    for half in ("\ud800", "\udbff", "\udc00", "\udfff"):
        assert fit(f"a{half}b") == "a\ufffdb"


def test_korean_and_rare_characters_are_left_alone() -> None:
    assert fit("제12조 ② 연차휴가 \U0001f600") == "제12조 ② 연차휴가 \U0001f600"


def test_folding_makes_one_line() -> None:
    assert fold("  1.2\u00a0 Scope\n of  it ") == "1.2 Scope of it"
