"""What actions, repeated calls and people may be called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.names import (
    ACTION_PATTERN,
    IDEMPOTENCY_KEY_PATTERN,
    MAX_ACTOR,
    is_action,
    is_actor,
    is_digest,
    is_idempotency_key,
)


@pytest.mark.parametrize("name", ["A", "PDF_TEXT", "PDF_2", "PDF_METADATA@v2", "X" * 48, f"{'X' * 48}@v999"])
def test_a_capital_then_capitals_digits_and_underscores_and_a_later_version_name_an_action(name: str) -> None:
    assert is_action(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "word count!", "WORD COUNT", "pdf_text", "_PDF", "2PDF", "PDF-TEXT", "PDF_TEXT\n", "문서", "ÄRGER"),
        *("X" * 49, "PDF_TEXT@", "PDF_TEXT@v", "PDF_TEXT@v0", "PDF_TEXT@v02", "PDF_TEXT@v1000", "PDF_TEXT@V2"),
        *("PDF_TEXT@v2@v3", "PDF_TEXT@v٢", "@v2"),
    ],
)
def test_nothing_else_does(name: str) -> None:
    assert not is_action(name)


@given(st.text(max_size=60) | st.from_regex(r"[A-Z_0-9]{1,49}(@v[0-9]{1,4})?", fullmatch=True))
def test_the_pattern_for_schemas_says_the_same(name: str) -> None:
    ends_in_a_line_feed = name.endswith(
        "\n"
    )  # which `$` of Python's patterns passes over, and that of schemas does not
    assert is_action(name) == (re.search(ACTION_PATTERN, name) is not None and not ends_in_a_line_feed)


@given(st.text(max_size=140) | st.from_regex(r"[ -~]{1,140}", fullmatch=True))
def test_an_idempotency_key_is_short_visible_ascii(key: str) -> None:
    visible = 0 < len(key) <= 128 and key.isascii() and key.isprintable() and " " not in key
    assert is_idempotency_key(key) == visible
    if not key.endswith("\n"):
        assert (re.search(IDEMPOTENCY_KEY_PATTERN, key) is not None) == visible


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("0123456789abcdef" * 4, True),
        ("a" * 63, False),
        ("A" * 64, False),
        ("a" * 64 + "\n", False),
        ("٣" * 64, False),
    ],
)
def test_a_digest_is_64_lower_case_hexadecimal_digits(text: str, *, is_one: bool) -> None:
    assert is_digest(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *(("김철수@corp", True), ("Ada Lovelace", True), ("x" * MAX_ACTOR, True)),
        *(("", False), ("x" * (MAX_ACTOR + 1), False), ("a\nb", False), ("\ud800", False)),
    ],
)
def test_an_actor_has_a_printable_name(text: str, *, is_one: bool) -> None:
    assert is_actor(text) is is_one
