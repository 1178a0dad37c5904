import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.errors import Code, PapermeshError
from services.pdf.pages import MAX_LENGTH, count_pages, cut_pages, expression_of, parse_pages

ranges = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


def numbers(parts: list[tuple[int, int]]) -> list[int]:
    return [page for first, last in parts for page in range(first, last + 1)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", []),
        ("1", [(1, 1)]),
        ("1-3,7", [(1, 3), (7, 7)]),
        ("7,1-3", [(1, 3), (7, 7)]),
        ("1-3,2-5,6", [(1, 6)]),
        ("2,2,2", [(2, 2)]),
    ],
)
def test_an_expression_names_each_page_once_and_in_order(expression: str, expected: list[tuple[int, int]]) -> None:
    assert parse_pages(expression) == expected


@pytest.mark.parametrize(
    "expression",
    ["0", "9-3", "-1", "1-", "a", "1,,2", ",", " 1", "1 ", "1-2-3", "01", "12345678", "1-99999999", "\uff11", "1\n"],
)
def test_anything_else_is_a_bad_argument_about_pages(expression: str) -> None:
    with pytest.raises(PapermeshError) as error:
        parse_pages(expression)
    assert error.value.code is Code.BAD_ARG
    assert error.value.violations[0].field == "pages"


def test_an_overlong_expression_is_refused() -> None:
    with pytest.raises(PapermeshError, match="at most 1000 characters"):
        parse_pages("1," * MAX_LENGTH + "1")


def test_a_huge_range_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        assert count_pages(parse_pages("1-9999999")) == 9_999_999
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@given(ranges)
def test_parsing_keeps_exactly_the_pages_that_are_named(parts: list[tuple[int, int]]) -> None:
    expression = ",".join(f"{first}-{last}" for first, last in parts)
    assert numbers(parse_pages(expression)) == sorted(set(numbers(parts)))


@given(ranges, st.integers(1, 50))
def test_cutting_loses_no_page_and_keeps_to_the_size(parts: list[tuple[int, int]], size: int) -> None:
    whole = parse_pages(",".join(f"{first}-{last}" for first, last in parts))
    pieces = list(cut_pages(whole, size))
    assert [page for piece in pieces for page in numbers(piece)] == numbers(whole)
    assert all(1 <= count_pages(piece) <= size for piece in pieces)
    if pieces:
        counts = [count_pages(piece) for piece in pieces]
        assert max(counts) - min(counts) <= 1


@given(st.sets(st.integers(1, 300), min_size=1, max_size=60))
def test_pages_written_as_an_expression_are_those_that_are_parsed(pages: set[int]) -> None:
    assert numbers(parse_pages(expression_of(sorted(pages)))) == sorted(pages)
