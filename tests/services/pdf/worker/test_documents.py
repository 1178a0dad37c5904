import mmap
from collections.abc import Callable
from pathlib import Path

import pytest

from services.base.errors import Code, PapermeshError
from services.pdf.worker import documents
from services.pdf.worker.documents import raise_if_out_of_memory
from services.pdf.worker.mupdf import mupdf, pymupdf
from tests.services.pdf.support import open_path
from tests.services.pdf.viewing import read_text

Pdf = Callable[..., Path]

PAGES = "<</Type/Catalog/Pages 2 0 R>>"


def refusal(path: Path) -> PapermeshError:
    with pytest.raises(PapermeshError) as error:
        open_path(path)
    return error.value


def test_a_pdf_opens(make_pdf: Pdf) -> None:
    path = make_pdf("One.", "Two.")
    document = open_path(path)
    assert (document.page_count, document.size, document.encrypted) == (2, path.stat().st_size, False)


def test_a_large_file_opens_without_being_read_whole(make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_pdf("One.", *["More."] * 20)
    monkeypatch.setattr(documents, "_IN_MEMORY", 100)
    document = open_path(path)
    assert isinstance(document.content, mmap.mmap)
    assert read_text(document, 1) == "One.\n"


def test_a_header_after_some_junk_is_found(make_pdf: Pdf) -> None:
    path = make_pdf("One.")
    path.write_bytes(b"junk\n" * 100 + path.read_bytes())
    assert open_path(path).page_count == 1


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.touch()
    error = refusal(path)
    assert (error.code, error.details) == (Code.BAD_ARG, {"reason": "empty"})


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>No.</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"PK\x03\x04" + bytes(64),
        b"plain text",
        b" " * 2000 + b"%PDF-1.7",
    ],
)
def test_no_other_format_is_opened(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(content)
    error = refusal(path)
    assert (error.code, error.details) == (Code.BAD_ARG, {"reason": "not_pdf"})


def test_a_picture_that_calls_itself_a_pdf_is_not_read_as_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg"><!-- %PDF-1.7 --></svg>')
    assert refusal(path).details == {"reason": "broken"}


def test_a_password_is_asked_for(make_pdf: Pdf) -> None:
    path = make_pdf("Secret.", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="user", owner_pw="owner")
    error = refusal(path)
    assert (error.code, error.details) == (Code.BAD_ARG, {"reason": "encrypted"})


def test_a_file_that_is_encrypted_for_its_owner_alone_opens(make_pdf: Pdf) -> None:
    path = make_pdf("Open.", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="owner")
    document = open_path(path)
    assert document.encrypted
    assert read_text(document, 1) == "Open.\n"


def test_memory_that_ran_out_is_told_from_a_file_that_is_broken() -> None:
    for error in (MemoryError(), mupdf.FzErrorSystem("malloc (17 bytes) failed")):
        with pytest.raises(MemoryError):
            raise_if_out_of_memory(error)
    for error in (mupdf.FzErrorSyntax("no such alloc"), mupdf.FzErrorSystem("cannot read from file")):
        raise_if_out_of_memory(error)


def test_a_file_that_is_cut_off_is_repaired_or_refused(make_pdf: Pdf) -> None:
    path = make_pdf("One.")
    content = path.read_bytes()
    for length in range(20, len(content), 97):
        path.write_bytes(content[:length])
        try:
            assert open_path(path).page_count == 1
        except PapermeshError as error:
            assert error.details == {"reason": "broken"}  # noqa: PT017  # either is right


def test_a_file_without_pages_is_broken(write_objects: Pdf) -> None:
    error = refusal(write_objects(PAGES, "<</Type/Pages/Kids[]/Count 0>>"))
    assert (error.code, error.details) == (Code.BAD_ARG, {"reason": "broken"})


def test_a_page_tree_that_bites_its_tail_is_refused_or_has_broken_pages(write_objects: Pdf) -> None:
    path = write_objects(PAGES, "<</Type/Pages/Kids[2 0 R]/Count 5>>")
    assert refusal(path).details["reason"] == "broken"


def test_a_claim_of_a_million_pages_is_not_believed(write_objects: Pdf) -> None:
    path = write_objects(PAGES, "<</Type/Pages/Kids[3 0 R]/Count 1000000>>", "<</Type/Page/Parent 2 0 R>>")
    assert open_path(path).page_count == 1


def test_a_document_that_is_encrypted_with_certificates_is_encrypted_and_not_broken(write_objects: Pdf) -> None:
    page = "<</Type/Page/Parent 2 0 R>>"
    handler = "<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/R 4/Length 128/Recipients[<3000>]>>"
    path = write_objects(PAGES, "<</Type/Pages/Kids[3 0 R]/Count 1>>", page, handler, trailer="/Encrypt 4 0 R")
    assert refusal(path).details == {"reason": "encrypted"}


def test_an_error_that_quotes_bytes_of_the_file_is_an_error_like_any_other(write_objects: Pdf) -> None:
    page = "<</Type/Page/Parent 2 0 R>>"
    path = write_objects(
        PAGES, "<</Type/Pages/Kids[3 0 R]/Count 1>>", page, "<</Filter/\xff/V 4>>", trailer="/Encrypt 4 0 R"
    )
    assert refusal(path).details == {"reason": "broken"}


def test_a_document_with_too_many_pages_is_too_large(make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_PAGES", 2)
    error = refusal(make_pdf("One.", "Two.", "Three."))
    assert error.code is Code.TOO_LARGE
    assert error.details == {"limit_pages": "2"}


def test_a_document_with_too_many_objects_is_too_large(make_pdf: Pdf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_OBJECTS", 3)
    assert refusal(make_pdf("One.")).details == {"limit_objects": "3"}
