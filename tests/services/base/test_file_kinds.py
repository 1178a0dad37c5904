"""What is no PDF is named for what it is, however it is cut into pieces."""

import base64
import io
import urllib.parse
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.base.errors import Code, PapermeshError
from services.base.file_kinds import HEAD_BYTES, Beginning

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "leave-policy.pdf"
PDF = SAMPLE.read_bytes()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1200)
REST = bytes(range(256)) * 8
"""What no text has."""


def zipped(*members: tuple[str, str]) -> bytes:
    """A ZIP archive, its first member as it is and the others compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (name, content) in enumerate(members):
            archive.writestr(name, content, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
    return file.getvalue()


def as_curl_d_sends(content: bytes) -> bytes:
    """curl(1), --data: "carriage returns, newlines and null bytes are stripped out"."""
    return content.translate(None, b"\r\n\0")


def check(pieces: Sequence[bytes]) -> None:
    beginning = Beginning()
    for piece in pieces:
        beginning.feed(piece)
    beginning.finish()


def refusal(pieces: Sequence[bytes]) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        check(pieces)
    assert caught.value.code is Code.BAD_ARG
    return caught.value


KINDS = {
    "hwp": OLE + "FileHeader".encode("utf-16-le"),
    "hwpx": zipped(("mimetype", "application/hwp+zip"), ("Contents/section0.xml", "<x/>")),
    "docx": zipped(("[Content_Types].xml", "<Types/>"), ("_rels/.rels", "<x/>"), ("word/document.xml", "<x/>")),
    "xlsx": zipped(("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<x/>")),
    "pptx": zipped(("[Content_Types].xml", "<Types/>"), ("ppt/presentation.xml", "<x/>")),
    "office": zipped(("[Content_Types].xml", "<Types/>" * 100)),
    "odf": zipped(("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "<x/>")),
    "epub": zipped(("mimetype", "application/epub+zip"), ("META-INF/container.xml", "<x/>")),
    "zip": zipped(("notes.txt", "a"), ("password.txt", "b")),
    "doc": OLE + "WordDocument".encode("utf-16-le"),
    "xls": OLE + "Workbook".encode("utf-16-le"),
    "ppt": OLE + "PowerPoint Document".encode("utf-16-le"),
    "encrypted": OLE + "EncryptedPackage".encode("utf-16-le"),
    "ole": OLE,
    "png": b"\x89PNG\r\n\x1a\n" + REST,
    "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + REST,
    "tiff": b"II*\0\x08\0\0\0" + REST,
    "gif": b"GIF89a" + REST,
    "webp": b"RIFF\x24\0\0\0WEBPVP8 " + REST,
    "heic": b"\0\0\0\x18ftypheic" + REST,
    "bmp": b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0" + REST,
    "rtf": rb"{\rtf1\ansi Hello}",
    "postscript": b"%!PS-Adobe-3.0\n",
    "gzip": b"\x1f\x8b\x08\0" + REST,
    "archive": b"7z\xbc\xaf\x27\x1c" + REST,
    "html": b"\xef\xbb\xbf\n<!DOCTYPE HTML>\n<title>Log in</title>",
    "text": "제12조 (휴가)\n".encode() * 100,
    "urlencoded": urllib.parse.quote_plus(PDF).encode(),
    "base64": base64.b64encode(PDF),
    "unknown": REST,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_pdf_is_named_and_told_how_to_become_one(kind: str) -> None:
    error = refusal([KINDS[kind]])
    assert error.details == {"reason": "not_pdf", "kind": kind}
    assert "not a PDF" in error.message
    assert len(error.message) < 250
    assert str(refusal([KINDS[kind][:40], KINDS[kind][40:]])) == str(error)


def test_the_oldest_hangul_documents_are_known_too() -> None:
    assert refusal([b"HWP Document File V3.00 \x1a\1\2\3\4\5"]).details["kind"] == "hwp"


@pytest.mark.parametrize("size", [1, 7, 1000, HEAD_BYTES, 10_000, len(PDF)])
def test_a_pdf_passes_in_pieces_of_any_size(size: int) -> None:
    check([PDF[start : start + size] for start in range(0, len(PDF), size)])


@pytest.mark.parametrize("junk", [0, 1, HEAD_BYTES - 5])
def test_a_pdf_may_say_that_it_is_one_a_little_later(junk: int) -> None:
    check([b"\xef" * junk + PDF])


def test_a_pdf_that_says_so_too_late_is_none() -> None:
    assert refusal([b"\xef" * (HEAD_BYTES - 4) + PDF]).details["reason"] == "not_pdf"


def test_nobody_waits_for_more_than_the_first_bytes() -> None:
    beginning = Beginning()
    beginning.feed(bytes(HEAD_BYTES - 1))
    with pytest.raises(PapermeshError):
        beginning.feed(b"\0")


def test_what_curl_d_has_cut_is_told_how_to_be_sent() -> None:
    cut = as_curl_d_sends(PDF)
    error = refusal([cut])
    assert error.details == {"reason": "cut"}
    assert "--data-binary" in error.message
    assert refusal([cut[:9], cut[9:]]).details == error.details


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_pdf_with_line_ends_of_any_kind_is_not_cut(end: bytes) -> None:
    check([b"%PDF-1.4" + end + b"%" + b"\xe2" * 2000])


def test_every_document_of_the_corpus_passes(corpus: Path) -> None:
    documents = [file for file in corpus.rglob("*.pdf") if file.is_file()]
    assert len(documents) > 50
    for file in documents:
        with file.open("rb") as opened:
            check([opened.read(4096)])


def test_every_document_of_the_corpus_that_curl_d_has_cut_is_found_out(corpus: Path) -> None:
    for file in corpus.rglob("*.pdf"):
        if file.stat().st_size > 300:  # what is shorter is no document of anybody's
            assert refusal([as_curl_d_sends(file.read_bytes())]).details == {"reason": "cut"}, file
