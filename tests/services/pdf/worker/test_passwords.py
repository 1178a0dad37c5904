"""Which passwords open which files; the files are made by MuPDF, which writes each kind of encryption."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.base.errors import Code, PapermeshError
from services.pdf.worker.mupdf import pymupdf
from services.pdf.worker.passwords import spellings
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Pdf = Callable[..., Path]

USER, OWNER = "reader-7", "author-9"
KINDS = ("RC4_40", "RC4_128", "AES_128", "AES_256")
BEFORE_UTF_8 = KINDS[:-1]


@pytest.fixture
def locked(make_pdf: Pdf) -> Pdf:
    """Makes an encrypted document of one page."""

    def make(kind: str, user: str = USER, owner: str = OWNER) -> Path:
        encryption = getattr(pymupdf, f"PDF_ENCRYPT_{kind}")
        return make_pdf("Secret.", encryption=encryption, user_pw=user, owner_pw=owner)

    return make


def reason(path: Path, password: str) -> str:
    with pytest.raises(PapermeshError) as refused:
        open_path(path, password)
    assert refused.value.code is Code.BAD_ARG
    assert not password or password not in refused.value.message
    return refused.value.details["reason"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("password", [USER, OWNER])
def test_the_users_and_the_owners_password_open_a_document(locked: Pdf, kind: str, password: str) -> None:
    document = open_path(locked(kind), password)
    assert document.encrypted
    assert read_text(document, 1) == "Secret.\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_password_is_told_from_a_missing_one(locked: Pdf, kind: str) -> None:
    path = locked(kind)
    assert reason(path, "") == "encrypted"
    for wrong in ("reader-8", USER.upper(), f"{USER} ", f"{USER}\0", "암호"):
        assert reason(path, wrong) == "wrong_password"


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_is_ignored_where_none_is_needed(locked: Pdf, make_pdf: Pdf, kind: str) -> None:
    assert read_text(open_path(locked(kind, user=""), "whatever"), 1) == "Secret.\n"
    assert read_text(open_path(make_pdf("Open.", name="open.pdf"), "whatever"), 1) == "Open.\n"


def test_korean_passwords_open_documents_of_today(locked: Pdf) -> None:
    path = locked("AES_256", "휴가 규정 2025", "관리자")
    for password in ("휴가 규정 2025", "관리자"):
        assert read_text(open_path(path, password), 1) == "Secret.\n"
    assert reason(path, "휴가 규정") == "wrong_password"


def test_a_korean_password_that_comes_in_pieces_opens_a_document(locked: Pdf) -> None:
    assert open_path(locked("AES_256", "비밀"), unicodedata.normalize("NFD", "비밀")).page_count == 1


@pytest.mark.parametrize("kind", BEFORE_UTF_8)
@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_korean_passwords_open_documents_from_before_passwords_were_unicode(
    locked: Pdf, kind: str, encoding: str
) -> None:
    # MuPDF writes each letter as a byte of PDFDocEncoding, which these letters make the password's.
    (letters,) = spellings("휴가", 3)[:1] if encoding == "utf-8" else spellings("휴가", 3)[1:]
    assert open_path(locked(kind, letters), "휴가").page_count == 1


@pytest.mark.parametrize("kind", BEFORE_UTF_8)
def test_a_password_with_accents_is_in_pdf_doc_encoding(locked: Pdf, kind: str) -> None:
    assert open_path(locked(kind, "œuvre, zółw"), "œuvre, zółw").page_count == 1


def test_letters_that_an_old_file_cannot_have_do_not_fall_out_of_a_password(locked: Pdf) -> None:
    assert reason(locked("RC4_128"), f"{USER}가") == "wrong_password"
    assert reason(locked("RC4_128", "?"), "😀") == "wrong_password"


@given(st.text(max_size=40), st.integers(-1, 9))
def test_every_password_has_few_spellings_and_none_is_empty_or_cut(password: str, revision: int) -> None:
    tried = spellings(password, revision)
    assert len(tried) <= 3
    assert len(set(tried)) == len(tried)
    assert not any("\0" in each for each in tried)
    assert not password or "" not in tried


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40), st.integers(2, 6))
def test_a_password_of_ascii_is_tried_once_as_it_is(password: str, revision: int) -> None:
    assert spellings(password, revision) == [password]
