from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.letters import Letter
from services.pdf.worker.right_to_left import in_reading_order, runs_right_to_left


def as_read(letters: list[Letter]) -> str:
    return "".join(letter.text for letter in in_reading_order(letters))


def from_the_right(text: str, at: float = 100) -> list[Letter]:
    """Letters in the order of the text, each left of the one before."""
    return [Letter(letter, at - 10 * index - 10, at - 10 * index) for index, letter in enumerate(text)]


def test_a_number_that_was_turned_round_is_turned_back() -> None:
    assert as_read(from_the_right("سنة ٤٣٤١ في")) == "سنة ١٤٣٤ في"


def test_a_number_that_runs_from_left_to_right_stays() -> None:
    assert as_read([Letter(digit, 10 * index, 10 * index + 10) for index, digit in enumerate("١٤٣٤")]) == "١٤٣٤"


def test_a_ligature_that_was_turned_round_is_turned_back() -> None:
    seen, alef, lam, meem = Letter("س", 30, 40), Letter("\u0627", 30, 30), Letter("ل", 20, 30), Letter("م", 10, 20)
    assert as_read([seen, alef, lam, meem]) == "سلام"


def test_a_mark_without_width_stays_behind_its_letter() -> None:
    letter, mark, after = Letter("ح", 30, 40), Letter("\u064e", 35, 35), Letter("ب", 20, 30)
    assert as_read([letter, mark, after]) == "ح\u064eب"


@given(st.text("ابتثجحخ א", max_size=20))
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert as_read(from_the_right(text)) == text


@given(st.text("ابج٠١٢٣ ", max_size=20))
def test_no_letter_is_lost_or_made(text: str) -> None:
    assert sorted(as_read(from_the_right(text))) == sorted(text)


def test_letters_without_any_width_stay_as_they_are() -> None:
    letters = [Letter(letter, 40, 40) for letter in "بيبي"]
    assert as_read([*letters, Letter(" ", 35, 40)]) == "بيبي "


def test_only_scripts_that_run_so_do() -> None:
    assert runs_right_to_left("see שלום")
    assert runs_right_to_left("ﻼ")
    assert not runs_right_to_left("제1조 ① Leave")
