"""What an action may be called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.action_names import PATTERN, is_action_name


@pytest.mark.parametrize("name", ["A", "PDF_TEXT", "PDF_2", "PDF_METADATA@v2", "X" * 48, f"{'X' * 48}@v999"])
def test_a_capital_then_capitals_digits_and_underscores_and_a_later_version_name_an_action(name: str) -> None:
    assert is_action_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "word count!", "WORD COUNT", "pdf_text", "_PDF", "2PDF", "PDF-TEXT", "PDF_TEXT\n", "문서", "ÄRGER"),
        *("X" * 49, "PDF_TEXT@", "PDF_TEXT@v", "PDF_TEXT@v0", "PDF_TEXT@v02", "PDF_TEXT@v1000", "PDF_TEXT@V2"),
        *("PDF_TEXT@v2@v3", "PDF_TEXT@v٢", "@v2"),
    ],
)
def test_nothing_else_does(name: str) -> None:
    assert not is_action_name(name)


@given(st.text(max_size=60) | st.from_regex(r"[A-Z_0-9]{1,49}(@v[0-9]{1,4})?", fullmatch=True))
def test_the_pattern_for_schemas_says_the_same(name: str) -> None:
    ends_in_a_line_feed = name.endswith(
        "\n"
    )  # which `$` of Python's patterns passes over, and that of schemas does not
    assert is_action_name(name) == (re.search(PATTERN, name) is not None and not ends_in_a_line_feed)
