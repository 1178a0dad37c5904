"""What pictures are called by."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.image_id import ImageId
from services.base.page_files import DOCUMENTS
from services.base.stored_blob import Key, Namespace

KEY = b"k" * 32
DOCUMENT = Key(Namespace.UPLOADS, "ab" * 32)


@given(st.sampled_from(DOCUMENTS), st.binary(min_size=32, max_size=32), st.binary())
def test_an_id_is_read_as_it_was_made(namespace: Namespace, digest: bytes, made_from: bytes) -> None:
    image = ImageId.make(KEY, Key(namespace, digest.hex()), made_from)
    assert ImageId.read(str(image)) == image
    assert len(str(image)) == 68


@given(st.text() | st.from_regex(r"img_[A-Za-z0-9_-]{60,68}", fullmatch=True))
def test_anything_else_is_none_or_exactly_one(text: str) -> None:
    read = ImageId.read(text)
    assert read is None or str(read) == text


@pytest.mark.parametrize("change", [str.upper, lambda text: text[4:], lambda text: text + "=", lambda text: text[:-1]])
def test_another_spelling_is_none(change: object) -> None:
    text = str(ImageId.make(KEY, DOCUMENT, b""))
    assert ImageId.read(change(text)) is None  # type: ignore[operator]


def test_an_id_is_told_by_all_that_it_was_made_from_and_by_the_key() -> None:
    others = [
        ImageId.make(secrets.token_bytes(32), DOCUMENT, b"page 1"),
        ImageId.make(KEY, Key(Namespace.GITLAB, DOCUMENT.sha256), b"page 1"),
        ImageId.make(KEY, Key(Namespace.UPLOADS, "cd" * 32), b"page 1"),
        ImageId.make(KEY, DOCUMENT, b"page 2"),
    ]
    names = {each.name for each in others} | {ImageId.make(KEY, DOCUMENT, b"page 1").name}
    assert len(names) == 5
