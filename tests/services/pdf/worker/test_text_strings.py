from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.mupdf import mupdf
from services.pdf.worker.text_strings import _korean, read_text_string
from tests.services.pdf.support import open_path

Write = Callable[..., Path]


def read(write_objects: Write, written: str, key: str = "Title") -> str:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        f"<</Title {written}>>",
        trailer="/Info 4 0 R",
    )
    document = open_path(path)
    info: Any = mupdf.pdf_dict_gets(mupdf.pdf_trailer(document.pdf), "Info")
    return read_text_string(info, mupdf.pdf_new_name(key))


def of_bytes(content: bytes) -> str:
    return f"<{content.hex()}>"


@pytest.mark.parametrize("title", ["개인정보 처리방침", "제1장 총칙", "2024년도 ㈜한글 보고서", "인사"])
def test_korean_in_cp949_is_korean(write_objects: Write, title: str) -> None:
    assert read(write_objects, of_bytes(title.encode("cp949"))) == title


@pytest.mark.parametrize(
    "title", ["Résumé © 2024", "Ärger über Öl", "Ã©té", "naïve façade", "Ça va", "São João", "ÀÈ", "£5 ¥6"]
)
def test_western_letters_stay_western(write_objects: Write, title: str) -> None:
    assert read(write_objects, of_bytes(title.encode("latin-1"))) == title


@given(st.text(st.characters(codec="latin-1", categories=["Lu", "Ll", "Zs"]), max_size=30))
def test_one_letter_with_an_accent_among_plain_ones_is_never_korean(text: str) -> None:
    plain = "".join(letter for letter in text if letter.isascii())
    assert _korean(f"{plain}\xe9 {plain}".encode("latin-1")) == ""


def test_a_mark_says_the_encoding(write_objects: Write) -> None:
    assert read(write_objects, of_bytes(b"\xfe\xff" + "휴가 é".encode("utf-16-be"))) == "휴가 é"
    assert read(write_objects, of_bytes(b"\xef\xbb\xbf" + "휴가 é".encode())) == "휴가 é"


def test_the_language_is_no_text(write_objects: Write) -> None:
    title = "\x1bkoKR\x1b제1장\x1ben\x1bA".encode("utf-16-be")
    assert read(write_objects, of_bytes(b"\xfe\xff" + title)) == "제1장A"


@pytest.mark.parametrize("written", ["42", "/Name", "[(a)]", "null", "()"])
def test_what_is_no_text_is_empty(write_objects: Write, written: str) -> None:
    assert read(write_objects, written) == ""
    assert read(write_objects, written, "Author") == ""
