import pytest

from services.pdf.worker.signs import has_letter_sign, has_sign


@pytest.mark.parametrize("text", ["가\n", "abc ㄱ\n", "\u0661\u0662\n", "\u0627\u0644\n", "a\x01b\n", "\ufffd\n"])
def test_letters_that_may_be_wrong_are_signs_wherever_they_stand(text: str) -> None:
    assert has_letter_sign(f"Before. {text}")
    assert has_sign(f"First line.\n{text}")


@pytest.mark.parametrize("text", ["C O N T R A C T\n", "契\n約\n書\n"])
def test_letters_one_by_one_and_columns_are_signs_as_lines(text: str) -> None:
    assert has_sign(f"First line.\n{text}")
    assert not has_letter_sign(text)


@pytest.mark.parametrize(
    "text", ["", "Plain.\n", "1 2 3 4 5 6\n", "\u0661 \u0662\n", "\u0627\n", "Größe −1 \u00a0\t\n", "契約書\n"]
)
def test_other_text_has_none(text: str) -> None:
    assert not has_sign(text)


def test_a_likely_letter_before_the_sign_does_not_hide_it() -> None:
    assert has_letter_sign("\u0661 \u0627 \u0661\u0662")
