"""What workers say of pages is believed only as far as it can be true."""

from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.parts import Failed, ReadPage, Wanted, believed_pages, page_count, pieces
from services.pdf.processes.process import Answer


def test_an_answer_tells_of_each_page_in_order() -> None:
    failure = {"page": 4, "reason": "BROKEN", "message": "The page's content cannot be parsed."}
    found = pieces(Answer({"found": [[3, True], "picture", failure, [2, False]]}, b"abcde"), [1, 3, 4, 7])
    assert found == {
        1: ReadPage(b"abc", is_plain=True),
        3: Wanted(3, "picture"),
        4: Failed(failure),
        7: ReadPage(b"de", is_plain=False),
    }


def test_the_first_of_the_pages_may_be_all_that_it_tells_of() -> None:
    assert pieces(Answer({"found": ["no_text"]}, b""), [8, 9]) == {8: Wanted(8, "no_text")}


def test_a_failure_is_that_of_the_page_that_was_asked_for() -> None:
    said = {"page": 9, "reason": "BROKEN", "message": "x", "more": [1]}
    assert pieces(Answer({"found": [said]}, b""), [2])[2] == Failed({"page": 2, "reason": "BROKEN", "message": "x"})


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"found": None},
        {"found": 7},
        {"found": [None]},
        {"found": ["scan"]},
        {"found": [[2]]},
        {"found": [[1, True]]},
        {"found": [[3, True]]},
        {"found": [[4, True], [-2, True]]},
        {"found": [["2", True]]},
        {"found": [[2**70, True]]},
        {"found": [[2, True], "picture", "picture"]},
        {"found": [[2, True], {"page": 2}]},
    ],
)
def test_an_answer_that_is_none_is_an_engine_failure(header: dict[str, Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        pieces(Answer(header, b"{}"), [1, 2])
    assert error.value.code is Code.ENGINE_FAIL


@pytest.mark.parametrize("header", [{}, {"pages": "9"}, {"pages": -9}, {"pages": 0}, {"pages": 1e999}, {"pages": None}])
def test_a_number_of_pages_that_is_none_is_an_engine_failure(header: dict[str, Any]) -> None:
    with pytest.raises(PapermeshError) as error:
        page_count(Answer(header, b""))
    assert error.value.code is Code.ENGINE_FAIL


@pytest.mark.parametrize(
    "chosen",
    [
        [[1, 2**62]],
        [[1, 10]],
        [[1, 5], [1, 4]],
        [[3, 1], [5, 9]],
        [],
        7,
        [7],
        "ab",
        [["a", "b"]],
        [[1, None]],
        [[0, 1]],
    ],
)
def test_pages_that_a_view_cannot_need_are_an_engine_failure(chosen: Any) -> None:
    with pytest.raises(PapermeshError) as error:
        believed_pages(chosen, 9)
    assert error.value.code is Code.ENGINE_FAIL


def test_pages_that_a_view_needs_are_ranges() -> None:
    assert believed_pages([[1, 3], [5, 5]], 9) == [(1, 3), (5, 5)]
