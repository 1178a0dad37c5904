"""What counts as a recognised page, and what a worker may say that does not."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.recognised_page import MAX_BYTES, MAX_DPI, MAX_WORDS, is_recognised_page
from tests.services.pdf.scanned import LIES, recognised

WORD = {"text": "\ud55c\uae00", "x0": 1, "y0": 2, "x1": 30, "y1": 20, "confidence": 0.98}
PAGE = {
    "version": 1,
    "dpi": 300,
    "width": 2480,
    "height": 3508,
    "languages": ["kor", "eng"],
    "lines": [{"words": [WORD, WORD]}, {"words": []}],
}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def changed(path: tuple[Any, ...], value: Any) -> bytes:
    """The page with another value somewhere."""
    page: Any = deepcopy(PAGE)
    inner = page
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return orjson.dumps(page)


PLACES = [
    *((name,) for name in PAGE),
    ("lines", 0),
    ("lines", 0, "words"),
    ("lines", 0, "words", 0),
    *(("lines", 0, "words", 0, name) for name in WORD),
    ("languages", 0),
]


def test_a_page_with_words_and_one_without_count() -> None:
    assert is_recognised_page(orjson.dumps(PAGE))
    assert is_recognised_page(orjson.dumps({**PAGE, "lines": []}))
    assert is_recognised_page(recognised("words of the stand-in", ["kor"]))


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_page_does_not(lie: str) -> None:
    assert not is_recognised_page(LIES[lie])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("dpi",), 0),
        (("dpi",), MAX_DPI + 1),
        (("dpi",), True),
        (("dpi",), 300.0),
        (("width",), 0),
        (("languages", 0), 1),
        (("more",), 1),
        (("lines", 0, "more"), 1),
        (("lines", 0, "words", 0, "more"), 1),
        (("lines", 0, "words", 0, "text"), ""),
        (("lines", 0, "words", 0, "x0"), 1.5),
        (("lines", 0, "words", 0, "x0"), -(10**6)),
        (("lines", 0, "words", 0, "y1"), 2**63),
        (("lines", 0, "words", 0, "confidence"), 1.01),
        (("lines", 0, "words", 0, "confidence"), -0.01),
        (("lines", 0, "words", 0, "confidence"), 1),
        (("lines", 0, "words", 0, "confidence"), float("nan")),
    ],
)
def test_what_is_out_of_bounds_does_not(path: tuple[Any, ...], value: Any) -> None:
    assert not is_recognised_page(changed(path, value))


def test_a_number_that_no_double_holds_does_not() -> None:
    for number in (b"1e999", b"NaN", b"Infinity"):
        assert not is_recognised_page(orjson.dumps(PAGE).replace(b"0.98", number))


def test_a_page_has_so_many_words_and_bytes_and_no_more() -> None:
    assert is_recognised_page(changed(("lines", 0, "words"), [WORD] * MAX_WORDS))
    assert not is_recognised_page(changed(("lines", 0, "words"), [WORD] * (MAX_WORDS + 1)))
    assert not is_recognised_page(changed(("lines", 0, "words", 0, "text"), "x" * MAX_BYTES))


@given(path=st.sampled_from(PLACES), value=ANYTHING)
def test_whatever_stands_in_a_place_the_page_counts_only_if_it_is_of_the_same_kind(
    path: tuple[Any, ...], value: Any
) -> None:
    content = changed(path, value)
    if is_recognised_page(content):
        kept = orjson.loads(content)
        assert [type(each) for each in kept.values()] == [type(each) for each in PAGE.values()]
        assert all(0 <= word["confidence"] <= 1 for line in kept["lines"] for word in line["words"])


@given(content=st.binary() | ANYTHING.map(orjson.dumps))
def test_anything_else_is_refused_and_never_an_error(content: bytes) -> None:
    assert not is_recognised_page(content)
