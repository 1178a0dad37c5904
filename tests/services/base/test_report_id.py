"""What reports are called by."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.page_files import DOCUMENTS
from services.base.report_id import ReportId
from services.base.stored_blob import Key, Namespace

KEY = b"k" * 32
LEFT, RIGHT = Key(Namespace.UPLOADS, "ab" * 32), Key(Namespace.UPLOADS, "cd" * 32)
KEYS = st.builds(Key, st.sampled_from(DOCUMENTS), st.binary(min_size=32, max_size=32).map(bytes.hex))


@given(KEYS, KEYS, st.binary())
def test_an_id_is_read_as_it_was_made(left: Key, right: Key, made_from: bytes) -> None:
    report = ReportId.make(KEY, left, right, made_from)
    assert ReportId.read(str(report)) == report
    assert report.documents == (left, right)
    assert len(str(report)) == 112


@given(st.text() | st.from_regex(r"rep_[A-Za-z0-9_-]{104,112}", fullmatch=True))
def test_anything_else_is_none_or_exactly_one(text: str) -> None:
    read = ReportId.read(text)
    assert read is None or str(read) == text


@pytest.mark.parametrize("change", [str.upper, lambda text: text[4:], lambda text: text + "=", lambda text: text[:-1]])
def test_another_spelling_is_none(change: object) -> None:
    text = str(ReportId.make(KEY, LEFT, RIGHT, b""))
    assert ReportId.read(change(text)) is None  # type: ignore[operator]


def test_an_id_is_told_by_all_that_it_was_made_from_and_by_the_key() -> None:
    made = [
        ReportId.make(KEY, LEFT, RIGHT, b"text"),
        ReportId.make(KEY, RIGHT, LEFT, b"text"),
        ReportId.make(KEY, LEFT, LEFT, b"text"),
        ReportId.make(KEY, LEFT, RIGHT, b"layout"),
        ReportId.make(secrets.token_bytes(32), LEFT, RIGHT, b"text"),
    ]
    assert len({each.name for each in made}) == len(made)
